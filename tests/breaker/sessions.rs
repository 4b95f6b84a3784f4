//! Whole requests through sessions that share a breaker, by a clock that is set by hand.

use gaud::breaker::BreakerState;
use gaud::breaker::{Breaker, Outcome, State};
use gaud::health::shared_breaker;
use gaud::host::metrics::{Metric, RequestOutcome};
use gaud::host::store::Store;
use gaud::session::RequestAction;

use super::envoy::{BREAKS_OFF, CLIENT_LEFT, Envoy, NOW_MS, OPEN_MS, PROBE_MS, WHOLE};
use super::memory::gateway;

#[test]
fn a_healthy_request_costs_one_load_and_no_swap() {
    let envoy = Envoy::new();
    for status in [200, 404, 429] {
        envoy.serve(status, WHOLE);
        assert_eq!(envoy.host.touched(), (1, 0), "{status}");
    }
    envoy.serve(200, CLIENT_LEFT);
    assert_eq!(envoy.host.touched(), (1, 0), "the client has left");
}

#[test]
fn no_breaker_is_no_load() {
    let envoy = Envoy::new();
    for end in [WHOLE, BREAKS_OFF] {
        for status in [200, 500, 500, 500, 500] {
            let (mut session, step) = envoy.ask("free:x");
            assert!(matches!(step, RequestAction::Forward(_)), "{step:?}");
            envoy.respond(&mut session, status);
            envoy.end(&mut session, end);
        }
    }
    assert_eq!(envoy.host.touched(), (0, 0));
    assert_eq!(envoy.host.load(&envoy.gateway.providers()[1].breaker_key), None);
}

#[test]
fn from_closed_to_closed() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.refused(30);
    envoy.host.advance(OPEN_MS - 1);
    envoy.refused(1);
    envoy.host.advance(1);
    let mut probe = envoy.sent();
    envoy.refused(1);
    envoy.respond(&mut probe, 200);
    let mut second = envoy.sent();
    envoy.end(&mut probe, WHOLE);
    envoy.refused(1);
    envoy.respond(&mut second, 401);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
    envoy.end(&mut second, WHOLE);
    let shown = [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed];
    assert_eq!(envoy.host.shown(), shown);
    let id = envoy.gateway.ids().next().unwrap();
    let rejected = Metric::Request(id, RequestOutcome::Rejected);
    assert_eq!(envoy.host.count_of(rejected), 4);
    assert_eq!(envoy.host.count_of(Metric::Probe(id, Outcome::Success)), 2);
    envoy.host.touched();
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.host.touched(), (1, 0), "as healthy as ever");
}

#[test]
fn streams_that_break_off_open_it() {
    let envoy = Envoy::new();
    (0..3).for_each(|_| envoy.serve(200, BREAKS_OFF));
    assert_eq!(envoy.state(), State::Open { until_ms: NOW_MS + OPEN_MS });
}

#[test]
fn a_whole_response_begins_the_row_anew() {
    let envoy = Envoy::new();
    for _ in 0..3 {
        envoy.serve(500, WHOLE);
        envoy.serve(500, WHOLE);
        let mut good = envoy.sent();
        envoy.respond(&mut good, 200);
        assert_eq!(envoy.state(), State::Closed { failures: 2 }, "it has only begun");
        envoy.end(&mut good, WHOLE);
        assert_eq!(envoy.state(), State::Closed { failures: 0 });
    }
}

#[test]
fn clients_that_leave_count_for_nothing() {
    let envoy = Envoy::new();
    envoy.serve(500, WHOLE);
    envoy.serve(500, WHOLE);
    envoy.serve(200, CLIENT_LEFT);
    envoy.end(&mut envoy.sent(), CLIENT_LEFT);
    assert_eq!(envoy.state(), State::Closed { failures: 2 });
}

#[test]
fn what_was_sent_before_it_opened_comes_too_late() {
    let envoy = Envoy::new();
    let mut early = [envoy.sent(), envoy.sent()];
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.respond(&mut early[0], 500);
    let mut probe = envoy.sent();
    let half_open = envoy.state();
    envoy.respond(&mut early[1], 200);
    early.iter_mut().for_each(|session| envoy.end(session, BREAKS_OFF));
    assert_eq!(envoy.state(), half_open);
    envoy.respond(&mut probe, 503);
    assert_eq!(envoy.state(), State::Open { until_ms: envoy.until_ms() });
}

#[test]
fn a_probe_whose_client_leaves_gives_its_place_back() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.end(&mut envoy.sent(), CLIENT_LEFT);
    envoy.serve(200, CLIENT_LEFT);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn a_probe_that_breaks_off_opens_it_again() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.serve(200, BREAKS_OFF);
    assert_eq!(envoy.state(), State::Open { until_ms: envoy.until_ms() });
}

#[test]
fn a_lost_probe_gives_its_place_back_after_its_deadline() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    let mut lost = envoy.sent();
    envoy.host.advance(PROBE_MS - 1);
    envoy.refused(1);
    envoy.host.advance(1);
    let mut next = envoy.sent();
    envoy.respond(&mut lost, 500);
    envoy.refused(1);
    envoy.respond(&mut next, 200);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn failed_checks_are_failures() {
    let envoy = Envoy::new();
    let id = envoy.gateway.ids().next().unwrap();
    let fail = || shared_breaker::check_failed(&envoy.host, id, &envoy.gateway.providers()[0]);
    envoy.serve(500, WHOLE);
    (0..2).for_each(|_| fail());
    let open = State::Open { until_ms: envoy.until_ms() };
    envoy.host.advance(1);
    fail();
    assert_eq!(envoy.state(), open, "it is not open for longer");
    envoy.host.advance(OPEN_MS);
    let mut probe = envoy.sent();
    fail();
    envoy.respond(&mut probe, 200);
    envoy.end(&mut probe, WHOLE);
    assert_eq!(envoy.state(), State::Open { until_ms: envoy.until_ms() }, "the probe is late");
}

#[test]
fn seeding_never_overwrites() {
    let envoy = Envoy::new();
    envoy.open();
    let provider = &envoy.gateway.providers()[0];
    let before = envoy.host.load(&provider.breaker_key);
    shared_breaker::seed(&envoy.host, provider);
    assert_eq!(envoy.host.load(&provider.breaker_key), before);
    let other = gateway(r#"{"breaker":{"failures":9},"providers":{"p":{"url":"http://a"}}}"#);
    shared_breaker::seed(&envoy.host, &other.providers()[0]);
    assert_eq!(envoy.host.load(&provider.breaker_key), before, "not even other settings do");
}

#[test]
fn another_url_is_another_breaker() {
    let envoy = Envoy::new();
    envoy.open();
    let moved = gateway(r#"{"providers":{"p":{"url":"http://elsewhere"}}}"#);
    let moved = &moved.providers()[0];
    assert_ne!(moved.breaker_key, envoy.gateway.providers()[0].breaker_key);
    shared_breaker::seed(&envoy.host, moved);
    assert_eq!(shared_breaker::peek(&envoy.host, moved), Breaker::default());
    envoy.refused(30);
}
