//! What an operator sees of attempts, and many of them at once.

use super::attempts::{WAYS, chat};
use super::fault::Fault::{Breaks, Good, Later, Says, Silent, Status};
use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{Request, h1};
use crate::kit::observe::{health, metric, requests, transitions, wait_for_metric};
use std::thread;

const CHAIN: &str = "one:chain";
const TWO: &str = "two:second";

fn assert_counts(fleet: &Fleet, provider: &str, [success, failure, neutral]: [u64; 3]) {
    for (outcome, count) in [("success", success), ("failure", failure), ("neutral", neutral)] {
        wait_for_metric(&fleet.gateway, &requests(provider, outcome), count);
    }
}

#[test]
fn every_attempt_is_counted_at_its_provider() {
    let fleet = Fleet::without_breakers("timeout_secs = 1\n", CHAINS);
    let too_long = Says(400, r#"{"error":{"code":"context_length_exceeded","message":"x"}}"#);
    let limited = Later(429, "60");
    fleet.tells(&[
        ("good", CHAIN, &[(CHAIN, Good)]),
        ("once", CHAIN, &[(CHAIN, Status(500)), (CHAIN, Good)]),
        ("both", CHAIN, &[(CHAIN, Breaks), (CHAIN, Status(503)), (TWO, Good)]),
        ("limited", CHAIN, &[(CHAIN, limited), (TWO, Status(500)), (TWO, Good)]),
        ("silent", CHAIN, &[(CHAIN, Silent), (TWO, Good)]),
        ("too long", CHAIN, &[(CHAIN, too_long), (TWO, Status(404))]),
    ]);
    let ways = 4;
    assert_eq!(WAYS.len(), 4);
    assert_counts(&fleet, "one", [4 * ways, 4 * ways, 0]);
    assert_counts(&fleet, "two", [4 * ways, ways, 0]);
    assert_counts(&fleet, "three", [0, 0, 0]);
}

#[test]
fn health_shows_every_failed_request() {
    let fleet =
        Fleet::start("breaker = { failures = 3, open_secs = 300, successes = 1 }\n", CHAINS);
    let ask = |case: &str, steps: &[_]| {
        let _pumps = fleet.script(case, steps, false);
        let request = Request::chat(chat(CHAIN, false)).case(case);
        let response = h1::exchange(fleet.gateway.addr(), &request);
        assert_eq!(response.status, 200, "{case}: {}", response.text());
        assert_eq!(fleet.asked(case).len(), steps.len(), "{case}");
    };
    let shown = |name: &str| {
        let health = health(&fleet.gateway, name);
        (health["breaker"].clone(), health["consecutive_failures"].clone())
    };
    ask("two attempts fail", &[(CHAIN, Status(503)), (CHAIN, Status(500)), (TWO, Good)]);
    assert_eq!(shown("one"), ("closed".into(), 1.into()), "one request is one failure");
    assert_eq!(shown("two"), ("closed".into(), 0.into()));
    ask("two again", &[(CHAIN, Status(500)), (CHAIN, Status(500)), (TWO, Good)]);
    ask("a third request", &[(CHAIN, Status(500)), (TWO, Good)]);
    assert_eq!(shown("one"), ("open".into(), 3.into()));
    ask("passed over", &[(TWO, Good)]);
    assert_counts(&fleet, "one", [0, 5, 0]);
    assert_counts(&fleet, "two", [4, 0, 0]);
    assert_eq!(metric(&fleet.gateway, &transitions("one", "open")), 1);
    assert_eq!(metric(&fleet.gateway, &transitions("two", "open")), 0);
    fleet.gateway.assert_no_trap();
}

/// A success makes failures forgotten, on the way of attempts too.
#[test]
fn a_successful_retry_resets_the_failures() {
    let fleet =
        Fleet::start("breaker = { failures = 2, open_secs = 300, successes = 1 }\n", CHAINS);
    for round in 1..=4 {
        let case = format!("round {round}");
        let _pumps = fleet.script(&case, &[(CHAIN, Status(500)), (CHAIN, Good)], false);
        let request = Request::chat(chat(CHAIN, false)).case(&case);
        assert_eq!(h1::exchange(fleet.gateway.addr(), &request).status, 200);
        assert_eq!(fleet.asked(&case), ["one", "one"]);
        wait_for_metric(&fleet.gateway, &requests("one", "success"), round);
    }
    assert_eq!(health(&fleet.gateway, "one")["consecutive_failures"], 0);
    fleet.gateway.assert_no_trap();
}

/// Everybody's first attempts fail at the same time.
#[test]
fn many_requests_may_be_retried_at_once() {
    const CLIENTS: u64 = 60;
    let fleet = Fleet::without_breakers("", CHAINS);
    let steps = [(CHAIN, Status(500)), (CHAIN, Status(500)), (TWO, Good)];
    let ask = |client: u64| {
        let case = format!("client {client}");
        let _pumps = fleet.script(&case, &steps, false);
        let request = Request::chat(chat(CHAIN, false)).case(&case);
        let response = h1::exchange(fleet.gateway.addr(), &request);
        assert_eq!(response.status, 200, "{case}: {}", response.text());
        assert_eq!(fleet.asked(&case), ["one", "one", "two"], "{case}");
    };
    thread::scope(|scope| {
        (0..CLIENTS).for_each(|client| _ = scope.spawn(move || ask(client)));
    });
    assert_counts(&fleet, "one", [0, 2 * CLIENTS, 0]);
    assert_counts(&fleet, "two", [CLIENTS, 0, 0]);
    fleet.gateway.assert_no_trap();
}
