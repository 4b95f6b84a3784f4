//! Outcomes that come late, and all at once: they count where they belong, and once.

use super::{Site, request};
use crate::kit::client::{Request, h1};
use crate::kit::observe::{metric, probes, requests, transitions, wait_for_metric};
use crate::kit::upstream::{Answer, Gate};
use std::thread;

/// Begins a request that the provider answers so, and as late as the gate says.
fn begin(site: &Site, case: &str, answer: Answer) -> h1::Connection {
    site.server.script(case, answer);
    let mut client = h1::Connection::open(site.gateway.addr());
    let Request { pieces, .. } = request("p");
    client.send_request(&Request::chat(pieces.concat()).case(case));
    site.server.wait(case);
    client
}

#[test]
fn outcomes_from_before_the_opening_do_not_change_a_half_open_breaker() {
    let site = Site::start(4, "failures = 2, open_secs = 1, successes = 2", &["p"]);
    let gate = Gate::closed();
    let late =
        [(1, 500), (2, 200), (3, 500), (4, 200), (5, 200), (6, 500)].map(|(number, status)| {
            let answer = Answer::new(status, "text/plain", "late").held_by(&gate);
            (status, begin(&site, &format!("late {number}"), answer))
        });
    site.open("p", 2);
    site.wait_until_due("p");
    assert_eq!(site.ask("p").status, 200);
    gate.open();
    for (status, mut client) in late {
        assert_eq!(client.response().status, status);
    }
    wait_for_metric(&site.gateway, &requests("p", "failure"), 5);
    wait_for_metric(&site.gateway, &requests("p", "success"), 4);
    assert_eq!(site.health("p")["breaker"], "half_open");
    assert_eq!(site.ask("p").status, 200);
    assert_eq!(site.health("p")["breaker"], "closed");
    wait_for_metric(&site.gateway, &probes("p", "success"), 2);
    site.gateway.assert_no_trap();
}

#[test]
fn many_failures_at_once_open_the_breaker_once() {
    const CLIENTS: usize = 60;
    let site = Site::start(4, "failures = 60, open_secs = 30", &["p"]);
    let gate = Gate::closed();
    let client = |number| {
        let answer = Answer::new(500, "text/plain", "").held_by(&gate);
        begin(&site, &format!("failing {number}"), answer)
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    gate.open();
    thread::scope(|scope| {
        for mut client in clients {
            scope.spawn(move || assert_eq!(client.response().status, 500));
        }
    });
    // Not one of them was lost.
    assert_eq!(site.health("p")["breaker"], "open");
    assert_eq!(metric(&site.gateway, &transitions("p", "open")), 1);
    assert_eq!(metric(&site.gateway, "gaud_store_contended_total{}"), 0);
    site.gateway.assert_no_trap();
}
