//! Five hundred providers: everything as before, and how long it takes.

use super::{LISTEN, provider, request};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{metric, of_model, requests, transitions};
use crate::kit::upstream::{Answer, Provider};
use serde_json::Value;
use std::fmt::Debug;
use std::time::Instant;

const COUNT: usize = 500;

fn name(number: usize) -> String {
    format!("p{number:03}")
}

/// Prints how long something takes.
fn timed<T>(what: impl Debug, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = act();
    println!("{COUNT} providers: {what:?} took {:?}", start.elapsed());
    result
}

fn toml(server: &Provider) -> String {
    let table = |number| {
        let url = format!("{}/{}", server.url(), name(number));
        provider(&name(number), &url, "failures = 3, open_secs = 30", &["health_path = \"/up\""])
    };
    format!("{LISTEN}{}", (0..COUNT).map(table).collect::<String>())
}

#[test]
fn five_hundred_providers_are_served_and_checked() {
    let server = Provider::start();
    let toml = toml(&server);
    let yaml = timed("gaud render", || Gateway::render(&toml, &[])).expect("a configuration");
    println!("{COUNT} providers: {} kB of configuration", yaml.len() / 1000);
    let gateway = timed("Envoy's start", || Gateway::from_yaml(&yaml, &[], &[]));
    for number in [0, 250, COUNT - 1, COUNT - 1, COUNT - 1] {
        let name = name(number);
        server.script(&name, Answer::new(if number == 250 { 200 } else { 500 }, "text/plain", ""));
        timed("a request", || h1::exchange(gateway.addr(), &request(&name)));
    }
    timed("the rest of the first checks", || wait::until_true("all checks", || all_up(&gateway)));
    let health = timed("GET /health", || get(&gateway, "/health"));
    shown(&health);
    timed("GET /readyz", || get(&gateway, "/readyz"));
    let count = timed("/stats/prometheus", || gateway.admin().metrics().len());
    println!("{COUNT} providers: {count} metrics, {} MB", gateway.memory() / 1_000_000);
    assert_eq!(server.seen("").len(), COUNT, "one check of each");
    assert_eq!(metric(&gateway, &requests(&name(0), "failure")), 1);
    assert_eq!(metric(&gateway, &transitions(&name(COUNT - 1), "open")), 1);
    gateway.assert_no_trap();
}

fn get(gateway: &Gateway, path: &str) -> Value {
    let response = h1::exchange(gateway.addr(), &Request::new("GET", path));
    assert_eq!(response.status, 200, "{path}");
    response.json()
}

fn all_up(gateway: &Gateway) -> bool {
    let health = get(gateway, "/health");
    let mut providers = health["providers"].as_object().expect("providers").values();
    providers.all(|provider| provider["health"] == "up")
}

fn shown(health: &Value) {
    assert_eq!(health["status"], "degraded");
    let providers = health["providers"].as_object().expect("providers");
    assert_eq!(providers.len(), COUNT);
    for number in 0..COUNT {
        let (state, failures) = match number {
            0 => ("closed", 1),
            number if number == COUNT - 1 => ("open", 3),
            _ => ("closed", 0),
        };
        let shown = of_model(&providers[&name(number)]);
        assert_eq!(
            (&shown["breaker"], &shown["consecutive_failures"]),
            (&state.into(), &failures.into())
        );
    }
}
