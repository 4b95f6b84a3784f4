//! A client that takes the probe's place and never finishes its request: other clients get the next place.

use super::Site;
use crate::kit::client::{Request, h1};
use crate::kit::harness::wait;
use crate::kit::observe::{metric, wait_for_metric};
use std::time::{Duration, Instant};

/// The counter of probes that have lost their place because their body did not come.
const BOUND_MET: &str = r#"gaud_bounds_total{bound="probe_body_secs"}"#;

/// The head and the beginning of a body that never ends.
fn unfinished(site: &Site) -> h1::Connection {
    let request = Request::chat(r#"{"model":"p:m","x":""#).chunked();
    let mut client = h1::Connection::open(site.gateway.addr());
    client.send(h1::head(&request)).expect("a listening gateway");
    client.send_piece(&request, &request.pieces[0]).expect("a listening gateway");
    client
}

/// Without the hop and over it. A refused connection alone is tried again, so that a 500 is one failure either way.
const HOP: [&str; 2] = ["", "retries = { max = 1, on = [\"connection\"] }\n"];

fn due(hop: &str) -> Site {
    let breaker = "failures = 1, open_secs = 1, successes = 1, probe_body_secs = 2";
    let site = Site::start_with(hop, 2, breaker, &["p"]);
    site.open("p", 1);
    site.wait_until_due("p");
    site
}

#[test]
fn an_unfinished_probe_keeps_its_place_for_seconds() {
    HOP.iter().for_each(|hop| keeps_its_place_for_seconds(&due(hop)));
}

fn keeps_its_place_for_seconds(site: &Site) {
    let started = Instant::now();
    let clients = [unfinished(site), unfinished(site)];
    wait::until_true("the unfinished probe", || site.health("p")["breaker"] == "half_open");
    assert_eq!(site.ask("p").status, 503, "the unfinished request is the probe");
    wait::until_true("the probe of another client", || site.ask("p").status == 200);
    let waited = started.elapsed();
    eprintln!("of 2 s an unfinished probe keeps its place for {waited:?}");
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
    wait_for_metric(&site.gateway, BOUND_MET, 1);
    assert_eq!(site.health("p")["breaker"], "closed");
    drop(clients);
    site.gateway.assert_no_trap();
}

#[test]
fn a_client_that_aborts_a_probe_does_not_get_the_next_one() {
    HOP.iter().for_each(|hop| the_next_probe_is_another_clients(&due(hop)));
}

fn the_next_probe_is_another_clients(site: &Site) {
    let first = unfinished(site);
    wait::until_true("the unfinished probe", || site.health("p")["breaker"] == "half_open");
    drop(first);
    site.wait_for("p", "neutral", 1);
    assert_eq!(metric(&site.gateway, BOUND_MET), 0);
    let mut second = unfinished(site);
    assert_eq!(second.head().status, 503, "another unfinished request");
    assert_eq!(site.ask("p").status, 200, "a finished request");
    assert_eq!(site.health("p")["breaker"], "closed");
    site.gateway.assert_no_trap();
}
