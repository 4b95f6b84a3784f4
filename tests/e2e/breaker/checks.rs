//! Active checks: asked by one worker at a time, and only where there is a `health_path`.

use super::{LISTEN, health, metric, provider, request, wait_for_metric};
use crate::client::h1;
use crate::harness::{Gateway, wait};
use crate::upstream::raw::{Act, Closed, Raw};
use crate::upstream::{Answer, Provider};
use std::time::{Duration, Instant};

const BREAKER: &str = "failures = 1, open_secs = 30";

/// A check of a provider that says nothing takes so long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// From one check to the next.
const INTERVAL: Duration = Duration::from_secs(15);

/// How often a worker looks whether a check is due.
const TICK: Duration = Duration::from_secs(1);

/// Providers that answer checks in all ways. What their server sees has no case but its path.
struct Checked {
    gateway: Gateway,
    server: Provider,
    silent: Raw,
    unasked: Raw,
    started: Instant,
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
    let started = Instant::now();
    let gateway = Gateway::with_workers(4, &format!("{LISTEN}{}", tables.concat()));
    Checked { gateway, server, silent, unasked, started, _closed: closed }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1234";

fn checks(name: &str, result: &str) -> String {
    format!(r#"gaud_checks_total{{provider="{name}",result="{result}"}}"#)
}

#[test]
fn each_provider_is_checked_by_one_of_four_workers() {
    let checked = start();
    let gateway = &checked.gateway;
    wait::until_true("the first checks", || checked.server.seen("").len() >= 2);
    println!("checks: the first ones {:?} after the start", checked.started.elapsed());
    // Every worker has looked at its clock several times until then.
    wait_for_metric(gateway, &checks("silent", "failed"), 1);
    assert!(checked.started.elapsed() >= TIMEOUT);
    let seen = checked.server.seen("");
    let mut paths: Vec<_> = seen.iter().map(|seen| (&*seen.method, &*seen.path)).collect();
    paths.sort_unstable();
    assert_eq!(paths, [("GET", "/base/up"), ("GET", "/health/liveliness")]);
    assert_eq!((checked.silent.connections(), checked.unasked.connections()), (1, 0));
    counted(gateway);
    shown(gateway);
    the_next_ones(&checked);
    gateway.assert_no_trap();
}

/// An interval later there is one check more of each, and one that passes closes nothing.
fn the_next_ones(checked: &Checked) {
    let (server, gateway) = (&checked.server, &checked.gateway);
    server.script("based", Answer::new(500, "text/plain", ""));
    assert_eq!(h1::exchange(gateway.addr(), &request("based")).status, 500);
    wait_for_metric(gateway, &checks("based", "passed"), 2);
    let (first, second) = (checked.started, Instant::now());
    assert!(second - first >= INTERVAL, "{:?}", second - first);
    wait::until_true("a look of every worker", || second.elapsed() > TICK * 2);
    assert_eq!(server.seen("").len(), 4);
    assert_eq!((checked.silent.connections(), checked.unasked.connections()), (2, 2));
    let health = health(gateway, "based");
    assert_eq!((&health["health"], &health["breaker"]), (&"up".into(), &"open".into()));
}

fn counted(gateway: &Gateway) {
    for (name, passed, failed) in [
        ("litellm", 1, 0),
        ("based", 1, 0),
        ("refuses", 0, 1),
        ("silent", 0, 1),
        ("cut", 0, 1),
        ("none", 0, 0),
        ("empty", 0, 0),
    ] {
        assert_eq!(metric(gateway, &checks(name, "passed")), passed, "{name}");
        assert_eq!(metric(gateway, &checks(name, "failed")), failed, "{name}");
    }
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
