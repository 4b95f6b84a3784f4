//! Lists of models: how providers are asked for them, and what clients get.

mod documents;
mod faults;
mod large;
mod listed_names;
mod merged;
mod schedule;
mod timing;
mod under_way;

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{health, metric};
use crate::kit::samples::provider;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The head of a configuration; Envoy is told the number of its workers.
const LISTEN: &str =
    "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nallow_hosts = [\"gateway\"]\n";

const DISCOVER: &str = "discover_models = true";

/// How often a worker looks whether a provider is due.
const TICK: Duration = Duration::from_secs(1);

/// A provider that is asked for its models, and its gateway.
struct Site {
    name: String,
    gateway: Arc<Gateway>,
    server: Provider,
    started: Instant,
}

impl Site {
    /// Starts one whose provider `p` lists `body`, asked once in each interval.
    fn start(interval_secs: u32, workers: usize, body: impl AsRef<[u8]>) -> Self {
        Self::start_all(interval_secs, workers, &["p"], body).remove(0)
    }

    /// The same with several providers of one gateway.
    fn start_all(
        interval_secs: u32,
        workers: usize,
        names: &[&str],
        body: impl AsRef<[u8]>,
    ) -> Vec<Self> {
        let servers: Vec<_> = names.iter().map(|_| Provider::start()).collect();
        servers.iter().for_each(|server| server.always("", 200, body.as_ref()));
        let urls: Vec<_> = servers.iter().map(Provider::url).collect();
        let providers: Vec<_> =
            names.iter().copied().zip(urls.iter().map(String::as_str)).collect();
        let gateway = Arc::new(discovering_all(interval_secs, workers, &providers));
        let started = Instant::now();
        let site = |(name, server): (&&str, Provider)| {
            let (name, gateway) = ((*name).to_owned(), gateway.clone());
            Self { name, gateway, server, started }
        };
        names.iter().zip(servers).map(site).collect()
    }

    /// How often the provider was asked: what its server sees of that has no case.
    fn asked(&self) -> usize {
        self.server.seen("").len()
    }

    /// Answers with this from now on, and waits until the gateway has read it.
    fn answer(&self, status: u16, body: impl Into<Vec<u8>>) {
        self.server.always("", status, body);
        let asked = self.asked();
        wait::until_true("two more questions", || self.asked() >= asked + 2);
    }

    fn wait_for_models(&self, count: usize) {
        wait_for_models(&self.gateway, count);
    }

    /// Waits until that has been logged of the provider, and nothing else.
    #[track_caller]
    fn wait_for_logged(&self, expected: &[String]) {
        wait_for_logged_of(&self.gateway, &self.name, expected);
    }
}

/// A gateway whose provider `p` is asked once in each interval.
fn discovering(interval_secs: u32, workers: usize, url: &str) -> Gateway {
    discovering_all(interval_secs, workers, &[("p", url)])
}

fn discovering_all(interval_secs: u32, workers: usize, providers: &[(&str, &str)]) -> Gateway {
    let tables: String =
        providers.iter().map(|(name, url)| provider(name, url, &[DISCOVER])).collect();
    // Tests ask for long lists as fast as they can.
    let settings =
        format!("discover_interval_secs = {interval_secs}\nlists_limit_bytes = 1073741824\n");
    Gateway::with_workers(workers, &format!("{LISTEN}{settings}{tables}"))
}

/// A list as OpenAI writes it.
fn list(ids: &[&str]) -> String {
    let data: Vec<_> = ids.iter().map(|id| json!({"id": id, "object": "model"})).collect();
    json!({"object": "list", "data": data}).to_string()
}

/// A list of `count` models, each with this prefix.
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

fn wait_for_models(gateway: &Gateway, count: usize) {
    wait::until_true("the list", || health(gateway, "p")["models"] == count);
}

/// Waits until each of these providers has listed its models.
fn wait_until_listed(gateway: &Gateway, providers: &[&str]) {
    let has_listed = |name: &&str| health(gateway, name)["models_age_secs"].is_u64();
    wait::until_true("all lists", || providers.iter().all(has_listed));
}

fn discoveries(gateway: &Gateway, result: &str) -> u64 {
    let name = format!(r#"gaud_discoveries_total{{provider="p",result="{result}"}}"#);
    metric(gateway, &name)
}

/// What the filter has logged of a provider, without time and place.
fn logged(gateway: &Gateway, name: &str) -> Vec<String> {
    let start = format!("gaud: provider {name}");
    let logs = gateway.logs();
    let told = |line: &str| Some(line[line.find(&start)?..].to_owned());
    logs.lines().filter_map(told).collect()
}

/// Waits until that has been logged of the provider `p`, and nothing else.
#[track_caller]
fn wait_for_logged(gateway: &Gateway, expected: &[String]) {
    wait_for_logged_of(gateway, "p", expected);
}

#[track_caller]
fn wait_for_logged_of(gateway: &Gateway, name: &str, expected: &[String]) {
    wait::until_true("a line in the log", || logged(gateway, name).len() >= expected.len());
    assert_eq!(logged(gateway, name), expected);
}
