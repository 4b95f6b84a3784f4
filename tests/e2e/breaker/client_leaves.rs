//! Clients that leave, in each phase of a request: that says nothing about the provider, and a
//! probe whose client leaves gives its place back.

use super::Site;
use crate::kit::client::{Client, Request, h1};
use crate::kit::observe::{probes, wait_for_metric};
use crate::kit::upstream::{Answer, Gate};
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

/// Brings a request to this phase, does something, and lets the client leave.
fn leave(name: &str, phase: Phase, count: usize, meanwhile: impl FnOnce()) {
    let case = format!("{name} {phase:?} {count}");
    let gate = Gate::closed();
    let (answer, mut pump) = Answer::events();
    site().server.script(&case, answer.held_by(&gate));
    let body = format!(r#"{{"model":"{name}:m","a":"{}"}}"#, "x".repeat(100));
    let request = Request::chat(body).case(&case).cut(&[60]);
    let client = if name.ends_with("http1") { Client::Http1 } else { Client::Http2 };
    let mut exchange = client.begin(&site().gateway, &request);
    exchange.send(&request.pieces[0]).expect("a listening gateway");
    match phase {
        Phase::Uploading => drop(site().server.wait_until(&case, |seen| seen.length > 0)),
        Phase::Waiting | Phase::Reading => {
            exchange.send(&request.pieces[1]).expect("a listening gateway");
            exchange.end();
            site().server.wait(&case);
        }
    }
    if let Phase::Reading = phase {
        gate.open();
        pump.send("data: begin\n\n").expect("a reader");
        assert_eq!(exchange.head().0, 200);
        assert!(exchange.piece().is_some_and(|piece| !piece.is_empty()));
    }
    meanwhile();
    drop(exchange);
    match phase {
        Phase::Uploading => site().server.wait_for_ends(&case, 1),
        Phase::Waiting | Phase::Reading => pump.wait_for_reader_to_leave(),
    }
}

#[test]
fn client_disconnects_do_not_count() {
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
fn a_probe_whose_client_leaves_frees_its_place() {
    for (name, phase) in [("probe-http1", Phase::Uploading), ("probe-http2", Phase::Waiting)] {
        site().open(name, 2);
        site().wait_until_due(name);
        leave(name, phase, 1, || {
            assert_eq!(site().ask(name).status, 503, "{name} {phase:?}: a second probe");
        });
        site().wait_for(name, "neutral", 1);
        let health = site().health(name);
        assert_eq!(health["breaker"], "half_open", "{name} {phase:?}");
        assert_eq!(health.get("retry_after_secs"), None, "{name} {phase:?}");
        wait_for_metric(&site().gateway, &probes(name, "neutral"), 1);
        let next = site().ask_from_elsewhere(name);
        assert_eq!(next.status, 200, "the next whole request is the probe");
        assert_eq!(site().health(name)["breaker"], "closed");
    }
    site().gateway.assert_no_trap();
}

#[test]
fn a_probe_refused_on_its_way_frees_its_place() {
    let site = Site::start(2, "failures = 1, open_secs = 1, successes = 1", &["p"]);
    site.open("p", 1);
    site.wait_until_due("p");
    let bad = format!(r#"{{"model":"p:m","a":"{}","model":"b"}}"#, "x".repeat(100_000));
    let response = h1::exchange(site.gateway.addr(), &Request::chat(bad).cut_every(10_000));
    assert_eq!(response.status, 400);
    assert_eq!(site.ask_from_elsewhere("p").status, 200);
    assert_eq!(site.health("p")["breaker"], "closed");
    site.gateway.assert_no_trap();
}
