//! Envoy's replies, when a provider cannot be reached or does not answer, have the error shape of the API, and name the provider
//! and the reason.

use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::harness::version::{a_break_shows, a_late_connection_shows};
use crate::kit::observe::{metric, requests, wait_for_metric};
use crate::kit::refusal::{self, Refusal};
use crate::kit::samples::{LISTEN, provider, without_cluster};
use crate::kit::upstream::Gate;
use crate::kit::upstream::raw::{Act, Closed, Full, Raw};
use std::sync::OnceLock;

/// Gateways whose providers all fail, each in another way: requests of the second take the hop.
struct Setup {
    gateways: [Gateway; 2],
    _closed: Closed,
    _raw: Vec<Raw>,
}

/// Providers that accept a connection and then misbehave.
fn misbehaviours() -> Vec<(&'static str, Vec<Act>)> {
    let answer = |bytes| vec![Act::ReadHead, Act::Send(bytes)];
    let half =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 10\r\n\r\n12345";
    let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n";
    vec![
        ("closes", vec![]),
        ("resets", vec![Act::Reset]),
        ("resets-later", vec![Act::ReadHead, Act::Reset]),
        ("garbage", answer(b"this is not HTTP at all\r\n\r\n")),
        ("half-head", answer(b"HTTP/1.1 200 OK\r\ncontent-")),
        ("binary", answer(b"\x16\x03\x01\x00\xff\xfe\x00")),
        ("half-body", answer(half)),
        ("half-chunks", answer(chunk)),
        ("half-reset", vec![Act::ReadHead, Act::Send(chunk), Act::Reset]),
        ("silent", vec![Act::ReadHead, Act::Pass(Gate::closed())]),
    ]
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let closed = Closed::bind();
        let mut toml = format!("{LISTEN}{}", provider("refuses", &closed.url(), &[]));
        toml += &provider("no-such-host", "http://no-such-host.invalid:1", &[]);
        toml += &provider("no-cluster", &closed.url(), &[]);
        let mut raw = Vec::new();
        for (name, acts) in misbehaviours() {
            let server = Raw::start(acts);
            let limit: &[&str] = if name == "silent" { &["timeout_secs = 1"] } else { &[] };
            toml += &provider(name, &server.url(), limit);
            raw.push(server);
        }
        let gateways = ["", "[retries]\nmax = 1\nbackoff_ms = 10\n"].map(|retries| {
            let yaml = Gateway::render(&(toml.clone() + retries), &[]).expect("a configuration");
            Gateway::from_yaml(&without_cluster(&yaml, "no-cluster"), &[], &[])
        });
        Setup { gateways, _closed: closed, _raw: raw }
    })
}

fn ask(gateway: &Gateway, path: &str, provider: &str) -> [Response; 2] {
    let body = format!(r#"{{"model":"{provider}:m","stream":true}}"#);
    let request = Request::post(path, body);
    let addr = gateway.addr();
    [h1::exchange(addr, &request), h2::exchange(addr, &request)]
}

const REFUSED: &str = "nothing takes connections at its url (connection refused; Envoy's flag UF)";
const CLOSED: &str = "it closed the connection before it answered (Envoy's flag UC)";

#[test]
fn envoys_replies_have_the_apis_error_shape() {
    let unreachable = |provider: &'static str, why: &str| {
        let message = format!("The provider '{provider}' cannot be reached: {why}.");
        (provider, refusal::provider_unreachable().saying(&message))
    };
    let bad_response = |provider: &'static str| {
        let message =
            format!("The provider '{provider}' sent no valid HTTP response (Envoy's flag UPE).");
        (provider, refusal::bad_provider_response().saying(&message))
    };
    let rows: [(&str, Refusal); 9] = [
        unreachable("refuses", REFUSED),
        unreachable("no-such-host", "the name in its url does not resolve (Envoy's flag UH)"),
        unreachable("no-cluster", "Envoy has no cluster of this name (Envoy's flag NC)"),
        unreachable("closes", CLOSED),
        // A connection that is reset at once may count as one that was not opened.
        (
            "resets",
            refusal::provider_unreachable().saying("The provider 'resets' cannot be reached: …"),
        ),
        unreachable("resets-later", CLOSED),
        bad_response("garbage"),
        bad_response("half-head"),
        bad_response("binary"),
    ];
    for gateway in &setup().gateways {
        for (provider, refusal) in &rows {
            for response in ask(gateway, "/v1/chat/completions", provider) {
                refusal.assert_openai(provider, &response);
            }
            for response in ask(gateway, "/v1/messages", provider) {
                refusal.assert_anthropic(provider, &response);
            }
        }
        gateway.assert_no_trap();
    }
}

#[test]
fn a_provider_that_does_not_answer_in_time_is_given_up() {
    for gateway in &setup().gateways {
        for response in ask(gateway, "/v1/chat/completions", "silent") {
            refusal::provider_timeout("silent").assert_openai("silent", &response);
        }
        gateway.assert_no_trap();
    }
}

#[test]
fn a_connection_that_is_not_taken_in_time_is_given_up() {
    let full = Full::bind();
    let gateway = Gateway::start(&format!("{LISTEN}{}", provider("full", full.url(), &[])), &[]);
    let why = match a_late_connection_shows() {
        true => "nothing took the connection to its url in time (Envoy's flag UF)",
        false => "no connection could be opened (Envoy's flag UF)",
    };
    let message = format!("The provider 'full' cannot be reached: {why}.");
    for response in ask(&gateway, "/v1/chat/completions", "full") {
        refusal::provider_unreachable().saying(&message).assert_openai("full", &response);
    }
    // The provider is at fault, and not a lack of connections here.
    wait_for_metric(&gateway, &requests("full", "failure"), 2);
    assert_eq!(metric(&gateway, "gaud_shortages_total{}"), 0);
    gateway.assert_no_trap();
}

#[test]
fn an_answer_that_breaks_off_is_never_taken_for_a_whole_one() {
    for provider in ["half-body", "half-chunks", "half-reset"] {
        let [h1, h2] = ask(&setup().gateways[0], "/v1/chat/completions", provider);
        for (response, is_http2) in [(h1, false), (h2, true)] {
            let complete = !a_break_shows(is_http2);
            assert_eq!((response.status, response.complete), (200, complete), "{provider}");
            assert_eq!(response.text(), "12345", "{provider}");
        }
    }
    setup().gateways[0].assert_no_trap();
}

#[test]
fn requests_envoy_refuses_get_the_apis_error_shape() {
    let [gateway, _] = &setup().gateways;
    let addr = gateway.addr();
    for (what, head) in [
        ("no host", "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 0\r\n\r\n"),
        (
            "two lengths",
            "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        ),
    ] {
        let mut connection = h1::Connection::open(addr);
        connection.send(head).expect("a listening gateway");
        refusal::invalid_request().assert_openai(what, &connection.response());
    }
    setup().gateways[0].assert_no_trap();
}
