//! The tools of these tests, shown to tell the truth on an Envoy without the filter.

use crate::kit::client::{Request, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::samples::{self, Place};
use crate::kit::upstream::raw::{Act, Closed, Raw};
use crate::kit::upstream::tls::Authority;
use crate::kit::upstream::{Answer, Framing, Gate, Provider, Tls, sha256};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

/// An Envoy that sends a request to the cluster its `x-to` names: the provider over HTTP/1.1 or
/// HTTP/2, or whatever `others` adds.
fn bare(provider: &Provider, others: &str) -> Gateway {
    let yaml = include_str!("proving.yaml");
    let port = provider.addr().port().to_string();
    let yaml = yaml.replace("{port}", &port).replace("  # {others}", others);
    Gateway::from_yaml(&yaml, &[], &[])
}

fn cluster(name: &str, addr: SocketAddr, more: &str) -> String {
    let endpoint =
        format!("{{socket_address: {{address: 127.0.0.1, port_value: {}}}}}", addr.port());
    format!(
        "  - name: {name}\n    load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: \
         [{{endpoint: {{address: {endpoint}}}}}]}}]}}\n{more}"
    )
}

fn body(length: usize) -> Vec<u8> {
    (0..length).map(|at| b"0123456789abcdef"[at * 7 % 16]).collect()
}

#[test]
fn bodies_and_framing_are_recorded() {
    let provider = Provider::start();
    let gateway = bare(&provider, "");
    for to in ["one", "two"] {
        for (name, request) in [
            ("fixed", Request::chat(body(100_000)).cut_every(30_000)),
            ("chunked", Request::chat(body(100_000)).cut_every(999).chunked()),
        ] {
            let first = format!("{to} {name} h1");
            let second = format!("{to} {name} h2");
            let request = request.header("x-to", to);
            let response = h1::exchange(gateway.addr(), &request.clone().case(&first));
            assert_eq!((response.status, response.complete), (200, true));
            let response = h2::exchange(gateway.addr(), &request.case(&second));
            assert_eq!((response.status, response.complete), (200, true));
            for seen in [provider.wait(&first), provider.wait(&second)] {
                assert_eq!((seen.length, seen.http2), (100_000, to == "two"));
                assert_eq!(seen.sha256, sha256(&body(100_000)));
                let framing = match (name, to) {
                    ("fixed", _) => Framing::Length(100_000),
                    (_, "one") => Framing::Chunked,
                    _ => Framing::Unsaid,
                };
                assert_eq!(seen.framing(), framing);
            }
        }
    }
    gateway.assert_no_trap();
}

#[test]
fn trailers_are_recorded() {
    let provider = Provider::start();
    let gateway = bare(&provider, "");
    let request = Request::chat("{}").header("x-to", "two").trailer("x-end", "yes").case("end");
    h2::exchange(gateway.addr(), &request);
    assert_eq!(provider.wait("end").trailers.get("x-end").as_deref(), Some("yes"));
}

#[test]
fn a_cut_request_is_not_complete() {
    let provider = Provider::start();
    let gateway = bare(&provider, "");
    let request = Request::chat(body(1000)).header("x-to", "one");
    let mut connection = h1::Connection::open(gateway.addr());
    let head = h1::head(&request.clone().case("h1"));
    connection.send([&head[..], &body(10)].concat()).expect("a part of the request");
    provider.wait_until("h1", |seen| seen.length == 10);
    drop(connection);
    let mut exchange = h2::Connection::open(gateway.addr()).start(&request.case("h2"));
    exchange.send(&body(10)).expect("a part of the request");
    provider.wait_until("h2", |seen| seen.length == 10);
    exchange.reset();
    assert!(!provider.wait_until("h1", |seen| seen.ended).complete);
    assert!(!provider.wait_until("h2", |seen| seen.ended).complete);
}

#[test]
fn events_come_as_the_test_lets_them() {
    let provider = Provider::start();
    let gateway = bare(&provider, "");
    let (answer, mut pump) = Answer::events();
    provider.script("events", answer);
    let mut connection = h1::Connection::open(gateway.addr());
    connection.send_request(&Request::chat("{}").header("x-to", "one").case("events"));
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        pump.send(event).expect("a reader");
        if event.contains('1') {
            assert_eq!(connection.head().status, 200);
        }
        assert_eq!(connection.chunk().as_deref(), Some(event.as_bytes()));
    }
    drop(connection);
    pump.wait_for_reader_to_leave();
}

#[test]
fn a_slow_provider_holds_the_client_up() {
    let provider = Provider::start();
    let gateway = bare(&provider, "");
    let gate = Gate::closed();
    provider.script("slow", Answer::completion().reading_by(&gate));
    let request = Request::chat(body(20_000_000)).header("x-to", "one").case("slow");
    let addr = gateway.addr();
    let client = std::thread::spawn(move || {
        let mut connection = h1::Connection::open(addr);
        connection.send_request(&request);
        (Instant::now(), connection.response().status)
    });
    gate.let_through(1);
    let first_byte = provider.wait_until("slow", |seen| seen.first_byte.is_some()).first_byte;
    gate.open();
    let (last_byte, status) = client.join().expect("a client");
    assert_eq!(status, 200);
    assert!(first_byte.expect("a byte") < last_byte);
    assert_eq!(provider.wait("slow").sha256, sha256(&body(20_000_000)));
}

#[test]
fn misbehaving_providers_misbehave_as_told() {
    let provider = Provider::start();
    let (closed, reset) = (Closed::bind(), Raw::start(vec![Act::ReadHead, Act::Reset]));
    let garbage = Raw::start(vec![Act::ReadHead, Act::Send(b"not HTTP\r\n\r\n"), Act::ReadOn]);
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345";
    let half = Raw::start(vec![Act::ReadHead, Act::Send(half)]);
    let addr = |url: String| url.trim_start_matches("http://").parse().expect("an address");
    let others: Vec<String> = [
        ("closed", closed.url()),
        ("reset", reset.url()),
        ("garbage", garbage.url()),
        ("half", half.url()),
    ]
    .map(|(name, url)| cluster(name, addr(url), ""))
    .into();
    let gateway = bare(&provider, &others.concat());
    for (to, expected) in [("closed", 503), ("reset", 503), ("garbage", 502), ("half", 200)] {
        let request = Request::new("GET", "/").header("x-to", to);
        let response = h1::exchange(gateway.addr(), &request);
        assert_eq!((response.status, response.complete), (expected, to != "half"), "{to}");
    }
    assert_eq!(reset.connections(), 1);
}

#[test]
fn tls_is_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let (authority, pem) = (Authority::new("right"), folder.path().join("ca.pem"));
    authority.write_pem(&pem);
    let secure = Provider::start_tls(&authority);
    let gateway = bare(&Provider::start(), &cluster("tls", secure.addr(), &tls_context(&pem)));
    h1::exchange(gateway.addr(), &Request::new("GET", "/").header("x-to", "tls").case("tls"));
    let expected = Tls { server_name: Some("localhost".into()), protocol: Some("http/1.1".into()) };
    assert_eq!(secure.wait("tls").tls, Some(expected));
}

fn tls_context(pem: &Path) -> String {
    let kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let context = format!(
        "{{trusted_ca: {{filename: {}}}, match_typed_subject_alt_names: [{{san_type: DNS, \
         matcher: {{exact: localhost}}}}]}}",
        pem.display()
    );
    format!(
        "    transport_socket: {{name: tls, typed_config: {{\"@type\": {kind}, sni: localhost, \
         common_tls_context: {{validation_context: {context}}}}}}}\n"
    )
}

#[test]
fn sample_bodies_are_json_of_about_the_size() {
    for place in [Place::First, Place::Middle, Place::Last] {
        for size in [60, 1000, 16_384, 100_001] {
            let body = samples::body("m", place, size);
            let json: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(json["model"], "m");
            assert!(body.len().abs_diff(size) < 60, "{} for {size}", body.len());
        }
    }
}

#[test]
fn envoy_ends_with_the_gateway() {
    let gateway = bare(&Provider::start(), "");
    assert!(gateway.memory() > 1_000_000);
    let addr = gateway.addr();
    drop(gateway);
    assert!(std::net::TcpStream::connect(addr).is_err());
}
