//! A client that leaves is not worked for any longer.

use super::attempts::chat;
use super::fault::Fault::{Good, Later, Status};
use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{CLIENTS, Request, h1};
use crate::kit::harness::wait;
use crate::kit::observe::{requests, wait_for_metric};
use crate::kit::upstream::{Answer, Gate};

fn request(case: &str) -> Request {
    Request::chat(chat("one:chain", false)).case(case)
}

/// Fails unless the clients that left have had these attempts alone, though another request has waited
/// longer than theirs would have.
fn assert_left(fleet: &Fleet, attempts: &[&str]) {
    let (case, first) = ("another", "one:chain");
    let steps = [(first, Later(429, "2")), (first, Status(500)), ("two:second", Good)];
    let _pumps = fleet.script(case, &steps, false);
    let response = h1::exchange(fleet.gateway.addr(), &request(case));
    assert_eq!(response.status, 200, "{case}: {}", response.text());
    for client in CLIENTS {
        assert_eq!(fleet.asked(&format!("{client:?}")), attempts, "{client:?}");
    }
}

#[test]
fn leaving_during_an_attempt_ends_the_request() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (count, client) in (1..).zip(CLIENTS) {
        let name = &format!("{client:?}");
        let (answer, pump) = Answer::events();
        fleet.server("one").script(name, answer.held_by(&Gate::closed()));
        let exchange = client.start(&fleet.gateway, &request(name));
        fleet.server("one").wait(name);
        drop(exchange);
        pump.wait_for_reader_to_leave();
        wait_for_metric(&fleet.gateway, &requests("one", "neutral"), count);
    }
    assert_left(&fleet, &["one"]);
    fleet.gateway.assert_no_trap();
}

#[test]
fn leaving_during_a_later_attempt_ends_the_request() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (count, client) in (1..).zip(CLIENTS) {
        let name = &format!("{client:?}");
        let (answer, pump) = Answer::events();
        let first = [("one:chain", Status(500)), ("one:chain", Status(500))];
        let _pumps = fleet.script(name, &first, false);
        fleet.server("two").script(name, answer.held_by(&Gate::closed()));
        let exchange = client.start(&fleet.gateway, &request(name));
        fleet.server("two").wait(name);
        drop(exchange);
        pump.wait_for_reader_to_leave();
        wait_for_metric(&fleet.gateway, &requests("two", "neutral"), count);
    }
    assert_left(&fleet, &["one", "one", "two"]);
    fleet.gateway.assert_no_trap();
}

#[test]
fn leaving_during_back_off_ends_the_request() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for client in CLIENTS {
        let name = &format!("{client:?}");
        let before = limited(&fleet);
        let _pumps = fleet.script(name, &[("one:chain", Later(429, "1"))], false);
        let exchange = client.start(&fleet.gateway, &request(name));
        wait::until_true("the 429", || limited(&fleet) > before);
        drop(exchange);
    }
    assert_left(&fleet, &["one"]);
    // A 429 is a success, and so is the other request's.
    wait_for_metric(&fleet.gateway, &requests("one", "success"), 3);
    fleet.gateway.assert_no_trap();
}

/// How many times the first provider has limited its clients.
fn limited(fleet: &Fleet) -> u64 {
    let stats = fleet.gateway.admin().stats();
    stats.get("cluster.one.upstream_rq_429").copied().unwrap_or(0)
}
