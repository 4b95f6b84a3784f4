//! Every row of the table of endpoints, as the table itself has it: a new row is tested without a new test.
//!
//! What the suites below share: the rows with a path to each, and a gateway with two providers,
//! `home`, which is the default, and `away`.

mod credentials;
mod rows;
mod shapes;
mod version;

use crate::kit::client::{CLIENTS, Client, Request};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Provider, Seen};
use gaud::request::endpoint::fit_row;
use gaud::request::endpoint::pattern::Case;
use gaud::request::endpoint::table::{Meaning, ROWS, Row};
use std::sync::OnceLock;

/// The base paths.
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
                    "headers = { \"x-both\" = \"of-home\" }",
                    "models = [\"listed\"]",
                ],
            ),
            provider(
                "away",
                &format!("{}/base", away.url()),
                &[
                    "api_key = \"os.environ/KEY_OF_AWAY\"",
                    "auth = \"x-api-key\"",
                    "headers = { \"x-both\" = \"of-away\", \"x-more\" = \"more\" }",
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
        let takes = |row: &&Row| row.takes(method.as_bytes());
        ROWS.iter().filter(takes).find(|row| fit_row(row, &path, Case::Exact).is_some())
    };
    let is_same = |found: &Row| (found.path, found.method) == (row.path, row.method);
    let is_rows = |method: &&str| first(method).is_some_and(is_same);
    let methods: Vec<_> = METHODS.into_iter().filter(is_rows).collect();
    assert!(!methods.is_empty(), "no method reaches {}", row.path);
    methods
}

/// The rows that go to a provider, each with its methods.
fn rows() -> impl Iterator<Item = (&'static Row, &'static str)> {
    let is_theirs = |row: &&Row| !matches!(row.meaning, Meaning::Local(_) | Meaning::Unreadable);
    let theirs = ROWS.iter().filter(is_theirs);
    theirs.flat_map(|row| methods(row).into_iter().map(move |method| (row, method)))
}

/// A request with a JSON body, where the method may have one.
fn request(method: &str, path: impl AsRef<[u8]>, body: &str) -> Request {
    match method {
        "GET" => Request::new(method, path),
        _ => Request { method: method.to_owned(), ..Request::post(path, body) },
    }
}

/// A row's request for a model, wherever the row has it.
fn asking(row: &Row, method: &str, model: &str) -> Request {
    let mut path = path(row, model);
    if matches!(row.meaning, Meaning::Query | Meaning::QueryOrMessage) {
        path += &format!("?model={model}");
    }
    match row.meaning {
        Meaning::Nested => request(method, path, r#"{"n": 1}"#),
        _ => request(method, path, &format!(r#"{{"n": 1, "model": "{model}"}}"#)),
    }
}

/// Whether the default provider gets a row's requests, whatever their model.
fn stays_home(row: &Row) -> bool {
    matches!(row.meaning, Meaning::NoModel | Meaning::Nested)
}
