//! A provider that fails gets no requests, from any worker, until a probe shows that it has recovered.
//!
//! What the suites below share: a provider's breaker as `/health` shows it, its metrics, and
//! requests that tell one provider from another.

mod checks;
mod client_leaves;
mod credential;
mod crowd;
mod grpc;
mod late_outcomes;
mod many_providers;
mod models;
mod neutral;
mod opening;
mod probe_places;
mod probe_streams;
mod restart;
mod shortage;
mod stalled_streams;
mod status;
mod tunnels;
mod vm_trap;

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Gateway;
use crate::kit::observe::{self, requests, wait_for_metric};
use crate::kit::upstream::{Answer, Provider};
use serde_json::Value;
use std::fmt::Write;
use std::net::Ipv4Addr;

/// The head of a configuration; Envoy is told the number of its workers.
const LISTEN: &str =
    "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nallow_hosts = [\"gateway\"]\n";

/// A provider's table with its breaker's settings. It needs no credential, unless the settings have one.
fn provider(name: &str, url: &str, breaker: &str, settings: &[&str]) -> String {
    let mut table = format!("[providers.{name}]\nurl = \"{url}\"\nbreaker = {{ {breaker} }}\n");
    if !settings.iter().any(|setting| setting.starts_with("auth") || setting.starts_with("api_key"))
    {
        table += "auth = \"none\"\n";
    }
    for setting in settings {
        writeln!(table, "{setting}").expect("a string");
    }
    table
}

/// A chat request to a provider; its case is the provider.
fn request(name: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{name}:m","stream":true}}"#)).case(name)
}

/// A second address of clients.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A gateway and its providers, each with a breaker, on one server.
struct Site {
    gateway: Gateway,
    server: Provider,
}

impl Site {
    /// Starts one whose providers all have these settings of the breaker.
    fn start(workers: usize, breaker: &str, names: &[&str]) -> Self {
        Self::start_with("", workers, breaker, names)
    }

    /// The same with settings of the gateway.
    fn start_with(settings: &str, workers: usize, breaker: &str, names: &[&str]) -> Self {
        let server = Provider::start();
        let table = |name: &&str| provider(name, &server.url(), breaker, &[]);
        let tables: String = names.iter().map(table).collect();
        Self {
            gateway: Gateway::with_workers(workers, &format!("{LISTEN}{settings}{tables}")),
            server,
        }
    }

    fn ask(&self, name: &str) -> Response {
        h1::exchange(self.gateway.addr(), &request(name))
    }

    /// The same from another address than that of the other clients.
    fn ask_from_elsewhere(&self, name: &str) -> Response {
        let mut client = h1::Connection::open_from(ELSEWHERE, self.gateway.addr());
        client.send_request(&request(name));
        client.response()
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
        observe::health(&self.gateway, name)
    }

    /// Waits until the next request to an open provider would be let through.
    fn wait_until_due(&self, name: &str) {
        observe::wait_until_due(&self.gateway, name);
    }

    /// Waits until `count` requests to a provider have had this outcome.
    fn wait_for(&self, name: &str, outcome: &str, count: u64) {
        wait_for_metric(&self.gateway, &requests(name, outcome), count);
    }
}
