//! Every row of the table of endpoints, as the table itself has it: a new row is tested by itself.
//!
//! What the suites below share: the rows with a path to each, and a gateway with two providers,
//! `home`, which is the default, and `away`.

mod credentials;
mod rows;
mod shapes;
mod version;

use crate::client::Request;
use crate::harness::Gateway;
use crate::pair::{CLIENTS, Client};
use crate::samples::{LISTEN, provider};
use crate::upstream::{Provider, Seen};
use gaud::request::endpoint::pattern::fit;
use gaud::request::endpoint::table::{Meaning, ROWS, Row};
use std::sync::OnceLock;

/// What may stand before a path.
const BASES: [&str; 2] = ["", "/api/litellm"];

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const KEYS: [(&str, &str); 2] = [("KEY_OF_HOME", "sk-of-home"), ("KEY_OF_AWAY", "sk-of-away")];

struct Setup {
    gateway: Gateway,
    home: Provider,
    away: Provider,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let (home, away) = (Provider::start(), Provider::start());
        let tables = [
            provider(
                "home",
                &home.url(),
                &[
                    "api_key = \"os.environ/KEY_OF_HOME\"",
                    "headers = { \"x-own\" = \"of-home\" }",
                    "models = [\"listed\"]",
                ],
            ),
            provider(
                "away",
                &format!("{}/base", away.url()),
                &[
                    "api_key = \"os.environ/KEY_OF_AWAY\"",
                    "auth = \"x-api-key\"",
                    "headers = { \"x-own\" = \"of-away\", \"x-more\" = \"more\" }",
                ],
            ),
        ];
        let toml = format!("{LISTEN}default_provider = \"home\"\n{}", tables.concat());
        Setup { gateway: Gateway::start(&toml, &KEYS), home, away }
    })
}

impl Setup {
    /// Sends a request over both protocols and below all base paths; it must reach `provider` each
    /// time. What it has seen.
    #[track_caller]
    fn reaches(&self, provider: &str, case: &str, request: &Request) -> Vec<Seen> {
        let server = if provider == "home" { &self.home } else { &self.away };
        let mut all = Vec::new();
        for (client, base) in every_way() {
            let case = format!("{case} below {base:?} {client:?}");
            let mut request = request.clone().case(&case);
            request.path.splice(..0, base.bytes());
            let response = client.send(&self.gateway, &request);
            assert_eq!(response.status, 200, "{case}: {}", response.text());
            assert_eq!(response.headers.all("x-gaud-provider"), [provider], "{case}");
            all.push(server.wait(&case));
            assert_eq!(self.home.seen(&case).len() + self.away.seen(&case).len(), 1, "{case}");
        }
        all
    }
}

fn every_way() -> impl Iterator<Item = (Client, &'static str)> {
    CLIENTS.into_iter().flat_map(|client| BASES.map(|base| (client, base)))
}

/// A row's path with this model.
fn path(row: &Row, model: &str) -> String {
    let path = row.path.replace("{model}", model).replace("{id}", "some-id");
    path.replace("{verb}", "generateContent").replace('*', "x/y")
}

/// The methods of a row, those that an earlier row takes apart.
fn methods(row: &Row) -> Vec<&'static str> {
    let path = path(row, "m");
    let first = |method: &str| {
        let takes = |row: &&Row| row.method.is_empty() || row.method == method;
        ROWS.iter().filter(takes).find(|row| fit(row.path, &path).is_some())
    };
    let is_own = |method: &&str| first(method).is_some_and(|found| found.path == row.path);
    let methods: Vec<_> = METHODS.into_iter().filter(is_own).collect();
    assert!(!methods.is_empty(), "no method reaches {}", row.path);
    methods
}

/// The rows that go to a provider, each with its methods.
fn rows() -> impl Iterator<Item = (&'static Row, &'static str)> {
    let theirs = ROWS.iter().filter(|row| !matches!(row.meaning, Meaning::Local(_)));
    theirs.flat_map(|row| methods(row).into_iter().map(move |method| (row, method)))
}

/// A request with a JSON body, where the method may have one.
fn request(method: &str, path: impl AsRef<[u8]>, body: &str) -> Request {
    match method {
        "GET" | "DELETE" => Request::new(method, path),
        _ => Request { method: method.to_owned(), ..Request::post(path, body) },
    }
}

/// A row's request for a model, wherever the row has it.
fn asking(row: &Row, method: &str, model: &str) -> Request {
    let mut path = path(row, model);
    if row.meaning == Meaning::Query {
        path += &format!("?model={model}");
    }
    request(method, path, &format!(r#"{{"n": 1, "model": "{model}"}}"#))
}
