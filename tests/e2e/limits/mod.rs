//! Limits and budgets on the whole gateway: `gaud run` with its control server, two workers, priced models.

mod alerts;
mod answers;
mod api;
mod budgets;
mod command;
mod estimates;
mod gateway;
mod headers;
mod load;
mod lost;
mod models;
mod outcomes;
mod providers;
mod rates;
mod restart;
mod serve;

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::observe::wait_until_applied;
use crate::kit::upstream::{Answer, Provider};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Nano-dollars of a token of input, and of output.
const INPUT_NANOS: u64 = 2_000;
const OUTPUT_NANOS: u64 = 10_000;

/// A gateway with two providers, which the chain `chain` asks in turn.
struct Setup {
    run: Run,
    one: Provider,
    two: Provider,
}

impl Setup {
    fn start() -> Self {
        let (one, two) = (Provider::start(), Provider::start());
        Self { run: Run::start(&config(&one, &two, "")), one, two }
    }

    /// The same in a folder that outlives the run.
    fn start_in(folder: PathBuf, one: Provider, two: Provider) -> Self {
        std::fs::write(folder.join("gaud.toml"), config(&one, &two, "")).expect("a file");
        Self { run: Run::start_in(folder, &[]), one, two }
    }

    #[track_caller]
    fn admin(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let mut request = Request::post(path, body.to_string());
        request.method = method.to_owned();
        let key = format!("Bearer {}", self.run.admin_key());
        let answer = h1::exchange(self.run.addr(), &request.header("authorization", key));
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer.json()
    }

    /// Makes a key with these limits; the key and its id.
    #[track_caller]
    fn key(&self, fields: &Value) -> (String, String) {
        let made = self.admin("POST", "/admin/keys", fields, 201);
        let text = |field: &str| made[field].as_str().expect("a text").to_owned();
        let path = format!("/admin/keys/{}", text("id"));
        wait_until_applied(&made, || self.admin("PATCH", &path, &json!({}), 200));
        (text("key"), text("id"))
    }

    /// Changes the key or the user of this path, and waits until the filter has the change.
    #[track_caller]
    fn change(&self, path: &str, fields: &Value) {
        let changed = self.admin("PATCH", path, fields, 200);
        wait_until_applied(&changed, || self.admin("PATCH", path, &json!({}), 200));
    }

    /// The ledger's row of a key, once the ledger has this number of attempts of the key.
    #[track_caller]
    fn ledger(&self, id: &str, attempts: u64) -> Value {
        let key = format!("Bearer {}", self.run.admin_key());
        let request = Request::new("GET", "/admin/usage?by=key").header("authorization", key);
        wait::until(&format!("{attempts} attempts in the ledger"), || {
            let answer = h1::exchange(self.run.addr(), &request).json();
            let rows = answer["rows"].as_array().cloned().unwrap_or_default();
            let row = rows.into_iter().find(|row| row["key"] == id)?;
            assert!(row["attempts"].as_u64() <= Some(attempts), "{row}");
            (row["attempts"] == attempts).then_some(row)
        })
    }

    fn ask(&self, key: &str, model: &str) -> Response {
        h1::exchange(self.run.addr(), &chat(key, model))
    }

    /// How many requests are answered with 200 before one is refused, up to a number.
    #[track_caller]
    fn served(&self, key: &str, model: &str, most: usize) -> usize {
        for served in 0..most {
            let answer = self.ask(key, model);
            if answer.status == 429 {
                return served;
            }
            assert_eq!(answer.status, 200, "{}\n{}", answer.text(), self.run.log());
        }
        most
    }
}

fn config(one: &Provider, two: &Provider, tables: &str) -> String {
    let provider = |name: &str, server: &Provider| {
        format!(
            "[providers.{name}]\nurl = \"{}/v1\"\nauth = \"none\"\nbreaker = {{ enabled = false }}\n",
            server.url()
        )
    };
    let price = |model: &str| format!("[prices.\"{model}\"]\ninput = 2\noutput = 10\n");
    format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 2\nallow_hosts = [\"gateway\"]\n\
         default_provider = \"one\"\n[usage]\nmeter = \"all\"\n{}{}{}{}{}\
         [[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n{tables}",
        price("priced"),
        price("chain"),
        price("second"),
        provider("one", one),
        provider("two", two),
    )
}

/// A chat whose answer has one token at most; the model is its case at the provider.
fn chat(key: &str, model: &str) -> Request {
    let body = json!({"model": model, "max_tokens": 1, "messages": []});
    Request::chat(body.to_string()).case(model).header("authorization", format!("Bearer {key}"))
}

/// An answer that says what it has used.
fn completion(input: u64, output: u64) -> Value {
    json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    })
}

fn answer(input: u64, output: u64) -> Answer {
    Answer::json(200, &completion(input, output))
}

/// A provider whose every answer to a model costs this.
fn always(provider: &Provider, model: &str, nanos: u64) {
    let input = nanos / INPUT_NANOS;
    provider.always(model, 200, completion(input, 0).to_string());
}

fn budget(nanos: u64) -> Value {
    json!({"budget": {"usd": nanos as f64 / 1e9, "window": "total"}})
}

fn code(response: &Response) -> String {
    response.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}
