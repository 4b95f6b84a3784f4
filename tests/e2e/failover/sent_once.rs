//! Requests that are never sent again, and models that do not take the way on which they could be.

use super::attempts::chat;
use super::fault::Fault::{self, Breaks, Good, Later, Status};
use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{Request, Response, h1};
use crate::kit::refusal;
use crate::kit::upstream::Answer;
use std::sync::OnceLock;

/// A fleet that retries every model.
fn eager() -> &'static Fleet {
    static EAGER: OnceLock<Fleet> = OnceLock::new();
    EAGER.get_or_init(|| Fleet::without_breakers("", &format!("{CHAINS}[retries]\nmax = 2\n")))
}

/// Sends a request whose only attempt fails so.
fn once(case: &str, fault: Fault, request: Request) -> Response {
    let _pumps = eager().script(case, &[("one:m", fault)], false);
    let response = h1::exchange(eager().gateway.addr(), &request.case(case));
    assert_eq!(eager().asked(case), ["one"], "{case}: {}", response.text());
    response
}

/// Fails unless a request is sent once, however its attempt fails.
fn never_again(name: &str, request: &Request) {
    for status in [500, 503, 429] {
        let response = once(&format!("{name} {status}"), Status(status), request.clone());
        assert_eq!(response.status, status, "{name}");
        let response = once(&format!("{name} later {status}"), Later(status, "1"), request.clone());
        assert_eq!(response.status, status, "{name}");
        assert_eq!(response.headers.all("retry-after"), ["1"], "{name}");
    }
    let response = once(&format!("{name} breaks"), Breaks, request.clone());
    refusal::provider_unreachable().assert_openai(name, &response);
    eager().gateway.assert_no_trap();
}

#[test]
fn requests_that_create_objects_are_sent_once() {
    for path in [
        "/v1/batches",
        "/v1/fine_tuning/jobs",
        "/v1/assistants",
        "/v1/threads/runs",
        "/v1/threads/thread_1/runs",
    ] {
        never_again(path, &Request::post(path, chat("one:chain", false)));
        never_again(&format!("{path} no model"), &Request::post(path, "{}"));
    }
}

#[test]
fn requests_without_a_model_are_sent_once() {
    never_again("GET", &Request::new("GET", "/v1/files"));
    never_again("POST", &Request::post("/v1/files", r#"{"model":"one:chain"}"#));
    never_again("DELETE", &Request::new("DELETE", "/v1/files/1"));
    never_again("other", &Request::post("/key/generate", r#"{"model":"one:chain"}"#));
}

#[test]
fn a_websocket_is_opened_once() {
    for status in [500, 503, 429] {
        let case = format!("websocket {status}");
        let request = Request::new("GET", "/v1/realtime?model=one:chain")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(once(&case, Status(status), request).status, status);
    }
    eager().gateway.assert_no_trap();
}

#[test]
fn a_model_without_a_chain_goes_straight() {
    let fleet = Fleet::without_breakers("", CHAINS);
    let ask = |case: &str, model: &str| {
        let request = Request::chat(chat(model, false)).case(case);
        assert_eq!(h1::exchange(fleet.gateway.addr(), &request).status, 200, "{case}");
    };
    ask("plain", "one:m");
    ask("plain two", "two:second");
    ask("plain default", "m");
    assert_eq!(fleet.hops(), 0);
    ask("chain", "one:chain");
    assert_eq!(fleet.hops(), 1);
    ask("plain again", "one:m");
    assert_eq!(fleet.hops(), 1);
    fleet.gateway.assert_no_trap();
}

#[test]
fn without_a_deadline_a_stream_passes_unchanged() {
    let fleet = Fleet::shared();
    let text = "data: {\"choices\":[]}\n\n";
    fleet.server("one").script("as it is", Answer::new(200, "text/event-stream", text));
    let request = Request::chat(chat("one:m", true)).case("as it is");
    let response = h1::exchange(fleet.gateway.addr(), &request);
    assert_eq!((response.text(), response.complete), (text.to_owned(), true));
}

#[test]
fn a_providers_deadlines_and_retries_for_all_need_the_hop() {
    let deadlines = ["first_token_secs = 20\n", "idle_secs = 20\n", ""];
    for (each, tables) in [(deadlines, ""), ([""; 3], "[retries]\nmax = 1\n")] {
        let fleet = Fleet::start_each(each, tables);
        fleet.tells(&[("good", "one:m", &[("one:m", Good)]), ("two", "two:m", &[("two:m", Good)])]);
        assert_eq!(fleet.hops(), 8, "{tables}");
    }
}
