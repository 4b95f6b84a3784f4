//! Requests through the hop pass as they do without it.

use super::attempts::chat;
use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{CLIENTS, Client, Headers, Request, h1, h2};
use crate::kit::harness::wait;
use crate::kit::samples::{Place, body};
use crate::kit::upstream::{Answer, sha256};
use std::thread;
use std::time::{Duration, Instant};

fn request(case: &str) -> Request {
    Request::chat(chat("one:chain", true)).case(case)
}

/// Lets a moment pass that is longer than a deadline of one second.
pub(super) fn more_than_a_second() {
    let start = Instant::now();
    wait::until_true("more than a second", || start.elapsed() > Duration::from_millis(2500));
}

#[test]
fn a_large_answer_is_whole() {
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|at| (at * 31 % 251) as u8).collect();
    for client in CLIENTS {
        let case = format!("large {client:?}");
        let answer = Answer::new(200, "application/octet-stream", bytes.clone());
        Fleet::shared().server("one").script(&case, answer);
        let response = client.send(&Fleet::shared().gateway, &request(&case));
        assert!(response.complete && response.body == bytes, "{case}: {}", response.body.len());
    }
    Fleet::shared().gateway.assert_no_trap();
}

#[test]
fn an_answer_may_be_empty() {
    for (status, kind) in [(200, "application/json"), (200, "text/plain"), (204, "text/plain")] {
        for client in CLIENTS {
            let case = format!("empty {status} {kind} {client:?}");
            let answer = Answer::new(status, kind, "");
            Fleet::shared().server("one").script(&case, answer);
            let (piped, pump) = Answer::piped(kind);
            drop(pump);
            Fleet::shared().server("one").script(&format!("{case} piped"), piped);
            for case in [case.clone(), format!("{case} piped")] {
                let response = client.send(&Fleet::shared().gateway, &request(&case));
                assert!(response.complete, "{case}");
                // A head alone is not an answer, unless it says that the answer is empty.
                let attempts = response.header("x-gaud-attempts");
                let is_first = attempts.as_deref() == Some("1");
                assert_eq!(is_first, status == 204 && response.status == 204, "{case}");
                assert_eq!(is_first, response.body.is_empty(), "{case}");
            }
        }
    }
    Fleet::shared().gateway.assert_no_trap();
}

#[test]
fn a_large_error_is_whole() {
    let text = format!(r#"{{"error":{{"message":"{}","code":"x"}}}}"#, "no ".repeat(400_000));
    let late = format!(
        r#"{{"error":{{"message":"{}","code":"context_length_exceeded"}}}}"#,
        "no ".repeat(400_000)
    );
    for client in CLIENTS {
        for (name, text) in [("plain", &text), ("late", &late)] {
            let case = format!("large error {name} {client:?}");
            let answer = Answer::new(400, "application/json", text.as_str());
            Fleet::shared().server("one").script(&case, answer);
            let response = client.send(&Fleet::shared().gateway, &request(&case));
            let start: String = response.text().chars().take(200).collect();
            assert_eq!((response.status, response.complete), (400, true), "{case}: {start}");
            assert!(response.text() == *text, "{case}: {} bytes", response.body.len());
        }
    }
    Fleet::shared().gateway.assert_no_trap();
}

#[test]
fn a_large_error_about_the_context_goes_to_the_next() {
    let text = format!(
        r#"{{"error":{{"code":"context_length_exceeded","message":"{}"}}}}"#,
        "no ".repeat(400_000)
    );
    for client in CLIENTS {
        let case = format!("large context {client:?}");
        let answer = Answer::new(400, "application/json", text.as_str());
        Fleet::shared().server("one").script(&case, answer);
        let response = client.send(&Fleet::shared().gateway, &request(&case));
        assert_eq!((response.status, response.complete), (200, true), "{case}");
        assert_eq!(Fleet::shared().asked(&case), ["one", "two"]);
    }
    Fleet::shared().gateway.assert_no_trap();
}

#[test]
fn an_answer_may_begin_before_the_request_ends() {
    let fleet = Fleet::shared();
    for chunked in [false, true] {
        let case = format!("early {chunked}");
        let (answer, mut pump) = Answer::events();
        fleet.server("one").script(&case, answer.early());
        let sent = body("one:chain", Place::First, 100_000);
        let mut request = Request::chat(&sent).cut(&[50_000]).case(&case);
        request.chunked = chunked;
        let connection = h2::Connection::open(fleet.gateway.addr());
        let mut exchange = connection.start(&request);
        exchange.send(&request.pieces[0]).expect("a listening gateway");
        pump.send("data: early\n\n").expect("a reader");
        assert_eq!(exchange.head().0, 200, "{case}");
        assert_eq!(exchange.piece().expect("a piece").expect("a whole one"), "data: early\n\n");
        exchange.send(&request.pieces[1]).expect("a listening gateway");
        exchange.end(&Headers::default());
        let expected = body("chain", Place::First, 100_000);
        assert_eq!(fleet.server("one").wait(&case).sha256, sha256(&expected), "{case}");
        pump.send("data: [DONE]\n\n").expect("a reader");
        drop(pump);
        assert_eq!(exchange.piece().expect("a piece").expect("a whole one"), "data: [DONE]\n\n");
        assert!(exchange.piece().is_none(), "{case}");
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn a_stream_may_last_longer_than_all_deadlines() {
    let fleet = Fleet::without_breakers("timeout_secs = 1\nfirst_token_secs = 1\n", CHAINS);
    let (answer, mut pump) = Answer::events();
    fleet.server("one").script("lasts", answer);
    let mut client = h1::Connection::open(fleet.gateway.addr());
    client.send_request(&request("lasts"));
    pump.send("data: begin\n\n").expect("a reader");
    assert_eq!(client.head().status, 200);
    more_than_a_second();
    pump.send("data: [DONE]\n\n").expect("a reader");
    drop(pump);
    let pieces = [client.chunk(), client.chunk(), client.chunk()];
    let expected = ["data: begin\n\n", "data: [DONE]\n\n", ""];
    assert_eq!(pieces, expected.map(|text| Some(text.as_bytes().to_vec())));
    fleet.gateway.assert_no_trap();
}

/// The deadlines are the provider's, which cannot answer what it has not read.
#[test]
fn an_upload_may_last_longer_than_all_deadlines() {
    let deadlines = ["timeout_secs = 1\n", "first_token_secs = 1\n", "idle_secs = 1\n"];
    thread::scope(|scope| {
        for each in deadlines {
            scope.spawn(|| uploads_slowly(each));
        }
    });
}

fn uploads_slowly(each: &str) {
    let fleet = Fleet::without_breakers(each, CHAINS);
    let sent = body("one:chain", Place::First, 10_000);
    let request = Request::chat(&sent).cut(&[5000]).case("slow");
    let mut exchange = Client::Http1.begin(&fleet.gateway, &request);
    exchange.send(&request.pieces[0]).expect("a listening gateway");
    fleet.server("one").wait_until("slow", |_| true);
    more_than_a_second();
    exchange.send(&request.pieces[1]).expect("a listening gateway");
    let response = exchange.response();
    assert_eq!(response.status, 200, "{each}: {}", response.text());
    assert_eq!(fleet.asked("slow"), ["one"], "{each}");
    fleet.gateway.assert_no_trap();
}
