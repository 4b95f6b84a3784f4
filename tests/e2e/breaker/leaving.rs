//! Clients that leave, in each phase of a request: that says nothing about the provider, and a
//! probe whose client leaves gives its place back.

use super::{Site, probes, wait_for_metric};
use crate::client::{Request, h1, h2};
use crate::upstream::{Answer, Gate};
use std::sync::OnceLock;

const NAMES: [&str; 4] = ["p-http1", "p-http2", "probe-http1", "probe-http2"];

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    let breaker = "failures = 2, open_secs = 1, successes = 1";
    SITE.get_or_init(|| Site::start(2, breaker, &NAMES))
}

/// When a client leaves.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Uploading,
    Waiting,
    Reading,
}

/// A client in the middle of a request.
enum Client {
    Http1(h1::Connection),
    Http2(h2::Exchange, #[expect(dead_code, reason = "held open")] h2::Connection),
}

impl Client {
    /// Sends the head and the first bytes of a body.
    fn start(name: &str, request: &Request) -> Self {
        let (addr, first) = (site().gateway.addr(), &request.pieces[0]);
        if name.ends_with("http1") {
            let mut connection = h1::Connection::open(addr);
            connection.send(h1::head(request)).expect("a listening gateway");
            connection.send(first).expect("a listening gateway");
            return Self::Http1(connection);
        }
        let connection = h2::Connection::open(addr);
        let mut exchange = connection.start(request);
        exchange.send(first).expect("a listening gateway");
        Self::Http2(exchange, connection)
    }

    /// Sends the rest.
    fn finish(&mut self, request: &Request) {
        match self {
            Self::Http1(connection) => connection.send(&request.pieces[1]).expect("a listener"),
            Self::Http2(exchange, _) => {
                exchange.send(&request.pieces[1]).expect("a listening gateway");
                exchange.end(&request.trailers);
            }
        }
    }

    /// Reads the first event.
    fn read(&mut self) {
        match self {
            Self::Http1(connection) => {
                assert_eq!(connection.head().status, 200);
                assert!(connection.chunk().is_some());
            }
            Self::Http2(exchange, _) => {
                assert_eq!(exchange.head().0, 200);
                assert!(exchange.piece().is_some());
            }
        }
    }
}

/// Brings a request to this phase, does something, and lets the client leave.
fn leave(name: &str, phase: Phase, count: usize, meanwhile: impl FnOnce()) {
    let case = format!("{name} {phase:?} {count}");
    let gate = Gate::closed();
    let (answer, mut pump) = Answer::events();
    site().server.script(&case, answer.held_by(&gate));
    let body = format!(r#"{{"model":"{name}:m","a":"{}"}}"#, "x".repeat(100));
    let request = Request::chat(body).case(&case).cut(&[60]);
    let mut client = Client::start(name, &request);
    match phase {
        Phase::Uploading => drop(site().server.wait_until(&case, |seen| seen.length > 0)),
        Phase::Waiting | Phase::Reading => {
            client.finish(&request);
            site().server.wait(&case);
        }
    }
    if let Phase::Reading = phase {
        gate.open();
        pump.send("data: begin\n\n").expect("a reader");
        client.read();
    }
    meanwhile();
    drop(client);
    match phase {
        Phase::Uploading => site().server.wait_for_ends(&case, 1),
        Phase::Waiting | Phase::Reading => pump.wait_for_reader_to_leave(),
    }
}

#[test]
fn clients_that_leave_do_not_count() {
    for name in ["p-http1", "p-http2"] {
        site().answer(name, 500);
        let phases = [Phase::Uploading, Phase::Waiting, Phase::Reading];
        for (count, phase) in (1..).zip(phases.into_iter().cycle().take(9)) {
            leave(name, phase, count, || {});
            site().wait_for(name, "neutral", count.try_into().expect("a number"));
            let health = site().health(name);
            let expected = (&"closed".into(), &1.into());
            assert_eq!(
                (&health["breaker"], &health["consecutive_failures"]),
                expected,
                "{phase:?}"
            );
        }
        site().wait_for(name, "failure", 1);
        site().answer(name, 500);
        assert_eq!(site().health(name)["breaker"], "open", "{name}");
    }
    site().gateway.assert_no_trap();
}

#[test]
fn a_probe_whose_client_leaves_gives_its_place_back() {
    for name in ["probe-http1", "probe-http2"] {
        site().open(name, 2);
        site().wait_until_due(name);
        for (count, phase) in (1..).zip([Phase::Uploading, Phase::Waiting, Phase::Waiting]) {
            leave(name, phase, count, || {
                assert_eq!(site().ask(name).status, 503, "{name} {phase:?}: a second probe");
            });
            site().wait_for(name, "neutral", count.try_into().expect("a number"));
            let health = site().health(name);
            assert_eq!(health["breaker"], "half_open", "{name} {phase:?}");
            assert_eq!(health.get("retry_after_secs"), None, "{name} {phase:?}");
        }
        wait_for_metric(&site().gateway, &probes(name, "neutral"), 3);
        assert_eq!(site().ask(name).status, 200, "the next request is the probe");
        assert_eq!(site().health(name)["breaker"], "closed");
    }
    site().gateway.assert_no_trap();
}

#[test]
fn a_probe_that_is_refused_on_its_way_gives_its_place_back() {
    let site = Site::start(2, "failures = 1, open_secs = 1, successes = 1", &["p"]);
    site.open("p", 1);
    site.wait_until_due("p");
    let bad = format!(r#"{{"model":"p:m","a":"{}","model":"b"}}"#, "x".repeat(100_000));
    let response = h1::exchange(site.gateway.addr(), &Request::chat(bad).cut_every(10_000));
    assert_eq!(response.status, 400);
    assert_eq!(site.ask("p").status, 200);
    assert_eq!(site.health("p")["breaker"], "closed");
    site.gateway.assert_no_trap();
}
