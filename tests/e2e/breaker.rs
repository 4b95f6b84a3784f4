//! A provider that fails is left alone, on every worker alike, and comes back by itself.
//!
//! What the suites below share: a provider's breaker as `/health` shows it, its metrics, and
//! requests that tell one provider from another.

mod checks;
mod crowd;
mod grpc;
mod late;
mod leaving;
mod many;
mod neutral;
mod opening;
mod restart;
mod stalling;
mod status;
mod streams;

use crate::client::{Request, Response, h1};
use crate::harness::{Gateway, wait};
use crate::upstream::{Answer, Provider};
use serde_json::Value;
use std::fmt::Write;

/// The head of a configuration; Envoy is told the number of its workers.
const LISTEN: &str = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";

/// A provider's table with its breaker's settings.
fn provider(name: &str, url: &str, breaker: &str, settings: &[&str]) -> String {
    let mut table = format!("[providers.{name}]\nurl = \"{url}\"\nbreaker = {{ {breaker} }}\n");
    for setting in settings {
        writeln!(table, "{setting}").expect("a string");
    }
    table
}

/// A chat request to a provider; its case is the provider.
fn request(name: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{name}:m","stream":true}}"#)).case(name)
}

/// A gateway and the providers behind it, each with a breaker of its own, on one server.
struct Site {
    gateway: Gateway,
    server: Provider,
}

impl Site {
    /// Starts one whose providers all have these settings of the breaker.
    fn start(workers: usize, breaker: &str, names: &[&str]) -> Self {
        let server = Provider::start();
        let table = |name: &&str| provider(name, &server.url(), breaker, &[]);
        let tables: String = names.iter().map(table).collect();
        Self { gateway: Gateway::with_workers(workers, &format!("{LISTEN}{tables}")), server }
    }

    fn ask(&self, name: &str) -> Response {
        h1::exchange(self.gateway.addr(), &request(name))
    }

    /// Lets a request to a provider be answered with this status.
    fn answer(&self, name: &str, status: u16) {
        self.server.script(name, Answer::new(status, "text/plain", "scripted"));
        assert_eq!(self.ask(name).status, status, "{name}");
    }

    /// Lets a provider fail until its breaker is open.
    fn open(&self, name: &str, failures: usize) {
        for _ in 0..failures {
            self.answer(name, 500);
        }
        assert_eq!(self.health(name)["breaker"], "open", "{name}");
    }

    fn health(&self, name: &str) -> Value {
        health(&self.gateway, name)
    }

    /// Waits until the next request to an open provider would be let through.
    fn wait_until_due(&self, name: &str) {
        let due = || self.health(name).get("retry_after_secs").is_none();
        wait::until_true("the end of the open time", due);
    }

    /// Waits until so many requests to a provider have had this outcome.
    fn wait_for(&self, name: &str, outcome: &str, count: u64) {
        wait_for_metric(&self.gateway, &requests(name, outcome), count);
    }
}

/// A provider in `/health`.
pub(crate) fn health(gateway: &Gateway, name: &str) -> Value {
    let response = h1::exchange(gateway.addr(), &Request::new("GET", "/health"));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["providers"][name].clone()
}

pub(crate) fn breaker_is(gateway: &Gateway, name: &str, state: &str) -> bool {
    health(gateway, name)["breaker"] == state
}

pub(crate) fn requests(name: &str, outcome: &str) -> String {
    format!(r#"gaud_requests_total{{outcome="{outcome}",provider="{name}"}}"#)
}

fn probes(name: &str, outcome: &str) -> String {
    format!(r#"gaud_probes_total{{outcome="{outcome}",provider="{name}"}}"#)
}

pub(crate) fn transitions(name: &str, to: &str) -> String {
    format!(r#"gaud_breaker_transitions_total{{provider="{name}",to="{to}"}}"#)
}

pub(crate) fn metric(gateway: &Gateway, name: &str) -> u64 {
    let metrics = gateway.admin().metrics();
    *metrics.get(name).unwrap_or_else(|| panic!("no {name} among {:#?}", metrics.keys()))
}

/// Waits until a metric has come to a value, and fails at once where it is past it.
#[track_caller]
pub(crate) fn wait_for_metric(gateway: &Gateway, name: &str, expected: u64) {
    wait::until_true(name, || {
        let found = metric(gateway, name);
        assert!(found <= expected, "{name} is {found}, not {expected}");
        found == expected
    });
}
