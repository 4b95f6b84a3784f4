//! A client that leaves is not worked for any longer.

use super::fault::Fault::{Good, Later, Status};
use super::fleet::{CHAINS, Fleet};
use super::plan::chat;
use crate::breaker::{requests, wait_for_metric};
use crate::client::{Request, h1, h2};
use crate::harness::wait;
use crate::upstream::{Answer, Gate};

/// A client that waits for an answer. It leaves with this value.
enum Client {
    Http1(#[expect(dead_code, reason = "held open")] h1::Connection),
    Http2(#[expect(dead_code, reason = "held open")] Box<(h2::Exchange, h2::Connection)>),
}

const NAMES: [&str; 2] = ["http1", "http2"];

impl Client {
    fn start(fleet: &Fleet, name: &str, request: &Request) -> Self {
        if name == "http1" {
            let mut connection = h1::Connection::open(fleet.gateway.addr());
            connection.send_request(request);
            return Self::Http1(connection);
        }
        let connection = h2::Connection::open(fleet.gateway.addr());
        let mut exchange = connection.start(request);
        request.pieces.iter().for_each(|piece| exchange.send(piece).expect("a listener"));
        exchange.end(&request.trailers);
        Self::Http2(Box::new((exchange, connection)))
    }
}

fn request(case: &str) -> Request {
    Request::chat(chat("one:chain", false)).case(case)
}

/// Lets another request wait longer than one that was left would have.
fn long_after(fleet: &Fleet, case: &str) {
    let first = "one:chain";
    let steps = [(first, Later(429, "2")), (first, Status(500)), ("two:second", Good)];
    let _pumps = fleet.script(case, &steps, false);
    let response = h1::exchange(fleet.gateway.addr(), &request(case));
    assert_eq!(response.status, 200, "{case}: {}", response.text());
}

#[test]
fn during_an_attempt() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (count, name) in (1..).zip(NAMES) {
        let (answer, pump) = Answer::events();
        fleet.server("one").script(name, answer.held_by(&Gate::closed()));
        let client = Client::start(&fleet, name, &request(name));
        fleet.server("one").wait(name);
        drop(client);
        pump.wait_for_reader_to_leave();
        wait_for_metric(&fleet.gateway, &requests("one", "neutral"), count);
        long_after(&fleet, &format!("after {name}"));
        assert_eq!(fleet.asked(name), ["one"]);
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn during_a_later_attempt() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (count, name) in (1..).zip(NAMES) {
        let (answer, pump) = Answer::events();
        let first = [("one:chain", Status(500)), ("one:chain", Status(500))];
        let _pumps = fleet.script(name, &first, false);
        fleet.server("two").script(name, answer.held_by(&Gate::closed()));
        let client = Client::start(&fleet, name, &request(name));
        fleet.server("two").wait(name);
        drop(client);
        pump.wait_for_reader_to_leave();
        wait_for_metric(&fleet.gateway, &requests("two", "neutral"), count);
        long_after(&fleet, &format!("after {name}"));
        assert_eq!(fleet.asked(name), ["one", "one", "two"]);
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn during_back_off() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (count, name) in (1..).zip(NAMES) {
        let before = limited(&fleet);
        let _pumps = fleet.script(name, &[("one:chain", Later(429, "1"))], false);
        let client = Client::start(&fleet, name, &request(name));
        wait::until_true("the 429", || limited(&fleet) > before);
        drop(client);
        long_after(&fleet, &format!("after {name}"));
        assert_eq!(fleet.asked(name), ["one"]);
        // A 429 is a success, and so is the other request's.
        wait_for_metric(&fleet.gateway, &requests("one", "success"), 2 * count);
    }
    fleet.gateway.assert_no_trap();
}

/// How many times the first provider has limited its clients.
fn limited(fleet: &Fleet) -> u64 {
    let stats = fleet.gateway.admin().stats();
    stats.get("cluster.one.upstream_rq_429").copied().unwrap_or(0)
}
