//! What an operator sees: `/health` and `/readyz` through all states of a breaker, and metrics
//! whose number does not depend on what clients send.

use super::{LISTEN, Site, provider};
use crate::kit::client::{Request, h1, h2};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{metric, probes, requests, transitions, wait_for_metric};
use crate::kit::upstream::{Answer, Gate, Provider};
use serde_json::{Value, json};
use std::thread;

const BREAKER: &str = "failures = 3, open_secs = 2, successes = 2";

fn get(gateway: &Gateway, path: &str) -> (u16, Value) {
    let response = h1::exchange(gateway.addr(), &Request::new("GET", path));
    assert_eq!(response.header("content-type").as_deref(), Some("application/json"), "{path}");
    (response.status, response.json())
}

/// A provider in `/health` whose only model fails.
fn shown(breaker: &str, failures: u32, retry_after_secs: Option<u32>) -> Value {
    let mut model = json!({"model": "m", "breaker": breaker, "consecutive_failures": failures});
    if let Some(secs) = retry_after_secs {
        model["retry_after_secs"] = secs.into();
    }
    let mut shown = json!({
        "breaker": "closed", "consecutive_failures": 0, "health": "unknown", "models": 1
    });
    if (breaker, failures) != ("closed", 0) {
        shown["failing_models"] = json!([model]);
    }
    shown
}

/// The providers `p` and `q`, whose models are named.
fn start() -> Site {
    let server = Provider::start();
    let table = |name| provider(name, &server.url(), BREAKER, &["models = [\"m\"]"]);
    let toml = format!("{LISTEN}{}{}", table("p"), table("q"));
    Site { gateway: Gateway::with_workers(2, &toml), server }
}

/// Fails unless `/health` shows `p` so, and `q` closed.
#[track_caller]
fn assert_shown(site: &Site, status: &str, p: &Value) {
    let version = env!("CARGO_PKG_VERSION");
    let providers = json!({"p": p, "q": shown("closed", 0, None)});
    let document = json!({"status": status, "version": version, "providers": providers});
    let (code, mut seen) = get(&site.gateway, "/health");
    take_what_varies(&mut seen);
    assert_eq!((code, seen), (200, document));
}

/// Takes out the number of the configuration and the last error: it stays when its breaker is closed again.
#[track_caller]
fn take_what_varies(seen: &mut Value) {
    let configuration = seen["configuration"].take();
    assert_eq!(configuration.as_str().map(str::len), Some(16), "{configuration}");
    seen.as_object_mut().expect("an object").remove("configuration");
    let p = seen["providers"]["p"].as_object_mut().expect("a provider");
    let (error, age) = (p.remove("last_error"), p.remove("last_error_age_secs"));
    if let Some(error) = error {
        assert_eq!(error, "status 500");
        assert!(age.and_then(|age| age.as_u64()).expect("an age") < 60);
    }
}

fn gauge(site: &Site) -> u64 {
    let state = metric(&site.gateway, r#"gaud_model_breaker_state{model="m",provider="p"}"#);
    let count = metric(&site.gateway, r#"gaud_models_not_closed{provider="p"}"#);
    assert_eq!(count, u64::from(state > 0));
    assert_eq!(metric(&site.gateway, r#"gaud_breaker_state{provider="p"}"#), 0);
    state
}

#[test]
fn a_breaker_is_shown_in_all_its_states() {
    let site = start();
    assert_shown(&site, "ok", &shown("closed", 0, None));
    for failures in [1, 2] {
        site.answer("p", 500);
        assert_shown(&site, "ok", &shown("closed", failures, None));
    }
    site.answer("p", 500);
    assert_shown(&site, "degraded", &shown("open", 3, Some(2)));
    assert_eq!((site.ask("p").header("retry-after").as_deref(), gauge(&site)), (Some("2"), 1));
    let one_left = || site.health("p")["retry_after_secs"] == 1;
    wait::until_true("the last second", one_left);
    assert_eq!(site.ask("p").header("retry-after").as_deref(), Some("1"));
    site.wait_until_due("p");
    assert_shown(&site, "degraded", &shown("open", 3, None));
    half_open(&site);
    assert_eq!(site.ask("p").status, 200);
    assert_shown(&site, "ok", &shown("closed", 0, None));
    assert_eq!(gauge(&site), 0);
    counted(&site);
    site.gateway.assert_no_trap();
}

/// With a probe out, and without.
fn half_open(site: &Site) {
    let gate = Gate::closed();
    site.server.script("p", Answer::completion().held_by(&gate));
    thread::scope(|scope| {
        let probe = scope.spawn(|| site.ask("p").status);
        let out = || site.server.seen("p").len() == 4;
        wait::until_true("the probe", out);
        assert_shown(site, "degraded", &shown("half_open", 0, Some(1)));
        assert_eq!(gauge(site), 2);
        gate.open();
        assert_eq!(probe.join().expect("the probe's end"), 200);
    });
    assert_shown(site, "degraded", &shown("half_open", 0, None));
}

fn counted(site: &Site) {
    for (name, expected) in [
        (requests("p", "success"), 2),
        (requests("p", "failure"), 3),
        (requests("p", "rejected"), 2),
        (requests("q", "success"), 0),
        (probes("p", "success"), 2),
        (transitions("p", "open"), 1),
        (transitions("p", "half_open"), 1),
        (transitions("p", "closed"), 1),
        (r#"gaud_refused_total{code="provider_unavailable"}"#.to_owned(), 2),
        (r#"gaud_refused_total{code="model_not_found"}"#.to_owned(), 0),
    ] {
        wait_for_metric(&site.gateway, &name, expected);
    }
}

#[test]
fn the_gateway_is_ready_unless_all_breakers_are_open() {
    let site = Site::start(2, "failures = 1, open_secs = 2, models = 1", &["p", "q"]);
    let ready = (200, json!({"status": "ready"}));
    let unavailable = (503, json!({"status": "unavailable"}));
    assert_eq!(get(&site.gateway, "/readyz"), ready);
    site.open("p", 1);
    assert_eq!(get(&site.gateway, "/readyz"), ready);
    site.open("q", 1);
    assert_eq!(get(&site.gateway, "/readyz"), unavailable);
    assert_eq!(get(&site.gateway, "/healthz"), (200, json!({"status": "ok"})));
    site.wait_until_due("q");
    assert_eq!(site.ask("q").status, 200);
    assert_eq!(get(&site.gateway, "/readyz"), ready);
    site.gateway.assert_no_trap();
}

/// Who sends requests only to gateways that are ready would never send the one that closes it.
#[test]
fn the_gateway_is_ready_again_when_a_breaker_admits_a_probe() {
    let site = Site::start(2, "failures = 1, open_secs = 1, models = 1", &["p"]);
    site.open("p", 1);
    assert_eq!(get(&site.gateway, "/readyz").0, 503);
    site.wait_until_due("p");
    assert_eq!(get(&site.gateway, "/readyz").0, 200);
}

#[test]
fn clients_cannot_create_metrics() {
    let site = Site::start(2, BREAKER, &["p", "q"]);
    let names = || {
        let (metrics, stats) = (site.gateway.admin().metrics(), site.gateway.admin().stats());
        metrics.into_keys().chain(stats.into_keys()).collect::<Vec<_>>()
    };
    ask_for_models(&site, 0..2);
    let before = names();
    ask_for_models(&site, 2..1000);
    assert_eq!(names(), before);
    let code = r#"gaud_refused_total{code="model_not_found"}"#;
    assert_eq!(metric(&site.gateway, code), 500);
    wait_for_metric(&site.gateway, &requests("p", "success"), 500);
    site.gateway.assert_no_trap();
}

/// Every second model has no provider.
fn ask_for_models(site: &Site, numbers: std::ops::Range<usize>) {
    let clients = [0; 8].map(|_| h2::Connection::open(site.gateway.addr()));
    for (number, client) in numbers.zip(clients.iter().cycle()) {
        let (namespace, status) = if number % 2 == 0 { ("p", 200) } else { ("no", 404) };
        let request = Request::chat(format!(r#"{{"model":"{namespace}:model-{number}"}}"#));
        let response = client.exchange(&request);
        assert_eq!(response.status, status, "{}", response.text());
    }
}
