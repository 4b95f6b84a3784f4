//! A real WebSocket through the gateway: its handshake, and bytes both ways.

use crate::client::Request;
use crate::client::h1::{self, Connection};
use crate::harness::Gateway;
use crate::samples::{LISTEN, provider};
use crate::upstream::websocket::{GREETING, WebSockets};

const PROTOCOLS: &str =
    "realtime, openai-insecure-api-key.sk-of-the-client, openai-beta.realtime-v1";

struct Setup {
    gateway: Gateway,
    server: WebSockets,
}

fn start() -> Setup {
    let server = WebSockets::start();
    let toml = format!(
        "{LISTEN}default_provider = \"keyed\"\n{}{}",
        provider(
            "keyed",
            &format!("{}/base", server.url()),
            &["api_key = \"os.environ/KEY\"", "headers = { \"openai-beta\" = \"realtime=v1\" }"]
        ),
        provider("open", &server.url(), &[]),
    );
    Setup { gateway: Gateway::start(&toml, &[("KEY", "sk-of-keyed")]), server }
}

fn handshake(path: &str, protocols: &[&str]) -> Request {
    let request = Request::new("GET", path)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    protocols.iter().fold(request, |request, own| request.header("sec-websocket-protocol", own))
}

/// Opens a socket, and reads the server's greeting.
fn open(setup: &Setup, request: &Request) -> Connection {
    let mut connection = Connection::open(setup.gateway.addr());
    connection.send(h1::head(request)).expect("a listening gateway");
    let head = connection.head();
    assert_eq!(head.status, 101, "{head:?}");
    assert_eq!(head.headers.get("sec-websocket-protocol").as_deref(), Some("realtime"));
    assert_eq!(head.headers.get("upgrade").as_deref(), Some("websocket"));
    assert_eq!(connection.bytes(GREETING.len()), GREETING);
    connection
}

/// The values of a header of the handshake as the server has read it.
fn seen(setup: &Setup, name: &str) -> Vec<String> {
    let head = setup.server.last_head();
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    let own = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    own.map(|(_, value)| value.to_owned()).collect()
}

fn request_line(setup: &Setup) -> String {
    setup.server.last_head().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn bytes_flow_both_ways() {
    let setup = start();
    for (index, provider) in ["keyed", "open"].into_iter().enumerate() {
        let path = format!("/v1/realtime?model={provider}%3Agpt-realtime&a=b");
        let mut connection = open(&setup, &handshake(&path, &[PROTOCOLS]));
        let frame: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for size in [1, 10, 10_000] {
            for _ in 0..20 {
                connection.send(&frame[..size]).expect("an open socket");
                assert_eq!(connection.bytes(size), &frame[..size]);
            }
        }
        drop(connection);
        setup.server.wait_for_ends(index + 1);
    }
    setup.gateway.assert_no_trap();
}

#[test]
fn the_handshake_is_changed_as_any_request_is() {
    let setup = start();
    for base in ["", "/api/litellm"] {
        for (provider, line) in [
            ("keyed", "GET /base/v1/realtime?a=b&model=org%2Fgpt HTTP/1.1"),
            ("open", "GET /v1/realtime?a=b&model=org%2Fgpt HTTP/1.1"),
        ] {
            let path = format!("{base}/v1/realtime?a=b&model={provider}:org/gpt");
            let request = handshake(&path, &[]).header("authorization", "Bearer client");
            drop(open(&setup, &request));
            assert_eq!(request_line(&setup), line);
            let key = if provider == "keyed" { "Bearer sk-of-keyed" } else { "Bearer client" };
            assert_eq!(seen(&setup, "authorization"), [key]);
            assert_eq!(seen(&setup, "openai-beta").len(), usize::from(provider == "keyed"));
            assert_eq!(seen(&setup, "sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
        }
    }
    setup.gateway.assert_no_trap();
}

#[test]
fn a_key_among_the_protocols_does_not_reach_a_provider_that_has_its_own() {
    let setup = start();
    let key = "openai-insecure-api-key.sk-of-the-client";
    let public = "realtime, openai-beta.realtime-v1";
    for (sent, kept) in [
        (&[PROTOCOLS][..], vec![public]),
        (&["realtime", key, "openai-beta.realtime-v1"], vec![public]),
        (&[key], vec![]),
        (&[key, key], vec![]),
        (&["realtime"], vec!["realtime"]),
    ] {
        drop(open(&setup, &handshake("/v1/realtime?model=keyed:m", sent)));
        assert_eq!(seen(&setup, "sec-websocket-protocol").join(", "), kept.join(", "));
        assert!(!setup.server.last_head().contains("sk-of-the-client"));
        assert_eq!(seen(&setup, "authorization"), ["Bearer sk-of-keyed"]);
        drop(open(&setup, &handshake("/v1/realtime?model=open:m", sent)));
        assert_eq!(seen(&setup, "sec-websocket-protocol").join(", "), sent.join(", "));
        assert!(seen(&setup, "authorization").is_empty());
    }
    setup.gateway.assert_no_trap();
}

#[test]
fn a_socket_without_a_model_goes_to_the_default_provider() {
    let setup = start();
    drop(open(&setup, &handshake("/v1/realtime?call_id=c", &[])));
    assert_eq!(request_line(&setup), "GET /base/v1/realtime?call_id=c HTTP/1.1");
    setup.gateway.assert_no_trap();
}
