//! Lists that clients ask for and do not read: they are bounded, and other requests do not wait for them.

use std::time::{Duration, Instant};

use super::{DISCOVER, LISTEN, long_list, wait_for_models};
use crate::kit::client::{CLIENTS, Request, h1, unread};
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

/// A list in each form: its path and headers.
const FORMS: [(&str, &[(&str, &str)]); 3] = [
    ("/v1/models", &[]),
    ("/v1/models", &[("anthropic-version", "2023-06-01")]),
    ("/api/models", &[]),
];

fn list((path, headers): (&str, &[(&str, &str)])) -> Request {
    let request = Request::new("GET", path);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// What was so before an attack.
struct Before<'a> {
    gateway: &'a Gateway,
    memory: u64,
    refused: u64,
    met: u64,
}

const REFUSED: &str = r#"gaud_refused_total{code="gateway_busy"}"#;

impl<'a> Before<'a> {
    fn of(gateway: &'a Gateway) -> Self {
        let refused = metric(gateway, REFUSED);
        let met = met(gateway, "client_share_percent");
        Self { gateway, memory: gateway.memory(), refused, met }
    }

    /// Fails unless a chat is answered soon, and Envoy has grown by no more than a client's share of lists.
    fn assert_unmoved(&self, case: &str) {
        let Self { gateway, .. } = self;
        let started = Instant::now();
        let chat = Request::chat(r#"{"model":"p:m"}"#).case("chat");
        assert_eq!(h1::exchange(gateway.addr(), &chat).status, 200, "{case}");
        let waited = started.elapsed();
        assert!(waited < PATIENCE, "{case}: a chat has waited {waited:?}");
        until_true("the lists", || metric(gateway, REFUSED) > self.refused + 300);
        let grown = gateway.memory().saturating_sub(self.memory);
        eprintln!("{LISTS} of {case}: a chat waits {waited:?}, Envoy grows by {} MiB", grown / MIB);
        assert!(grown < SHARE_BYTES + MARGIN_BYTES, "{case}: Envoy grew by {} MiB", grown / MIB);
        assert!(met(gateway, "client_share_percent") > self.met + 300, "{case}");
    }
}

#[test]
fn lists_that_are_not_read_over_http2_are_bounded() {
    let (gateway, _server) = start("");
    for (path, headers) in FORMS {
        let before = Before::of(&gateway);
        let mut connection = h1::Connection::open(gateway.addr());
        connection.send(unread::without_a_window(path, headers, LISTS)).expect("a gateway");
        before.assert_unmoved(&format!("{path} {headers:?}, HTTP/2"));
        // As long as the client stays, its streams count: the share is full.
        let busy = h1::exchange(gateway.addr(), &list((path, headers)));
        assert_eq!(busy.status, 503, "{}", busy.text());
        assert_eq!(busy.header("retry-after").as_deref(), Some("1"));
        for path in ["/healthz", "/readyz", "/v1/models/p:m"] {
            let status = h1::exchange(gateway.addr(), &Request::new("GET", path)).status;
            assert_ne!(status, 503, "{path}");
        }
        drop(connection);
        lists_come_again(&gateway);
    }
}

#[test]
fn lists_that_are_not_read_over_http1_are_bounded() {
    let (gateway, _server) = start("");
    for (path, headers) in FORMS {
        let before = Before::of(&gateway);
        let mut connections: Vec<_> =
            (0..LISTS).map(|_| h1::Connection::open(gateway.addr())).collect();
        for connection in &mut connections {
            connection.send_request(&list((path, headers)));
        }
        before.assert_unmoved(&format!("{path} {headers:?}, HTTP/1.1"));
        drop(connections);
        lists_come_again(&gateway);
    }
}

/// Clients that read get their lists, in each shape and over each protocol.
fn lists_come_again(gateway: &Gateway) {
    for client in CLIENTS {
        for form in FORMS {
            until_true("a list", || client.send(gateway, &list(form)).status == 200);
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
