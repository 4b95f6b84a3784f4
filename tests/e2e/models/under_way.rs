//! Lists that clients ask for and do not read: they are bounded, and other requests do not wait for them.

use std::time::{Duration, Instant};

use super::{DISCOVER, LISTEN, long_list, wait_for_models};
use crate::kit::client::{CLIENTS, Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::harness::wait::until_true;
use crate::kit::observe::metric;
use crate::kit::samples::provider;
use crate::kit::upstream::Provider;

const MIB: u64 = 1 << 20;
const LISTS: u32 = 400;

/// What one address may have of the default of `lists_limit_bytes`, and Envoy's own growth beside the lists.
const SHARE_BYTES: u64 = 8 * MIB;
const MARGIN_BYTES: u64 = 32 * MIB;

/// A chat beside 400 lists has waited 7 s, and takes a millisecond alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// A gateway with one worker, whose provider lists 10,000 models of 65 bytes.
fn start(settings: &str) -> (Gateway, Provider) {
    let server = Provider::start();
    server.always("", 200, long_list(10_000, &"m".repeat(59)));
    let head = format!("{LISTEN}{settings}\ndefault_provider = \"p\"\n");
    let toml = format!("{head}{}", provider("p", &server.url(), &[DISCOVER]));
    let gateway = Gateway::with_workers(1, &toml);
    wait_for_models(&gateway, 10_000);
    (gateway, server)
}

fn met(gateway: &Gateway, setting: &str) -> u64 {
    metric(gateway, &format!(r#"gaud_bounds_total{{bound="{setting}"}}"#))
}

/// The lists of a connection whose client grants no bytes of any answer, as HTTP/2 frames (RFC 9113).
fn lists_without_a_window() -> Vec<u8> {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const END_STREAM_AND_HEADERS: u8 = 5;
    const INITIAL_WINDOW_SIZE: u8 = 4;
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let literal = |name: &str, value: &str| {
        let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/v1/models"),
        (":authority", "gateway"),
    ];
    let block: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
    let settings = frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0]);
    let lists =
        (0..LISTS).flat_map(|list| frame(HEADERS, END_STREAM_AND_HEADERS, 2 * list + 1, &block));
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), settings, lists.collect()].concat()
}

/// Fails unless a chat is answered soon, and Envoy has grown by no more than a client's share of lists.
fn assert_unmoved(gateway: &Gateway, case: &str, before: u64) {
    let started = Instant::now();
    let chat = Request::chat(r#"{"model":"p:m"}"#).case("chat");
    assert_eq!(h1::exchange(gateway.addr(), &chat).status, 200, "{case}");
    let waited = started.elapsed();
    assert!(waited < PATIENCE, "{case}: a chat has waited {waited:?}");
    until_true("the lists", || metric(gateway, r#"gaud_refused_total{code="gateway_busy"}"#) > 300);
    let grown = gateway.memory().saturating_sub(before);
    eprintln!("{case}: a chat waits {waited:?}, Envoy grows by {} MiB", grown / MIB);
    assert!(grown < SHARE_BYTES + MARGIN_BYTES, "{case}: Envoy grew by {} MiB", grown / MIB);
    assert!(met(gateway, "client_share_percent") > 300, "{case}");
}

#[test]
fn lists_that_are_not_read_over_http2_are_bounded() {
    let (gateway, _server) = start("");
    let before = gateway.memory();
    let mut connection = h1::Connection::open(gateway.addr());
    connection.send(lists_without_a_window()).expect("a gateway");
    assert_unmoved(&gateway, "HTTP/2", before);
    // As long as the client stays, its streams count: the share is full.
    let busy = h1::exchange(gateway.addr(), &Request::new("GET", "/v1/models"));
    assert_eq!(busy.status, 503, "{}", busy.text());
    assert_eq!(busy.json()["error"]["code"], "gateway_busy");
    assert_eq!(busy.header("retry-after").as_deref(), Some("1"));
    for path in ["/healthz", "/readyz", "/v1/models/p:m"] {
        let status = h1::exchange(gateway.addr(), &Request::new("GET", path)).status;
        assert_ne!(status, 503, "{path}");
    }
    drop(connection);
    lists_come_again(&gateway);
}

#[test]
fn lists_that_are_not_read_over_http1_are_bounded() {
    let (gateway, _server) = start("");
    let before = gateway.memory();
    let mut connections: Vec<_> =
        (0..LISTS).map(|_| h1::Connection::open(gateway.addr())).collect();
    for connection in &mut connections {
        connection.send_request(&Request::new("GET", "/v1/models"));
    }
    assert_unmoved(&gateway, "HTTP/1.1", before);
    drop(connections);
    lists_come_again(&gateway);
}

/// Clients that read get their lists, in each shape and over each protocol.
fn lists_come_again(gateway: &Gateway) {
    let anthropic = Request::new("GET", "/v1/models").header("anthropic-version", "2023-06-01");
    let lists = [Request::new("GET", "/v1/models"), anthropic, Request::new("GET", "/api/models")];
    for client in CLIENTS {
        for request in &lists {
            until_true("a list", || client.send(gateway, request).status == 200);
        }
    }
    gateway.assert_no_trap();
}

#[test]
fn a_single_list_passes_whatever_the_bound() {
    let (gateway, _server) = start("lists_limit_bytes = 0");
    let list = || h1::exchange(gateway.addr(), &Request::new("GET", "/v1/models"));
    until_true("a list", || list().status == 200);
    until_true("a refusal", || list().status == 503);
    lists_come_again(&gateway);
    assert!(met(&gateway, "lists_limit_bytes") + met(&gateway, "client_share_percent") > 0);
}
