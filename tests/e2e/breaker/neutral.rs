//! Outcomes that say nothing about a provider, or nothing bad, must not count.
//!
//! Each provider has failed once and is left alone after the second failure. So one that counted
//! would open its breaker, and one that made the failure forgotten would show.

use super::{LISTEN, Site, request};
use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{health, metric, requests, wait_for_metric};
use crate::kit::refusal;
use crate::kit::samples::without_cluster;
use std::sync::OnceLock;

const BREAKER: &str = "failures = 2, open_secs = 30";

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        Site::start(2, BREAKER, &["clients-errors", "refused-errors", "late-errors", "timeouts"])
    })
}

#[track_caller]
fn assert_failures(name: &str, count: u32) {
    let health = site().health(name);
    assert_eq!(
        (&health["breaker"], &health["consecutive_failures"]),
        (&"closed".into(), &count.into())
    );
}

#[test]
fn a_4xx_counts_as_a_success() {
    let name = "clients-errors";
    for status in [400, 401, 403, 404, 409, 413, 422, 429, 499] {
        site().answer(name, 500);
        assert_failures(name, 1);
        site().answer(name, status);
        // That is known once the response is over.
        wait::until_true("a success", || site().health(name)["consecutive_failures"] == 0);
    }
    site().wait_for(name, "success", 9);
    site().wait_for(name, "failure", 9);
    site().gateway.assert_no_trap();
}

#[test]
fn timeouts_that_a_provider_answers_do_not_count() {
    let name = "timeouts";
    site().answer(name, 500);
    for (count, status) in (1..).zip([408, 425]) {
        site().answer(name, status);
        site().wait_for(name, "neutral", count);
        assert_failures(name, 1);
    }
    site().gateway.assert_no_trap();
}

#[test]
fn requests_the_gateway_refuses_do_not_count() {
    let name = "refused-errors";
    site().answer(name, 500);
    let long = "x".repeat(200_000);
    for body in [
        format!(r#"{{"model":"{name}:m"}} x"#),
        format!(r#"{{"model":"{name}:m","model":"{name}:m"}}"#),
        format!(r#"{{"model":"{name}:"}}"#),
        format!(r#"{{"model":"{name}:m","a":"{long}""#),
        format!(r#"{{"model":"{name}:m","a":"{long}","model":"b"}}"#),
        format!(r#"{{"model":"{name}:m","a":"{long}","b":tru}}"#),
    ] {
        for chunked in [false, true] {
            for response in both(&body, chunked) {
                assert_eq!(response.status, 400, "{}", response.text());
            }
        }
    }
    assert_failures(name, 1);
    site().wait_for(name, "failure", 1);
    site().answer(name, 500);
    assert_eq!(site().health(name)["breaker"], "open");
    site().gateway.assert_no_trap();
}

fn both(body: &str, chunked: bool) -> [Response; 2] {
    let request = Request::chat(body).cut_every(50_000);
    let request = if chunked { request.chunked() } else { request };
    let addr = site().gateway.addr();
    [h1::exchange(addr, &request), h2::exchange(addr, &request)]
}

#[test]
fn requests_refused_in_mid_upload_do_not_count() {
    let name = "late-errors";
    site().answer(name, 500);
    for count in 1..=3 {
        let case = format!("{name} {count}");
        let first = format!(r#"{{"model":"{name}:m","a":"{}"#, "x".repeat(50_000));
        let request = Request::chat(&first).case(&case).chunked();
        let mut client = h1::Connection::open(site().gateway.addr());
        client.send(h1::head(&request)).expect("a listening gateway");
        client.send_piece(&request, first.as_bytes()).expect("a listening gateway");
        site().server.wait_until(&case, |seen| seen.length >= 50_000);
        client.send_piece(&request, br#"","model":"b"}"#).expect("a listening gateway");
        assert_eq!(client.response().status, 400);
        site().wait_for(name, "neutral", count);
        assert!(site().server.seen(&case).iter().all(|seen| !seen.complete));
    }
    assert_failures(name, 1);
    site().gateway.assert_no_trap();
}

#[test]
fn a_missing_cluster_does_not_count() {
    let table = "[providers.none]\nurl = \"http://127.0.0.1:1\"\nbreaker = { failures = 1 }\n";
    let yaml = Gateway::render(&format!("{LISTEN}{table}"), &[]).expect("a configuration");
    let gateway = Gateway::from_yaml(&without_cluster(&yaml, "none"), &[], &[]);
    for _ in 0..3 {
        let response = h1::exchange(gateway.addr(), &request("none"));
        refusal::provider_unreachable().assert_openai("NC", &response);
    }
    assert_eq!(health(&gateway, "none")["breaker"], "closed");
    wait_for_metric(&gateway, &requests("none", "neutral"), 3);
    assert_eq!(metric(&gateway, &requests("none", "failure")), 0);
    gateway.assert_no_trap();
}
