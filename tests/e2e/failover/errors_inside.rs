//! Errors inside a 200: as the first event of a stream, or as the whole body. While nothing has reached the caller, the
//! request goes on down its chain.

use super::fleet::{CHAINS, Fleet};
use crate::kit::client::{Client, Request, h1};
use crate::kit::observe::{requests, wait_for_metric};
use crate::kit::upstream::Answer;

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

/// Errors of the provider's, as the APIs write them: name, content-type and body.
const FAILURES: [(&str, &str, &str); 8] = [
    (
        "OpenAI's event",
        EVENTS,
        "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n",
    ),
    ("CR", EVENTS, "data:{\"error\":{\"message\":\"x\"}}\r\r"),
    (
        "Anthropic's event",
        EVENTS,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
    ),
    (
        "after comments and a ping",
        EVENTS,
        ": wait\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: error\ndata: {}\n\n",
    ),
    (
        "Responses",
        EVENTS,
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\"}}}\n\n",
    ),
    (
        "finish_reason",
        EVENTS,
        "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"error\"}]}\n\n",
    ),
    (
        "OpenAI's body",
        JSON,
        "{\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"code\":null}}",
    ),
    (
        "Gemini's body",
        JSON,
        "[{\n  \"error\": {\n    \"code\": 503, \"status\": \"UNAVAILABLE\"}}]",
    ),
];

fn request(case: &str, model: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{model}","stream":true}}"#)).case(case)
}

#[test]
fn an_error_of_the_providers_goes_on_down_the_chain() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for client in [Client::Http1, Client::Http2] {
        for (name, content_type, body) in FAILURES {
            let case = format!("{client:?} {name}");
            let failure = || Answer::new(200, content_type, body);
            // The first target has one retry.
            fleet.server("one").script(&case, failure());
            fleet.server("one").script(&case, failure());
            let response = client.start(&fleet.gateway, &request(&case, "one:pair")).response();
            assert_eq!(response.status, 200, "{case}");
            assert_eq!(fleet.asked(&case), ["one", "one", "two"], "{case}");
            assert_eq!(response.header("x-gaud-provider"), Some("two".into()), "{case}");
            assert!(!response.text().contains("error"), "{case}: {}", response.text());
        }
    }
    let failures = 4 * u64::try_from(FAILURES.len()).expect("a number");
    wait_for_metric(&fleet.gateway, &requests("one", "failure"), failures);
    wait_for_metric(&fleet.gateway, &requests("one", "success"), 0);
    fleet.gateway.assert_no_trap();
}

#[test]
fn without_another_target_the_caller_gets_the_error_as_it_is() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (name, content_type, body) in FAILURES {
        for server in ["one", "two"] {
            (0..2).for_each(|_| {
                fleet.server(server).script(name, Answer::new(200, content_type, body))
            });
        }
        let response = h1::exchange(fleet.gateway.addr(), &request(name, "one:pair"));
        assert_eq!((response.status, response.text()), (200, body.to_owned()), "{name}");
        assert_eq!(fleet.asked(name), ["one", "one", "two", "two"], "{name}");
    }
    for provider in ["one", "two"] {
        wait_for_metric(&fleet.gateway, &requests(provider, "failure"), 16);
        wait_for_metric(&fleet.gateway, &requests(provider, "success"), 0);
    }
}

#[test]
fn a_limit_moves_on_and_is_no_failure() {
    let fleet = Fleet::without_breakers("", CHAINS);
    let body = "data: {\"error\":{\"type\":\"rate_limit_error\"}}\n\n";
    fleet.server("one").script("limit", Answer::new(200, EVENTS, body));
    h1::exchange(fleet.gateway.addr(), &request("limit", "one:pair"));
    assert_eq!(fleet.asked("limit"), ["one", "two"]);
    wait_for_metric(&fleet.gateway, &requests("one", "success"), 1);
    wait_for_metric(&fleet.gateway, &requests("one", "failure"), 0);
}

#[test]
fn an_error_of_the_clients_reaches_the_client_and_is_neutral() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (case, content_type, body) in [
        (
            "event",
            EVENTS,
            "event: error\ndata: {\"error\":{\"type\":\"invalid_request_error\"}}\n\n",
        ),
        ("body", JSON, "{\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\"}}"),
    ] {
        fleet.server("one").script(case, Answer::new(200, content_type, body));
        let response = h1::exchange(fleet.gateway.addr(), &request(case, "one:pair"));
        assert_eq!(response.text(), body);
        assert_eq!(fleet.asked(case), ["one"]);
        assert_eq!(response.header("x-should-retry"), None);
    }
    wait_for_metric(&fleet.gateway, &requests("one", "neutral"), 2);
}

#[test]
fn an_answer_that_says_error_and_has_none_is_an_answer() {
    let fleet = Fleet::without_breakers("", CHAINS);
    for (case, content_type, body) in [
        ("null", JSON, "{\"id\":\"r\",\"error\":null,\"output\":[]}"),
        (
            "text",
            JSON,
            "{\"choices\":[{\"message\":{\"content\":\"\\\"error\\\":{\"},\"finish_reason\":\"stop\"}]}",
        ),
        ("nested", JSON, "{\"output\":[{\"error\":{\"code\":500}}]}"),
        (
            "comments",
            EVENTS,
            ": error\n\nid: error\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n",
        ),
        ("sound", "audio/mpeg", "{\"error\":{\"code\":500}}"),
    ] {
        fleet.server("one").script(case, Answer::new(200, content_type, body));
        let response = h1::exchange(fleet.gateway.addr(), &request(case, "one:pair"));
        assert_eq!(response.text(), body);
        assert_eq!(fleet.asked(case), ["one"], "{case}");
    }
    wait_for_metric(&fleet.gateway, &requests("one", "success"), 5);
}

#[test]
fn models_whose_streams_begin_with_an_error_open_their_breaker() {
    let fleet = Fleet::start(
        "",
        "[retries]\nmax = 0\n[[fallbacks]]\nmodel = \"one:m\"\nto = [\"two:m\"]\n",
    );
    let (_, content_type, body) = FAILURES[2];
    for _ in 0..3 {
        fleet.server("one").script("open", Answer::new(200, content_type, body));
        h1::exchange(fleet.gateway.addr(), &request("open", "one:m"));
    }
    h1::exchange(fleet.gateway.addr(), &request("after", "one:m"));
    assert_eq!(fleet.asked("after"), ["two"]);
    assert_eq!(fleet.asked("open"), ["one", "two", "one", "two", "one", "two"]);
}
