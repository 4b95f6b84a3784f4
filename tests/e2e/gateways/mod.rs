//! Several gateways that share one PostgreSQL: each is a `gaud run` with an Envoy of its own.

mod budgets;
mod faults;
mod keys;
mod serve;
mod shared;

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::postgres;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Opens `/admin` of every gateway.
const ADMIN_KEY: &str = "sk-prx-admaaaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What an answer costs, in nano-dollars.
const COST: u64 = 100_000;

/// Gateways in front of one provider.
struct Gateways {
    runs: Vec<Run>,
    provider: Provider,
    database: String,
    /// Further tables of each configuration.
    tables: String,
}

impl Gateways {
    fn start(count: usize) -> Self {
        Self::start_on(count, postgres::new_database())
    }

    fn start_on(count: usize, database: String) -> Self {
        Self::start_with(count, database, "")
    }

    fn start_with(count: usize, database: String, tables: &str) -> Self {
        let provider = Provider::start();
        // 50 tokens of input at 2 dollars for a million.
        let usage = json!({"prompt_tokens": COST / 2000, "completion_tokens": 0, "total_tokens": COST / 2000});
        let answer = json!({"choices": [], "usage": usage});
        provider.always("priced", 200, answer.to_string());
        let mut gateways = Self { runs: Vec::new(), provider, database, tables: tables.to_owned() };
        for _ in 0..count {
            let folder = tempfile::tempdir().expect("a temporary folder").keep();
            gateways.begin(folder);
        }
        gateways
    }

    /// One more gateway, in this folder.
    fn begin(&mut self, folder: PathBuf) {
        let toml = format!(
            "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 1\nallow_hosts = [\"gateway\"]\ndefault_provider = \"one\"\n\
             [control]\ndatabase = \"{}\"\n[usage]\nmeter = \"all\"\n[prices.priced]\ninput = 2\noutput = 10\n\
             [providers.one]\nurl = \"{}/v1\"\nauth = \"none\"\nbreaker = {{ enabled = false }}\n{}",
            self.database,
            self.provider.url(),
            self.tables,
        );
        std::fs::write(folder.join("gaud.toml"), toml).expect("a file");
        self.runs.push(Run::start_again(folder, &[("GAUD_ADMIN_KEY", ADMIN_KEY)]));
    }

    /// A change by one of the gateways.
    #[track_caller]
    fn admin(&self, gateway: usize, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let mut request = Request::post(path, body.to_string());
        request.method = method.to_owned();
        let answer = self.send_as_admin(gateway, request);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer.json()
    }

    fn admin_answer(&self, gateway: usize, path: &str) -> Response {
        self.send_as_admin(gateway, Request::new("GET", path))
    }

    fn send_as_admin(&self, gateway: usize, request: Request) -> Response {
        let request = request.header("authorization", format!("Bearer {ADMIN_KEY}"));
        h1::exchange(self.runs[gateway].addr(), &request)
    }

    /// Makes a key at the first gateway, and waits until all gateways know the key; the key and its id.
    fn key(&self, fields: &Value) -> (String, String) {
        let made = self.admin(0, "POST", "/admin/keys", fields, 201);
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        let key = text("key");
        wait::until_true("all gateways know the key", || {
            (0..self.runs.len()).all(|gateway| self.models(gateway, &key) == 200)
        });
        (key, text("id"))
    }

    /// The status of a request that costs nothing.
    fn models(&self, gateway: usize, key: &str) -> u16 {
        let request = Request::new("GET", "/v1/models");
        let request = request.header("authorization", format!("Bearer {key}"));
        h1::exchange(self.runs[gateway].addr(), &request).status
    }

    fn ask(&self, gateway: usize, key: &str) -> Response {
        let body = json!({"model": "priced", "max_tokens": 1, "messages": []});
        let request = Request::chat(body.to_string()).case("priced");
        let request = request.header("authorization", format!("Bearer {key}"));
        h1::exchange(self.runs[gateway].addr(), &request)
    }

    /// What the answers of the provider have cost.
    fn spent(&self) -> u64 {
        self.provider.seen("priced").len() as u64 * COST
    }
}
