//! Lists of models: how providers are asked for them, and what clients get.

mod documents;
mod faults;
mod large;
mod merged;
mod schedule;
mod timing;

use crate::client::{Request, Response, h1};
use crate::harness::{Gateway, wait};
use crate::samples::provider;
use crate::upstream::Provider;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The head of a configuration; Envoy is told the number of its workers.
const LISTEN: &str = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";

const DISCOVER: &str = "discover_models = true";

/// How often a worker looks whether a provider is due.
const TICK: Duration = Duration::from_secs(1);

/// A gateway with one provider `p` that is asked for its models.
struct Site {
    gateway: Gateway,
    server: Provider,
    started: Instant,
}

impl Site {
    /// Starts one whose provider lists `body`, asked so often.
    fn start(interval_secs: u32, workers: usize, body: impl Into<Vec<u8>>) -> Self {
        let server = Provider::start();
        server.always("", 200, body);
        let gateway = discovering(interval_secs, workers, &server.url());
        Self { gateway, server, started: Instant::now() }
    }

    /// How often the provider was asked: what its server sees of that has no case.
    fn asked(&self) -> usize {
        self.server.seen("").len()
    }

    /// Answers from now on so, and waits until that was read.
    fn answer(&self, status: u16, body: impl Into<Vec<u8>>) {
        self.server.always("", status, body);
        let asked = self.asked();
        wait::until_true("two more questions", || self.asked() >= asked + 2);
    }

    fn wait_for_models(&self, count: usize) {
        wait_for_models(&self.gateway, count);
    }
}

fn discovering(interval_secs: u32, workers: usize, url: &str) -> Gateway {
    let table = provider("p", url, &[DISCOVER]);
    let interval = format!("discover_interval_secs = {interval_secs}\n");
    Gateway::with_workers(workers, &format!("{LISTEN}{interval}{table}"))
}

/// A list as OpenAI writes it.
fn list(ids: &[&str]) -> String {
    let data: Vec<_> = ids.iter().map(|id| json!({"id": id, "object": "model"})).collect();
    json!({"object": "list", "data": data}).to_string()
}

/// A list of so many models, each with this prefix.
fn long_list(count: usize, prefix: &str) -> String {
    let ids: Vec<_> = (0..count).map(|number| format!("{prefix}-{number:05}")).collect();
    list(&ids.iter().map(String::as_str).collect::<Vec<_>>())
}

fn get(gateway: &Gateway, path: &str) -> Response {
    h1::exchange(gateway.addr(), &Request::new("GET", path).case("client"))
}

/// The names in `GET /v1/models`.
fn names(gateway: &Gateway) -> Vec<String> {
    let response = get(gateway, "/v1/models");
    assert_eq!(response.status, 200, "{}", response.text());
    let document = response.json();
    let name = |entry: &Value| entry["id"].as_str().expect("an id").to_owned();
    document["data"].as_array().expect("a list").iter().map(name).collect()
}

/// A provider in `/health`.
fn health(gateway: &Gateway, name: &str) -> Value {
    get(gateway, "/health").json()["providers"][name].clone()
}

fn wait_for_models(gateway: &Gateway, count: usize) {
    wait::until_true("the list", || health(gateway, "p")["models"] == count);
}

fn discoveries(gateway: &Gateway, result: &str) -> u64 {
    let name = format!(r#"gaud_discoveries_total{{provider="p",result="{result}"}}"#);
    let metrics = gateway.admin().metrics();
    *metrics.get(&name).unwrap_or_else(|| panic!("no {name} among {:#?}", metrics.keys()))
}

/// What the filter has logged of a provider, without time and place.
fn logged(gateway: &Gateway, name: &str) -> Vec<String> {
    let start = format!("gaud: provider {name}");
    let logs = gateway.logs();
    let own = |line: &str| Some(line[line.find(&start)?..].to_owned());
    logs.lines().filter_map(own).collect()
}

/// Waits until that has been logged.
#[track_caller]
fn wait_for_logged(gateway: &Gateway, expected: &[String]) {
    wait::until_true("a line in the log", || logged(gateway, "p").len() >= expected.len());
    assert_eq!(logged(gateway, "p"), expected);
}
