//! A client that takes the probe's place and never finishes its request, or aborts the request: other clients get the next place.

use super::{ELSEWHERE, Site};
use crate::kit::client::{Request, h1};
use crate::kit::harness::wait;
use crate::kit::observe::{metric, wait_for_metric};
use crate::kit::upstream::{Answer, Gate};
use std::time::{Duration, Instant};

/// The counter of probes that have lost their place because their body did not come.
const BOUND_MET: &str = r#"gaud_bounds_total{bound="probe_body_secs"}"#;

/// The head and the beginning of a body that never ends.
fn unfinished(site: &Site) -> h1::Connection {
    let request = Request::chat(r#"{"model":"p:m","x":""#).chunked();
    let mut client = h1::Connection::open_from(ELSEWHERE, site.gateway.addr());
    client.send(h1::head(&request)).expect("a listening gateway");
    client.send_piece(&request, &request.pieces[0]).expect("a listening gateway");
    client
}

/// Without the hop and over it. A refused connection alone is tried again, so that a 500 is one failure either way.
const HOP: [&str; 2] = ["", "retries = { max = 1, on = [\"connection\"] }\n"];

fn site(hop: &str) -> Site {
    let breaker = "failures = 1, open_secs = 1, successes = 1, probe_body_secs = 2";
    Site::start_with(hop, 2, breaker, &["p"])
}

fn due(hop: &str) -> Site {
    let site = site(hop);
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

#[test]
fn a_client_that_aborts_whole_probes_leaves_the_next_place_to_others() {
    for hop in HOP {
        let site = site(hop);
        let mut rounds = 0;
        wait::until_true("a round that takes less than a second", || {
            rounds += 1;
            the_client_that_aborts_is_refused(&site, rounds)
        });
        assert_eq!(site.ask("p").status, 200, "the honest client is the next probe");
        assert_eq!(site.health("p")["breaker"], "closed");
        site.gateway.assert_no_trap();
    }
}

/// How long the place is for other clients.
const FOR_OTHERS: Duration = Duration::from_secs(1);

/// A client aborts a whole probe and asks again at once. False if that has taken so long that the client may be let through.
fn the_client_that_aborts_is_refused(site: &Site, round: u64) -> bool {
    site.open("p", 1);
    site.wait_until_due("p");
    let (case, gate) = (format!("aborted {round}"), Gate::closed());
    let (answer, pump) = Answer::events();
    site.server.script(&case, answer.held_by(&gate));
    let mut attacker = h1::Connection::open_from(ELSEWHERE, site.gateway.addr());
    attacker.send_request(&Request::chat(r#"{"model":"p:m"}"#).case(&case));
    site.server.wait(&case);
    assert_eq!(site.ask("p").header("retry-after").as_deref(), Some("1"), "the probe is out");
    let aborted = Instant::now();
    drop(attacker);
    pump.wait_for_reader_to_leave();
    site.wait_for("p", "neutral", round);
    for _ in 0..3 {
        let response = site.ask_from_elsewhere("p");
        if aborted.elapsed() >= FOR_OTHERS {
            wait::until_true("the end of the round", || site.ask("p").status == 200);
            return false;
        }
        assert_eq!(response.status, 503, "the client that has aborted is the next probe");
        assert_eq!(response.header("retry-after").as_deref(), Some("1"));
    }
    true
}
