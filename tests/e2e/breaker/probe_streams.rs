//! The response to a probe is streamed as any other.

use super::{Site, request};
use crate::kit::client::{Request, h1, h2};
use crate::kit::harness::wait;
use crate::kit::observe::{probes, wait_for_metric};
use crate::kit::upstream::Answer;
use crate::kit::upstream::pipe::Pump;
use std::sync::OnceLock;

/// A gateway shared by the tests of this file: one provider for each.
fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    let breaker = "failures = 1, open_secs = 1, successes = 2";
    SITE.get_or_init(|| Site::start(2, breaker, &["http1", "http2", "breaks"]))
}

/// Opens the provider's breaker and waits until the next request is the probe; it answers with
/// what the pump writes.
fn due(name: &str) -> Pump {
    site().open(name, 1);
    site().wait_until_due(name);
    let (answer, mut pump) = Answer::events();
    site().server.script(name, answer);
    pump.send("data: begin\n\n").expect("room");
    pump
}

/// A probe over HTTP/1.1 whose first event has come.
fn begin(name: &str) -> (h1::Connection, Pump) {
    let pump = due(name);
    let mut client = h1::Connection::open(site().gateway.addr());
    client.send_request(&request(name));
    assert_eq!(client.head().status, 200, "{name}");
    assert_eq!(client.chunk().as_deref(), Some(&b"data: begin\n\n"[..]), "{name}");
    (client, pump)
}

#[test]
fn a_probes_events_reach_the_client_as_they_are_written() {
    let name = "http1";
    let (mut client, mut pump) = begin(name);
    for number in 0..20 {
        let event = format!("data: {number}\n\n");
        pump.send(&event).expect("a reader");
        assert_eq!(client.chunk().as_deref(), Some(event.as_bytes()));
    }
    the_next_closes(name);
    pump.send("data: end\n\n").expect("a reader");
    drop(pump);
    assert_eq!(client.chunk().as_deref(), Some(&b"data: end\n\n"[..]));
    assert_eq!(client.chunk().as_deref(), Some(&b""[..]));
    site().wait_for(name, "success", 2);
    assert_eq!(site().health(name)["consecutive_failures"], 0);
    site().gateway.assert_no_trap();
}

#[test]
fn a_probes_events_reach_an_http2_client() {
    let name = "http2";
    let mut pump = due(name);
    let connection = h2::Connection::open(site().gateway.addr());
    let Request { pieces, trailers, .. } = request(name);
    let mut client = connection.start(&request(name));
    client.send(&pieces.concat()).expect("a listening gateway");
    client.end(&trailers);
    assert_eq!(client.head().0, 200);
    assert_eq!(client.piece().expect("a piece").expect("a whole one"), "data: begin\n\n");
    the_next_closes(name);
    pump.send("data: end\n\n").expect("a reader");
    drop(pump);
    assert_eq!(client.piece().expect("a piece").expect("a whole one"), "data: end\n\n");
    assert!(client.piece().is_none());
    site().wait_for(name, "success", 2);
    site().gateway.assert_no_trap();
}

/// A probe has succeeded when its response begins, of which the gateway hears a moment later: while it streams, the next one
/// goes.
fn the_next_closes(name: &str) {
    wait_for_metric(&site().gateway, &probes(name, "success"), 1);
    assert_eq!(site().health(name)["breaker"], "half_open", "{name}");
    assert_eq!(site().ask(name).status, 200, "{name}");
    assert_eq!(site().health(name)["breaker"], "closed", "{name}");
    wait_for_metric(&site().gateway, &probes(name, "success"), 2);
}

#[test]
fn a_probe_that_breaks_off_opens_the_breaker_again() {
    let name = "breaks";
    let (mut client, pump) = begin(name);
    assert_eq!(site().health(name)["breaker"], "half_open");
    pump.fail();
    assert_eq!(client.chunk(), None);
    wait::until_true("the opening", || site().health(name)["breaker"] == "open");
    site().wait_for(name, "failure", 2);
    assert_eq!(site().ask(name).status, 503);
    assert_eq!(site().server.seen(name).len(), 2);
    site().gateway.assert_no_trap();
}
