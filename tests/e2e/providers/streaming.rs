//! Answers pass as they come, in both protocols, for as long as they last.

use crate::kit::client::{Client, Exchange, Request, h1, h2};
use crate::kit::harness::version::a_break_shows;
use crate::kit::harness::{Gateway, wait};
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::pipe::Pump;
use crate::kit::upstream::{Answer, Gate, Provider};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A gateway shared by the tests of this file; its providers must begin to answer within two seconds.
struct Setup {
    gateway: Gateway,
    server: Provider,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let server = Provider::start();
        let one = provider("one", &server.url(), &["timeout_secs = 2"]);
        let two = provider("two", &server.url(), &["timeout_secs = 2", "http2 = true"]);
        Setup { gateway: Gateway::start(&format!("{LISTEN}{one}{two}"), &[]), server }
    })
}

fn request(provider: &str, case: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{provider}:m","stream":true}}"#)).case(case)
}

/// Every way from a client to a provider.
const WAYS: [(Client, &str); 4] = [
    (Client::Http1, "one"),
    (Client::Http1, "two"),
    (Client::Http2, "one"),
    (Client::Http2, "two"),
];

/// A stream whose first event has come.
fn begin(case: &str, client: Client, provider: &str) -> (Exchange, Pump) {
    let (answer, mut pump) = Answer::events();
    setup().server.script(case, answer);
    let mut reader = client.start(&setup().gateway, &request(provider, case));
    pump.send("data: begin\n\n").expect("a reader");
    let (status, headers) = reader.head();
    assert_eq!(*status, 200, "{case}");
    assert_eq!(headers.get("content-type").as_deref(), Some("text/event-stream"), "{case}");
    assert_eq!(headers.get("x-gaud-provider").as_deref(), Some(provider), "{case}");
    assert_eq!(reader.piece().as_deref(), Some(&b"data: begin\n\n"[..]), "{case}");
    (reader, pump)
}

#[test]
fn each_event_reaches_the_client_before_the_next_is_written() {
    for (client, provider) in WAYS {
        let case = format!("events {client:?} {provider}");
        let (mut reader, mut pump) = begin(&case, client, provider);
        for number in 0..100 {
            let event = format!("data: {number} {}\n\n", "x".repeat(number * 10));
            pump.send(&event).expect("a reader");
            let mut got = Vec::new();
            while got.len() < event.len() {
                got.extend(reader.piece().expect("a stream that goes on"));
            }
            assert_eq!(got, event.as_bytes(), "{case}");
        }
        drop(pump);
        assert_eq!(reader.piece().as_deref(), Some(&b""[..]), "{case}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_client_that_leaves_frees_the_provider() {
    for (client, provider) in WAYS {
        let (reader, pump) = begin(&format!("leaves {client:?} {provider}"), client, provider);
        drop(reader);
        pump.wait_for_reader_to_leave();
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_broken_stream_is_broken_for_the_client() {
    for (client, provider) in WAYS {
        let case = format!("breaks {client:?} {provider}");
        let (mut reader, pump) = begin(&case, client, provider);
        pump.fail();
        let seen = (!a_break_shows(client == Client::Http2)).then(Vec::new);
        assert_eq!(reader.piece(), seen, "{case}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_stream_may_last_longer_than_the_timeout() {
    let streams = WAYS
        .map(|(client, provider)| begin(&format!("lasts {client:?} {provider}"), client, provider));
    let start = Instant::now();
    wait::until_true("more than the timeout", || start.elapsed() > Duration::from_millis(2500));
    for (mut reader, mut pump) in streams {
        pump.send("data: still here\n\n").expect("a reader");
        assert_eq!(reader.piece().as_deref(), Some(&b"data: still here\n\n"[..]));
        drop(pump);
        assert_eq!(reader.piece().as_deref(), Some(&b""[..]));
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn an_upload_may_last_longer_than_the_timeout() {
    let case = "slow upload";
    let start = Instant::now();
    let body = format!(r#"{{"model":"one:m","pad":"{}"}}"#, "x".repeat(5000));
    let request = Request::chat(&body).case(case);
    let mut connection = h1::Connection::open(setup().gateway.addr());
    connection.send(h1::head(&request)).expect("a listening gateway");
    let (first, last) = body.split_at(3000);
    connection.send(first).expect("a listening gateway");
    setup().server.wait_until(case, |seen| seen.length > 1000);
    wait::until_true("more than the timeout", || start.elapsed() > Duration::from_millis(2500));
    connection.send(last).expect("a listening gateway");
    assert_eq!(connection.response().status, 200);
    setup().gateway.assert_no_trap();
}

#[test]
fn an_answer_may_begin_before_the_request_ends() {
    for provider in ["one", "two"] {
        let case = format!("early {provider}");
        let (answer, mut pump) = Answer::events();
        setup().server.script(&case, answer.early());
        let body = format!(r#"{{"model":"{provider}:m","pad":"{}"}}"#, "x".repeat(5000));
        let request = Request::chat(&body).case(&case);
        let connection = h2::Connection::open(setup().gateway.addr());
        let mut exchange = connection.start(&request);
        let (first, last) = body.as_bytes().split_at(3000);
        exchange.send(first).expect("a listening gateway");
        pump.send("data: early\n\n").expect("a reader");
        assert_eq!(exchange.head().0, 200, "{case}");
        assert_eq!(exchange.piece().expect("a piece").expect("a whole one"), "data: early\n\n");
        exchange.send(last).expect("a listening gateway");
        exchange.end(&request.trailers);
        assert_eq!(setup().server.wait(&case).length, body.len() - 4);
        drop(pump);
        assert!(exchange.piece().is_none(), "{case}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_large_answer_passes_whole() {
    let body: Vec<u8> = (0..5_000_000_u32).map(|at| (at * 31 % 251) as u8).collect();
    for (client, provider) in WAYS {
        let case = format!("large {client:?} {provider}");
        let answer = Answer::new(200, "application/octet-stream", body.clone());
        setup().server.script(&case, answer);
        let response = client.send(&setup().gateway, &request(provider, &case));
        assert!(response.complete && response.body == body, "{case}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_client_that_leaves_while_it_waits_frees_the_provider() {
    let gate = Gate::closed();
    for (client, provider) in WAYS {
        let case = format!("leaves early {client:?} {provider}");
        let (answer, pump) = Answer::events();
        setup().server.script(&case, answer.held_by(&gate));
        let reader = client.start(&setup().gateway, &request(provider, &case));
        setup().server.wait(&case);
        drop(reader);
        pump.wait_for_reader_to_leave();
    }
    setup().gateway.assert_no_trap();
}
