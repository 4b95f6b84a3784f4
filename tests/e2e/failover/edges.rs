//! The edges of the way through the hop: long bodies, slow clients, odd names, connections in use.

use super::attempts::{Step, assert_no_secrets, chat};
use super::fault::Fault::{Good, Status};
use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{CLIENTS, Request, h1, h2};
use crate::kit::harness::wait;
use crate::kit::observe::wait_for_outcome;
use crate::kit::samples::{Place, body};
use crate::kit::upstream::{Answer, sha256};

const RETRIED: [Step; 2] = [("one:chain", Status(500)), ("one:chain", Good)];

/// A body that is too long to be kept is sent once.
#[test]
fn a_body_past_the_limit_is_sent_once() {
    const LIMIT: usize = 1_048_576;
    let fleet = Fleet::with_head(&format!("body_limit_bytes = {LIMIT}\n"), CHAINS);
    for client in CLIENTS {
        for (size, attempts) in [(LIMIT / 2, 2), (4 * LIMIT, 1)] {
            let case = format!("{size} {client:?}");
            fleet.server("one").script(&case, Answer::new(500, "text/plain", "failed"));
            let sent = body("one:chain", Place::First, size);
            let request = Request::chat(sent).cut_every(50_000).case(&case);
            let response = client.send(&fleet.gateway, &request);
            let status = if attempts == 1 { 500 } else { 200 };
            assert_eq!(response.status, status, "{case}: {}", response.text());
            assert_eq!(fleet.asked(&case).len(), attempts, "{case}");
            assert_no_secrets(&case, &response);
            let expected = sha256(&body("chain", Place::First, size));
            assert!(
                fleet.attempts(&case).iter().all(|(_, seen)| seen.sha256 == expected),
                "{case}"
            );
        }
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn requests_follow_each_other_on_a_connection() {
    let fleet = Fleet::shared();
    let mut http1 = h1::Connection::open(fleet.gateway.addr());
    let http2 = h2::Connection::open(fleet.gateway.addr());
    for round in 0..10 {
        for name in ["http1", "http2"] {
            let case = format!("follow {name} {round}");
            let _pumps = fleet.script(&case, &RETRIED, round % 2 == 0);
            let request = Request::chat(chat("one:chain", round % 2 == 0)).case(&case);
            let response = match name {
                "http1" => {
                    http1.send_request(&request);
                    http1.response()
                }
                _ => http2.exchange(&request),
            };
            assert_eq!((response.status, response.complete), (200, true), "{case}");
            assert_eq!(fleet.asked(&case), ["one", "one"], "{case}");
        }
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn a_client_may_wait_for_100_continue() {
    let fleet = Fleet::shared();
    let _pumps = fleet.script("expect", &RETRIED, false);
    let sent = chat("one:chain", false);
    let request = Request::chat(&sent).header("expect", "100-continue").case("expect");
    let mut connection = h1::Connection::open(fleet.gateway.addr());
    connection.send(h1::head(&request)).expect("a listening gateway");
    assert_eq!(connection.head().status, 100);
    connection.send(&sent).expect("a listening gateway");
    assert_eq!(connection.response().status, 200);
    let seen = fleet.attempts("expect");
    assert!(seen.iter().all(|(_, seen)| seen.text() == chat("chain", false)), "{seen:?}");
    assert!(seen.iter().all(|(_, seen)| seen.header("expect").is_none()), "{seen:?}");
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_model_may_have_any_name() {
    let fleet = Fleet::shared();
    for (index, name) in
        ["größe", "😀", "a;b;json;1;2", "a%3Bb%", "a/b c", "a\\u003bb", "a\\\"b", "-.~_"]
            .iter()
            .enumerate()
    {
        let case = format!("name {index}");
        let first = ("one:glob-x", Status(500));
        let _pumps = fleet.script(&case, &[first, first, ("two:second", Good)], false);
        let sent = chat(&format!("one:glob-{name}"), false);
        let response = h1::exchange(fleet.gateway.addr(), &Request::chat(sent).case(&case));
        assert_eq!(response.status, 200, "{name}: {}", response.text());
        let models: Vec<String> = fleet
            .attempts(&case)
            .iter()
            .map(|(_, seen)| {
                let body: serde_json::Value = serde_json::from_slice(&seen.body).expect("JSON");
                body["model"].as_str().expect("a model").to_owned()
            })
            .collect();
        let plain: String = serde_json::from_str(&format!("\"glob-{name}\"")).expect("a name");
        assert_eq!(models, [&plain, &plain, "second"], "{name}");
    }
    fleet.gateway.assert_no_trap();
}

/// Nothing moves because the client does not read: the provider has not failed.
#[test]
fn a_client_that_does_not_read_does_not_count() {
    let fleet = Fleet::without_breakers("idle_secs = 1\n", CHAINS);
    let answer = Answer::new(200, "application/octet-stream", vec![b'x'; 50_000_000]);
    fleet.server("one").script("unread", answer);
    let mut client = h1::Connection::open(fleet.gateway.addr());
    client.send_request(&Request::chat(chat("one:chain", true)).case("unread"));
    assert_eq!(client.head().status, 200);
    // Nothing ends it but the client itself.
    drop(client);
    assert_eq!(wait_for_outcome(&fleet.gateway, "one"), "neutral");
    fleet.gateway.assert_no_trap();
}

/// How much of the first provider's answers Envoy has read.
fn received(fleet: &Fleet) -> u64 {
    fleet.gateway.admin().stats()["cluster.one.upstream_cx_rx_bytes_total"]
}

/// Waits until Envoy reads no further.
fn wait_until_stuck(fleet: &Fleet, before: u64) {
    let (mut last, mut quiet) = (before, 0);
    wait::until_true("an answer that is held up", || {
        let now = received(fleet);
        quiet = if now == last { quiet + 1 } else { 0 };
        last = now;
        now > before && quiet > 20
    });
}

#[test]
fn a_slow_client_gets_the_whole_answer() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for model in ["one:m", "one:chain"] {
        for size in [500_000_usize, 1_500_000, 2_500_000, 5_000_000, 9_000_000] {
            let bytes: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
            for name in ["h1", "h2"] {
                let case = format!("late {model} {size} {name}");
                let answer = Answer::new(200, "application/octet-stream", bytes.clone());
                fleet.server("one").script(&case, answer);
                // Without a length, so that the provider answers the whole request and not a request whose end is on its
                // way: Envoy resets an HTTP/2 stream that is answered before its end, and the client loses what it has
                // not read.
                let request = Request::chat(chat(model, false)).case(&case).chunked();
                let before = received(&fleet);
                let response = if name == "h1" {
                    let mut client = h1::Connection::open(fleet.gateway.addr());
                    client.send_request(&request);
                    wait_until_stuck(&fleet, before);
                    client.response()
                } else {
                    let connection = h2::Connection::open(fleet.gateway.addr());
                    let mut exchange = connection.start(&request);
                    exchange.send(&request.pieces.concat()).expect("a listening gateway");
                    exchange.end(&request.trailers);
                    wait_until_stuck(&fleet, before);
                    exchange.response()
                };
                assert!(
                    response.complete && response.body == bytes,
                    "{case}: {}",
                    response.body.len()
                );
            }
        }
    }
    fleet.gateway.assert_no_trap();
}
