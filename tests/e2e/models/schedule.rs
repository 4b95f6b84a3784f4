//! When a provider is asked, by whom, and with what.

use super::{DISCOVER, LISTEN, Site, TICK, discoveries, get, list, names, wait_for_models};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::samples::provider;
use crate::kit::upstream::{Answer, Gate, Provider};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn a_provider_is_asked_at_the_start_by_one_of_four_workers() {
    let site = Site::start(300, 4, list(&["m"]));
    site.wait_for_models(1);
    println!("lists: the first one {:?} after the start", site.started.elapsed());
    let listed = Instant::now();
    wait::until_true("a look of every worker", || listed.elapsed() > TICK * 3);
    assert_eq!((site.asked(), discoveries(&site.gateway, "passed")), (1, 1));
    assert_eq!(names(&site.gateway), ["p:m"]);
    site.gateway.assert_no_trap();
}

#[test]
fn no_worker_asks_while_another_waits_for_the_answer() {
    let (server, gate) = (Provider::start(), Gate::closed());
    server.always("", 200, list(&["m"]));
    server.script("", Answer::new(200, "application/json", list(&["m"])).held_by(&gate));
    let gateway = super::discovering(1, 4, &server.url());
    wait::until_true("the first question", || server.seen("").len() == 1);
    let asked = Instant::now();
    wait::until_true("a look of every worker", || asked.elapsed() > TICK * 3);
    assert_eq!(server.seen("").len(), 1);
    gate.open();
    wait_for_models(&gateway, 1);
    wait::until_true("the next question", || server.seen("").len() == 2);
    gateway.assert_no_trap();
}

#[test]
fn a_provider_is_asked_again_after_the_interval() {
    let site = Site::start(3, 4, list(&["a"]));
    site.wait_for_models(1);
    let first = Instant::now();
    site.server.always("", 200, list(&["b", "c"]));
    site.wait_for_models(2);
    let waited = first.elapsed();
    assert!(waited > Duration::from_millis(2900), "{waited:?}");
    assert!(waited < Duration::from_secs(3) + TICK * 3, "{waited:?}");
    assert_eq!((site.asked(), discoveries(&site.gateway, "passed")), (2, 2));
    assert_eq!(names(&site.gateway), ["p:b", "p:c"]);
    site.gateway.assert_no_trap();
}

#[test]
fn a_client_can_request_a_refresh() {
    let site = Site::start(300, 2, list(&["a"]));
    site.wait_for_models(1);
    let first = Instant::now();
    site.server.always("", 200, list(&["b", "c"]));
    for _ in 0..20 {
        let response =
            h1::exchange(site.gateway.addr(), &Request::post("/api/models", "{}").case("client"));
        let message = "The providers are being asked for their models; count is what is known now.";
        assert_eq!(response.json(), json!({"success": true, "message": message, "count": 1}));
    }
    site.wait_for_models(2);
    println!("lists: asked anew {:?} after the one before", first.elapsed());
    let listed = Instant::now();
    wait::until_true("a look of every worker", || listed.elapsed() > TICK * 2);
    assert_eq!(site.asked(), 2);
    assert!(site.server.seen("client").is_empty(), "a client's request reached the provider");
    site.gateway.assert_no_trap();
}

/// A gateway whose providers are asked in all ways.
fn all_ways(server: &Provider) -> Gateway {
    let url = server.url();
    let headers =
        "headers = { \"anthropic-version\" = \"2023-06-01\", \"x-team\" = \"os.environ/TEAM\" }";
    let tables = [
        provider(
            "bearer",
            &format!("{url}/bearer/v1"),
            &["api_key = \"os.environ/KEY\"", DISCOVER],
        ),
        provider("plain", &format!("{url}/plain"), &[DISCOVER]),
        provider(
            "claude",
            &format!("{url}/claude"),
            &["auth = \"x-api-key\"", "api_key = \"os.environ/KEY\"", headers, DISCOVER],
        ),
        provider("two", &format!("{url}/two"), &["http2 = true", DISCOVER]),
        provider("unasked", &format!("{url}/unasked"), &[]),
        provider("litellm", &format!("{url}/litellm"), &["health_path = \"\""]),
    ];
    let environment = [("KEY", "sk-1"), ("TEAM", "blue")];
    Gateway::start(&format!("{LISTEN}workers = 2\n{}", tables.concat()), &environment)
}

#[test]
fn discovery_sends_only_the_providers_credential_and_headers() {
    let server = Provider::start();
    server.always("", 200, list(&["m"]));
    let gateway = all_ways(&server);
    wait::until_true("all lists", || names(&gateway).len() == 5);
    let seen = server.seen("");
    assert_eq!(seen.len(), 5);
    for (path, further) in [
        ("/bearer/v1/models", &[("authorization", "Bearer sk-1")][..]),
        ("/plain/v1/models", &[]),
        (
            "/claude/v1/models?limit=1000",
            &[("anthropic-version", "2023-06-01"), ("x-api-key", "sk-1"), ("x-team", "blue")],
        ),
        ("/two/v1/models", &[]),
        ("/litellm/v1/models", &[]),
    ] {
        let found = seen.iter().find(|seen| seen.path == path);
        let found = found.unwrap_or_else(|| panic!("no {path}: {seen:?}"));
        assert_eq!((&*found.method, found.http2), ("GET", path.starts_with("/two")));
        let mut headers: Vec<_> = found
            .headers
            .0
            .iter()
            .map(|(name, value)| (&**name, std::str::from_utf8(value).expect("text")))
            .collect();
        // Envoy adds these to the calls of filters.
        headers.retain(|(name, _)| !name.starts_with("x-envoy-"));
        headers.sort_unstable();
        let host = server.addr().to_string();
        let agent = format!("gaud/{}", env!("CARGO_PKG_VERSION"));
        let mut expected = [further, &[("host", &host), ("user-agent", &agent)]].concat();
        expected.sort_unstable();
        assert_eq!(headers, expected, "{path}");
    }
    assert_eq!(get(&gateway, "/api/models").json().as_array().map(Vec::len), Some(5));
    gateway.assert_no_trap();
}
