//! Streams that fail after their first byte: the request is not sent again, and the caller can tell that the stream failed.

use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{Client, Request, Response, h1};
use crate::kit::harness::version::a_break_shows;
use crate::kit::observe::{requests, wait_for_metric};
use crate::kit::upstream::Answer;
use crate::kit::upstream::pipe::Pump;
use serde_json::Value;
use std::thread;

const BEGIN: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\n";

const TABLES: &str = "[[fallbacks]]\nmodel = \"two:chain\"\nto = [\"one:second\"]\n";

fn fleet(each: &str) -> Fleet {
    Fleet::without_breakers(each, &format!("{CHAINS}{TABLES}"))
}

fn request(case: &str, provider: &str) -> Request {
    let body = format!(r#"{{"model":"{provider}:chain","stream":true}}"#);
    Request::chat(body).case(case)
}

/// Begins a stream, lets the provider do something, and returns what the caller has received in the end.
fn stream(fleet: &Fleet, client: Client, provider: &str, then: impl FnOnce(Pump)) -> Response {
    let case = format!("{client:?} {provider}");
    let (answer, mut pump) = Answer::events();
    fleet.server(provider).script(&case, answer);
    pump.send(BEGIN).expect("room");
    let mut exchange = client.start(&fleet.gateway, &request(&case, provider));
    let first = exchange.piece().expect("a first piece");
    then(pump);
    let mut response = exchange.response();
    response.body.splice(0..0, first);
    assert_eq!(response.status, 200, "{case}");
    assert_eq!(response.headers.all("x-gaud-provider"), [provider], "{case}");
    assert_eq!(response.headers.all("x-gaud-attempts"), ["1"], "{case}");
    assert_eq!(fleet.asked(&case), [provider], "{case}: never again after the first byte");
    response
}

const WAYS: [(Client, &str); 4] = [
    (Client::Http1, "one"),
    (Client::Http2, "one"),
    (Client::Http1, "two"),
    (Client::Http2, "two"),
];

/// Fails unless every stream has been counted so.
fn assert_counted(fleet: &Fleet, outcome: &str) {
    for provider in ["one", "two"] {
        wait_for_metric(&fleet.gateway, &requests(provider, outcome), 2);
        for other in ["success", "failure", "neutral"].iter().filter(|other| **other != outcome) {
            wait_for_metric(&fleet.gateway, &requests(provider, other), 0);
        }
    }
    fleet.gateway.assert_no_trap();
}

fn assert_broken_off(client: Client, response: &Response) {
    let is_http2 = client == Client::Http2;
    assert_eq!(response.complete, !a_break_shows(is_http2), "{client:?}: {}", response.text());
}

#[test]
fn a_broken_stream_is_broken_for_the_caller() {
    let fleet = fleet("");
    for (client, provider) in WAYS {
        let response = stream(&fleet, client, provider, Pump::fail);
        assert_broken_off(client, &response);
        assert_eq!(response.text(), BEGIN, "{client:?} {provider}");
    }
    assert_counted(&fleet, "failure");
}

#[test]
fn a_stalled_stream_is_cut() {
    let fleet = fleet("idle_secs = 1\n");
    let stalls = |client, provider| {
        let mut held = None;
        let response = stream(&fleet, client, provider, |pump| held = Some(pump));
        assert_broken_off(client, &response);
        assert_eq!(response.text(), BEGIN, "{client:?} {provider}");
        held.expect("a pump").wait_for_reader_to_leave();
    };
    thread::scope(|scope| {
        for (client, provider) in WAYS {
            scope.spawn(move || stalls(client, provider));
        }
    });
    assert_counted(&fleet, "failure");
}

/// What a caller gets of a stream that ends in order after these pieces.
fn ended(fleet: &Fleet, client: Client, provider: &str, pieces: &[&str]) -> String {
    let response = stream(fleet, client, provider, |mut pump| {
        pieces.iter().for_each(|piece| pump.send(piece).expect("a reader"));
    });
    assert!(response.complete, "{client:?} {provider}");
    response.text()
}

#[test]
fn a_malformed_event_passes_as_it_is() {
    let fleet = fleet("idle_secs = 20\n");
    let pieces = ["data: {no JSON\n\n", "nonsense\n", ": comment\n\n", "data: [DO", "NE]\n\n"];
    for (client, provider) in WAYS {
        let text = ended(&fleet, client, provider, &pieces);
        assert_eq!(text, format!("{BEGIN}{}", pieces.concat()), "{client:?} {provider}");
    }
    assert_counted(&fleet, "success");
}

#[test]
fn a_stream_without_its_last_event_ends_with_an_error() {
    let fleet = fleet("");
    let tails: [&[&str]; 4] = [&[], &[BEGIN], &["data: {\"choi"], &["data: {}\n"]];
    for ((client, provider), pieces) in WAYS.into_iter().zip(tails) {
        let text = ended(&fleet, client, provider, pieces);
        let sent = format!("{BEGIN}{}", pieces.concat());
        let added = text.strip_prefix(&sent).unwrap_or_else(|| panic!("{client:?}: {text}"));
        let breaks = sent.len() - sent.trim_end_matches('\n').len();
        let event = added.trim_start_matches('\n');
        assert!(
            breaks + added.len() - event.len() >= 2,
            "the error is part of another event: {text:?}"
        );
        let json = event.strip_prefix("data: ").and_then(|event| event.strip_suffix("\n\n"));
        let error: Value = serde_json::from_str(json.unwrap_or_default()).expect(event);
        assert!(error["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
        assert_eq!(event.lines().count(), 2, "one event: {event:?}");
    }
    assert_counted(&fleet, "failure");
}

/// What a caller gets of a whole answer.
fn answered(fleet: &Fleet, path: &str, text: &str) -> String {
    let case = format!("{path} {}", text.len());
    fleet.server("one").script(&case, Answer::new(200, "text/event-stream", text));
    let body = r#"{"model":"one:chain","stream":true}"#;
    let response = h1::exchange(fleet.gateway.addr(), &Request::post(path, body).case(&case));
    assert!(response.status == 200 && response.complete, "{case}");
    assert_eq!(fleet.asked(&case), ["one"], "{case}");
    response.text()
}

#[test]
fn each_api_has_its_last_event() {
    let fleet = fleet("");
    let rows = [
        ("/v1/chat/completions", "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"),
        ("/v1/chat/completions", "data: [DONE]\r\n\r\n"),
        ("/v1/completions", "data: [DONE]\n\n"),
        ("/v1/responses", "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n"),
        ("/v1/messages", "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
        ("/v1/chat/completions", "data: {\"error\":{\"message\":\"A provider error.\"}}\n\n"),
    ];
    for (path, mark) in rows {
        let text = format!("{BEGIN}{mark}");
        assert_eq!(answered(&fleet, path, &text), text, "{path}");
    }
    wait_for_metric(&fleet.gateway, &requests("one", "success"), 6);
    fleet.gateway.assert_no_trap();
}

#[test]
fn anthropics_streams_end_with_anthropics_error() {
    let fleet = fleet("");
    let begin = "event: message_start\ndata: {\"type\":\"message_start\"}\n\n";
    let got = answered(&fleet, "/v1/messages", begin);
    let event = got.strip_prefix(begin).expect(&got).trim_start_matches('\n');
    let json = event.strip_prefix("event: error\ndata: ").expect(&got);
    let error: Value = serde_json::from_str(json).expect(json);
    assert_eq!(error["type"], "error");
    assert!(error["error"]["type"].is_string() && error["error"]["message"].is_string(), "{error}");
    assert!(json.ends_with("\n\n"), "{got}");
    wait_for_metric(&fleet.gateway, &requests("one", "failure"), 1);
    fleet.gateway.assert_no_trap();
}
