//! Breakers and chains: an open target is skipped, and a request is one failure of a target.

use super::attempts::{Step, chat};
use super::fault::Fault::{Good, Status};
use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::wait;
use crate::kit::observe::{breaker_is, wait_until_due};
use crate::kit::upstream::{Answer, Gate};

const CHAIN: &str = "one:chain";
const TWO: &str = "two:second";
const THREE: &str = "three:the-third-models-longer-name";

fn breaker(failures: u32, open_secs: u32) -> String {
    format!("breaker = {{ failures = {failures}, open_secs = {open_secs}, successes = 1 }}\n")
}

/// Asks once, and fails unless these providers are asked.
#[track_caller]
fn ask(fleet: &Fleet, case: &str, model: &str, steps: &[Step]) -> Response {
    let _pumps = fleet.script(case, steps, false);
    let request = Request::chat(chat(model, false)).case(case);
    let response = h1::exchange(fleet.gateway.addr(), &request);
    let expected: Vec<&str> =
        steps.iter().filter_map(|(target, _)| Some(target.split_once(':')?.0)).collect();
    assert_eq!(fleet.asked(case), expected, "{case}: {}", response.text());
    response
}

#[test]
fn an_open_provider_is_skipped() {
    let fleet = Fleet::start(&breaker(2, 300), CHAINS);
    let steps = [(CHAIN, Status(500)), (CHAIN, Status(500)), (TWO, Good)];
    assert_eq!(ask(&fleet, "fails", CHAIN, &steps).status, 200);
    assert!(breaker_is(&fleet.gateway, "one", "closed"), "two attempts, one failure");
    let steps = [(CHAIN, Status(500)), (TWO, Good)];
    assert_eq!(ask(&fleet, "opens", CHAIN, &steps).status, 200);
    assert!(breaker_is(&fleet.gateway, "one", "open"));
    for round in 0..3 {
        let response = ask(&fleet, &format!("passed over {round}"), CHAIN, &[(TWO, Good)]);
        assert_eq!(response.status, 200);
        assert_eq!(response.headers.all("x-gaud-provider"), ["two"]);
        assert_eq!(response.headers.all("x-gaud-attempts"), ["1"]);
    }
    let steps = [(TWO, Status(500)), (TWO, Status(500)), (THREE, Good)];
    assert_eq!(ask(&fleet, "two fails", CHAIN, &steps).status, 200);
    let steps = [(TWO, Status(500)), (THREE, Good)];
    assert_eq!(ask(&fleet, "opens two", CHAIN, &steps).status, 200);
    let response = ask(&fleet, "passed over both", CHAIN, &[(THREE, Good)]);
    assert_eq!(response.headers.all("x-gaud-provider"), ["three"]);
    fleet.gateway.assert_no_trap();
}

#[test]
fn a_breaker_that_opens_between_two_attempts_ends_the_retries() {
    let fleet = Fleet::start(&breaker(1, 300), CHAINS);
    let steps = [(CHAIN, Status(500)), (TWO, Status(502)), (THREE, Status(503))];
    let response = ask(&fleet, "each once", CHAIN, &steps);
    assert_eq!(response.status, 503);
    assert_eq!(response.headers.all("x-gaud-attempts"), ["3"]);
    assert_eq!(response.headers.all("x-should-retry"), ["false"]);
    fleet.gateway.assert_no_trap();
}

#[test]
fn an_open_fallback_is_skipped() {
    let fleet = Fleet::start(&breaker(1, 300), CHAINS);
    ask(&fleet, "opens", TWO, &[(TWO, Status(500))]);
    assert!(breaker_is(&fleet.gateway, "two", "open"));
    let response = ask(&fleet, "passes over", CHAIN, &[(CHAIN, Status(500)), (THREE, Good)]);
    assert_eq!(response.status, 200);
    let response = ask(&fleet, "only one left", CHAIN, &[(THREE, Status(404))]);
    assert_eq!(response.status, 404);
    fleet.gateway.assert_no_trap();
}

#[test]
fn when_all_are_open_the_caller_hears_when_the_first_returns() {
    let each = [300, 20, 100].map(|secs| breaker(1, secs));
    let fleet = Fleet::start_each(each.each_ref().map(String::as_str), CHAINS);
    let steps = [(CHAIN, Status(500)), (TWO, Status(500)), (THREE, Status(500))];
    ask(&fleet, "opens all", CHAIN, &steps);
    for round in 0..2 {
        let response = ask(&fleet, &format!("refused {round}"), CHAIN, &[]);
        assert_eq!(response.status, 503);
        assert_eq!(response.json()["error"]["code"], "provider_unavailable", "{}", response.text());
        let secs: u64 = response.header("retry-after").and_then(|secs| secs.parse().ok()).unwrap();
        assert!((1..=20).contains(&secs), "{secs}");
    }
    let request = Request::post("/v1/messages", chat(CHAIN, true)).case("refused");
    let response = h1::exchange(fleet.gateway.addr(), &request);
    assert_eq!((response.status, &response.json()["type"]), (503, &"error".into()));
    assert!(fleet.asked("refused").is_empty());
    fleet.gateway.assert_no_trap();
}

#[test]
fn a_probe_does_not_hold_up_other_requests() {
    let fleet = Fleet::start(&breaker(1, 1), CHAINS);
    ask(&fleet, "opens", CHAIN, &[(CHAIN, Status(500)), (TWO, Good)]);
    wait_until_due(&fleet.gateway, "one");
    let gate = Gate::closed();
    fleet.server("one").script("probe", Answer::completion().held_by(&gate));
    let mut probe = h1::Connection::open(fleet.gateway.addr());
    probe.send_request(&Request::chat(chat(CHAIN, false)).case("probe"));
    fleet.server("one").wait("probe");
    for round in 0..3 {
        let response = ask(&fleet, &format!("meanwhile {round}"), CHAIN, &[(TWO, Good)]);
        assert_eq!(response.headers.all("x-gaud-attempts"), ["1"]);
    }
    gate.open();
    assert_eq!(probe.response().headers.all("x-gaud-provider"), ["one"]);
    wait::until_true("the closing", || breaker_is(&fleet.gateway, "one", "closed"));
    ask(&fleet, "back", CHAIN, &[(CHAIN, Good)]);
    fleet.gateway.assert_no_trap();
}
