//! Active checks: asked by one worker at a time, and only where there is a `health_path`.

use super::{LISTEN, provider, request};
use crate::kit::client::h1;
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{checks, health, metric, wait_for_metric};
use crate::kit::upstream::raw::{Act, Closed, Raw};
use crate::kit::upstream::{Answer, Provider};
use std::time::{Duration, Instant};

const BREAKER: &str = "failures = 1, open_secs = 30";

/// The time from one check to the next, and the longest that a check may take.
const INTERVAL: Duration = Duration::from_secs(3);

/// How late a check may arrive on a busy machine. A second worker would check within a second.
const SLACK: Duration = Duration::from_secs(1);

/// Providers that answer checks in all ways. What their server sees has no case but its path.
struct Checked {
    gateway: Gateway,
    server: Provider,
    silent: Raw,
    unasked: Raw,
    _closed: Closed,
}

fn start() -> Checked {
    let (server, closed) = (Provider::start(), Closed::bind());
    let silent = Raw::start(vec![Act::ReadRequest, Act::ReadOn]);
    let cut = Raw::start(vec![Act::ReadRequest, Act::Send(HALF)]);
    let unasked = Raw::start(vec![Act::ReadRequest, Act::Send(OK)]);
    let url = server.url();
    let tables = [
        provider("litellm", &url, BREAKER, &["discover_models = false"]),
        provider("based", &format!("{url}/base/v1"), BREAKER, &["health_path = \"/up\""]),
        provider("refuses", &closed.url(), BREAKER, &["health_path = \"/h\""]),
        provider("silent", &silent.url(), BREAKER, &["health_path = \"/h\""]),
        provider("cut", &cut.url(), BREAKER, &["health_path = \"/h\""]),
        provider("none", &unasked.url(), BREAKER, &[]),
        provider("empty", &unasked.url(), BREAKER, &["health_path = \"\""]),
    ];
    server.script("", Answer::new(200, "text/plain", "I'm alive!"));
    let interval = format!("health_interval_secs = {}\n", INTERVAL.as_secs());
    let gateway = Gateway::with_workers(4, &format!("{LISTEN}{interval}{}", tables.concat()));
    Checked { gateway, server, silent, unasked, _closed: closed }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1234";

impl Checked {
    /// When the server was asked for a path.
    fn times(&self, path: &str) -> Vec<Instant> {
        let seen = self.server.seen("");
        let asked = seen.iter().filter(|seen| seen.method == "GET" && seen.path == path);
        asked.map(|seen| seen.arrived).collect()
    }
}

#[test]
fn each_provider_is_checked_by_one_of_four_workers() {
    let checked = start();
    let gateway = &checked.gateway;
    wait_for_metric(gateway, &checks("silent", "failed"), 1);
    assert!(checked.silent.arrivals()[0].elapsed() + SLACK >= INTERVAL, "it was given its time");
    let times = || {
        let [based, litellm] = ["/base/up", "/health/liveliness"].map(|path| checked.times(path));
        [based, litellm, checked.silent.arrivals()]
    };
    // Every worker looks at its clock several times until then.
    wait::until_true("the third checks", || times().iter().all(|times| times.len() >= 3));
    for pair in times().iter().flat_map(|times| times.windows(2)) {
        let apart = pair[1] - pair[0];
        assert!(apart + SLACK >= INTERVAL, "{apart:?} apart");
    }
    assert_eq!(checked.unasked.connections(), 0);
    counted(&checked);
    shown(gateway);
    one_that_passes_closes_nothing(&checked);
    gateway.assert_no_trap();
}

fn counted(checked: &Checked) {
    for (name, path) in [("litellm", "/health/liveliness"), ("based", "/base/up")] {
        let passed = || metric(&checked.gateway, &checks(name, "passed"));
        wait::until_true(name, || passed() == checked.times(path).len() as u64);
    }
    let counts = |name, result| metric(&checked.gateway, &checks(name, result));
    for name in ["refuses", "silent", "cut"] {
        assert!(counts(name, "failed") >= 1, "{name}");
    }
    for (name, results) in [
        ("litellm", &["failed"][..]),
        ("based", &["failed"]),
        ("refuses", &["passed"]),
        ("silent", &["passed"]),
        ("cut", &["passed"]),
        ("none", &["passed", "failed"]),
        ("empty", &["passed", "failed"]),
    ] {
        results.iter().for_each(|result| assert_eq!(counts(name, result), 0, "{name} {result}"));
    }
}

fn one_that_passes_closes_nothing(checked: &Checked) {
    let gateway = &checked.gateway;
    checked.server.script("based", Answer::new(500, "text/plain", ""));
    assert_eq!(h1::exchange(gateway.addr(), &request("based")).status, 500);
    let before = metric(gateway, &checks("based", "passed"));
    wait::until_true("a check that passes", || {
        metric(gateway, &checks("based", "passed")) > before + 1
    });
    let health = health(gateway, "based");
    assert_eq!((&health["health"], &health["breaker"]), (&"up".into(), &"open".into()));
}

/// A failing check is a failure, and one is enough for these breakers.
fn shown(gateway: &Gateway) {
    for (name, state, breaker) in [
        ("litellm", "up", "closed"),
        ("based", "up", "closed"),
        ("refuses", "down", "open"),
        ("silent", "down", "open"),
        ("cut", "down", "open"),
        ("none", "unknown", "closed"),
        ("empty", "unknown", "closed"),
    ] {
        let health = health(gateway, name);
        assert_eq!((&health["health"], &health["breaker"]), (&state.into(), &breaker.into()));
        let status = h1::exchange(gateway.addr(), &request(name)).status;
        assert_eq!(status, if breaker == "open" { 503 } else { 200 }, "{name}");
    }
}
