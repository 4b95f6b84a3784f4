//! Whole requests through sessions that share a breaker, by a clock that is set by hand.

use gaud::breaker::{BreakerState, ClientNumber, Levels, Outcome, Place, State};
use gaud::health::outcome::StreamEnd;
use gaud::health::shared_breaker::{self, Watched};
use gaud::host::metrics::{Metric, RequestOutcome};
use gaud::host::store::Store;
use gaud::room::Bound;
use gaud::session::RequestAction;

use super::envoy::{BODY_MS, BREAKS_OFF, CLIENT_LEFT, Envoy, NOW_MS, OPEN_MS, PROBE_MS, WHOLE};
use super::gateway;

#[test]
fn a_healthy_request_costs_no_load_and_no_swap_once_its_worker_has_a_copy() {
    let envoy = Envoy::new();
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.host.touched(), (1, 0), "the first");
    for status in [200, 404, 429] {
        envoy.serve(status, WHOLE);
        assert_eq!(envoy.host.touched(), (0, 0), "{status}");
    }
    envoy.serve(200, CLIENT_LEFT);
    assert_eq!(envoy.host.touched(), (0, 0), "the client has left");
    envoy.serve(500, WHOLE);
    envoy.host.touched();
    envoy.serve(200, WHOLE);
    assert_eq!(
        envoy.host.touched().0,
        2,
        "the failure has changed the record: a new copy, and the end of the row of failures"
    );
}

#[test]
fn a_whole_answer_is_looked_at_only_where_it_can_change_a_breaker() {
    let envoy = Envoy::new();
    let over = |is_noted: bool, end: StreamEnd| {
        envoy.host.note_ends(is_noted);
        let (mut session, _) = envoy.ask("p:x");
        let mut looks = 0;
        session.over(&envoy.host, || {
            looks += 1;
            end
        });
        looks
    };
    let ended = |status| StreamEnd { status, flags: 0, details: b"via_upstream".to_vec() };
    let (good, failed) = (ended(200), ended(500));
    assert_eq!(over(false, good.clone()), 0);
    assert_eq!(over(true, failed.clone()), 1);
    assert_eq!(over(false, good.clone()), 1, "the row of failures ends");
    assert_eq!(over(false, good), 0);
    for _ in 0..3 {
        assert_eq!(over(true, failed.clone()), 1);
    }
    assert!(matches!(envoy.ask("p:x").1, RequestAction::Reply(_)), "the breaker is open");
}

#[test]
fn without_a_breaker_nothing_is_loaded() {
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
fn a_breaker_opens_half_opens_and_closes() {
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
    assert_eq!(envoy.host.shown(), [], "the provider was closed all the time");
    let shown = [vec![BreakerState::Open], vec![BreakerState::HalfOpen], vec![]];
    assert_eq!(envoy.host.models_shown(), shown);
    let id = envoy.gateway.ids().next().unwrap();
    let rejected = Metric::Request(id, RequestOutcome::Rejected);
    assert_eq!(envoy.host.count_of(rejected), 4);
    assert_eq!(envoy.host.count_of(Metric::Probe(id, Outcome::Success)), 2);
    envoy.host.touched();
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.host.touched(), (1, 0), "as healthy as ever");
}

#[test]
fn broken_streams_open_the_breaker() {
    let envoy = Envoy::new();
    (0..3).for_each(|_| envoy.serve(200, BREAKS_OFF));
    assert_eq!(envoy.state(), State::Open { until_ms: NOW_MS + OPEN_MS });
}

#[test]
fn a_complete_response_resets_the_failures() {
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
fn client_disconnects_do_not_count() {
    let envoy = Envoy::new();
    envoy.serve(500, WHOLE);
    envoy.serve(500, WHOLE);
    envoy.serve(200, CLIENT_LEFT);
    envoy.end(&mut envoy.sent(), CLIENT_LEFT);
    assert_eq!(envoy.state(), State::Closed { failures: 2 });
}

#[test]
fn outcomes_from_before_the_opening_are_ignored() {
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
fn a_probe_whose_client_leaves_frees_its_place() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.end(&mut envoy.sent(), CLIENT_LEFT);
    envoy.serve(200, CLIENT_LEFT);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn a_probe_that_breaks_off_opens_the_breaker_again() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.serve(200, BREAKS_OFF);
    assert_eq!(envoy.state(), State::Open { until_ms: envoy.until_ms() });
}

#[test]
fn a_lost_probe_frees_its_place_after_its_deadline() {
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
fn failed_checks_count_as_failures() {
    let envoy = Envoy::new();
    let id = envoy.gateway.ids().next().unwrap();
    let fail = || Watched::of(&envoy.gateway, id).unwrap().check_failed(&envoy.host);
    envoy.serve(500, WHOLE);
    (0..3).for_each(|_| fail());
    assert_eq!(envoy.state(), State::Closed { failures: 1 }, "a check is not about a model");
    let open = State::Open { until_ms: envoy.until_ms() };
    envoy.host.advance(1);
    fail();
    assert_eq!(envoy.provider_state(), open, "it is not open for longer");
    envoy.host.advance(OPEN_MS);
    let mut probe = envoy.sent();
    fail();
    envoy.respond(&mut probe, 200);
    envoy.end(&mut probe, WHOLE);
    let open = State::Open { until_ms: envoy.until_ms() };
    assert_eq!(envoy.provider_state(), open, "the probe is late");
}

#[test]
fn seeding_does_not_overwrite_a_record() {
    let envoy = Envoy::new();
    envoy.open();
    let provider = &envoy.gateway.providers()[0];
    let before = envoy.host.load(&provider.breaker_key);
    shared_breaker::seed(&envoy.host, provider);
    assert_eq!(envoy.host.load(&provider.breaker_key), before);
    let other =
        gateway(r#"{"breaker":{"failures":9},"providers":{"p":{"url":"http://a","auth":"none"}}}"#);
    shared_breaker::seed(&envoy.host, &other.providers()[0]);
    assert_eq!(envoy.host.load(&provider.breaker_key), before, "not even other settings do");
}

#[test]
fn another_url_is_another_breaker() {
    let envoy = Envoy::new();
    envoy.open();
    let moved = gateway(r#"{"providers":{"p":{"url":"http://elsewhere","auth":"none"}}}"#);
    let moved = &moved.providers()[0];
    assert_ne!(moved.breaker_key, envoy.gateway.providers()[0].breaker_key);
    shared_breaker::seed(&envoy.host, moved);
    assert_eq!(shared_breaker::peek(&envoy.host, moved), Levels::default());
    envoy.refused(30);
}

/// What Envoy says when a provider closes its connection after a 101.
const TUNNEL_ENDS: (u64, &[u8]) =
    (1 << 6, b"upstream_reset_after_response_started{connection_termination}");

#[test]
fn a_tunnel_is_not_an_answer() {
    let envoy = Envoy::new();
    for end in [TUNNEL_ENDS, BREAKS_OFF, WHOLE, CLIENT_LEFT].into_iter().cycle().take(8) {
        let (mut session, step) = envoy.socket();
        assert!(matches!(step, RequestAction::Forward(_)), "{step:?}");
        envoy.respond(&mut session, 101);
        envoy.end(&mut session, end);
    }
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
    assert_eq!(envoy.provider_state(), State::Closed { failures: 0 });
    let id = envoy.gateway.ids().next().unwrap();
    let sent = |outcome| envoy.host.count_of(Metric::Request(id, RequestOutcome::Sent(outcome)));
    assert_eq!([Outcome::Success, Outcome::Failure, Outcome::Neutral].map(sent), [0, 0, 8]);
}

#[test]
fn a_tunnel_is_no_probe() {
    let envoy = Envoy::new();
    envoy.open();
    let refused = envoy.socket().1;
    assert!(matches!(refused, RequestAction::Reply(_)), "{refused:?}");
    envoy.host.advance(OPEN_MS);
    let open = envoy.state();
    let (mut session, step) = envoy.socket();
    assert!(matches!(step, RequestAction::Forward(_)), "{step:?}");
    envoy.respond(&mut session, 101);
    envoy.end(&mut session, TUNNEL_ENDS);
    assert_eq!(envoy.state(), open);
    let mut probe = envoy.sent();
    let refused = envoy.socket().1;
    assert!(matches!(refused, RequestAction::Reply(_)), "a probe is out");
    envoy.respond(&mut probe, 200);
    envoy.end(&mut probe, WHOLE);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn requests_without_a_model_blame_no_model() {
    let envoy = Envoy::new();
    for path in [&b"/v1/files/x"[..], b"/ui/events"] {
        for (status, end) in [(500, WHOLE), (200, BREAKS_OFF)].into_iter().cycle().take(8) {
            let mut session = envoy.without_model(path);
            envoy.respond(&mut session, status);
            envoy.end(&mut session, end);
        }
    }
    let levels = shared_breaker::peek(&envoy.host, &envoy.gateway.providers()[0]);
    assert_eq!(levels, Levels::default());
}

#[test]
fn timeouts_of_a_provider_are_not_about_a_model() {
    let envoy = Envoy::new();
    for _ in 0..5 {
        let mut session = envoy.sent();
        session.respond(&envoy.host, 408, || b"via_upstream".to_vec());
        envoy.end(&mut session, WHOLE);
    }
    let levels = shared_breaker::peek(&envoy.host, &envoy.gateway.providers()[0]);
    assert_eq!(levels, Levels::default());
    for _ in 0..3 {
        let mut session = envoy.sent();
        session.respond(&envoy.host, 504, || b"upstream_per_try_timeout".to_vec());
        envoy.end(&mut session, (4, b"upstream_per_try_timeout"));
    }
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
    assert_eq!(envoy.provider_state(), State::Open { until_ms: envoy.until_ms() });
}

#[test]
fn an_unfinished_probe_has_its_place_for_seconds() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    let (mut hog, step) = envoy.begin("p:x", false);
    assert!(matches!(step, RequestAction::Forward(_)), "{step:?}");
    envoy.refused(1);
    envoy.host.advance(BODY_MS);
    let second = envoy.begin("p:x", false).1;
    assert!(matches!(second, RequestAction::Reply(_)), "not for another unfinished one");
    let bound_met = || envoy.host.count_of(Metric::Bound(Bound::ProbeBody));
    assert_eq!(bound_met(), 0, "the place is still the first one's, should its body come now");
    envoy.serve(200, WHOLE);
    assert_eq!(bound_met(), 1);
    envoy.serve(200, WHOLE);
    assert_eq!(bound_met(), 1, "the second probe has followed a whole one");
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
    envoy.end(&mut hog, CLIENT_LEFT);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn a_client_that_aborts_a_probe_does_not_get_the_next_one_by_an_unfinished_request() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    let (mut hog, _) = envoy.begin("p:x", false);
    envoy.end(&mut hog, CLIENT_LEFT);
    let until_ms = envoy.until_ms();
    let place = Place::Reserved { until_ms, asker: ClientNumber::UNKNOWN };
    assert_eq!(envoy.state(), State::HalfOpen { successes: 0, probe: 0, place });
    assert!(matches!(envoy.begin("p:x", false).1, RequestAction::Reply(_)));
    envoy.serve(200, WHOLE);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
    assert_eq!(
        envoy.host.count_of(Metric::Bound(Bound::ProbeBody)),
        0,
        "the client has left in time"
    );
}

#[test]
fn a_client_that_aborts_a_probe_leaves_the_next_place_to_others_for_a_second() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.turn_to(1);
    envoy.end(&mut envoy.sent(), CLIENT_LEFT);
    envoy.refused(1);
    envoy.host.advance(999);
    envoy.refused(1);
    envoy.turn_to(2);
    envoy.end(&mut envoy.sent(), CLIENT_LEFT);
    envoy.refused(1);
    envoy.turn_to(1);
    envoy.serve(200, WHOLE);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn a_client_that_is_alone_is_the_probe_again_a_second_after_it_has_aborted_one() {
    let envoy = Envoy::new();
    envoy.turn_to(1);
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.end(&mut envoy.sent(), CLIENT_LEFT);
    envoy.refused(1);
    envoy.host.advance(1000);
    envoy.serve(200, WHOLE);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn a_client_whose_unfinished_probe_has_lost_its_place_leaves_it_to_others_for_a_second() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    envoy.turn_to(1);
    let (mut hog, _) = envoy.begin("p:x", false);
    envoy.host.advance(BODY_MS);
    envoy.refused(1);
    envoy.turn_to(2);
    let mut probe = envoy.sent();
    envoy.end(&mut hog, CLIENT_LEFT);
    envoy.respond(&mut probe, 200);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}

#[test]
fn a_probe_whose_body_comes_keeps_its_place_until_the_answer() {
    let envoy = Envoy::new();
    envoy.open();
    envoy.host.advance(OPEN_MS);
    let (mut probe, _) = envoy.begin("p:x", false);
    envoy.host.advance(BODY_MS - 1);
    envoy.finish(&mut probe);
    envoy.host.advance(PROBE_MS - 1);
    envoy.refused(1);
    envoy.respond(&mut probe, 200);
    envoy.serve(200, WHOLE);
    assert_eq!(envoy.state(), State::Closed { failures: 0 });
}
