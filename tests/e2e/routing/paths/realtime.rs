//! A real WebSocket through the gateway: its handshake, and bytes both ways.

use crate::kit::client::Request;
use crate::kit::client::h1::{self, Connection};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Answer, GREETING, Provider, Seen};
use std::sync::OnceLock;

const PROTOCOLS: &str =
    "realtime, openai-insecure-api-key.sk-of-the-client, openai-beta.realtime-v1";

struct Setup {
    gateway: Gateway,
    server: Provider,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(start)
}

fn start() -> Setup {
    let server = Provider::start();
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
    protocols.iter().fold(request, |request, name| request.header("sec-websocket-protocol", name))
}

/// Opens a socket, and reads the server's greeting.
fn open(case: &str, request: &Request) -> Connection {
    setup().server.script(case, Answer::websocket());
    let mut connection = Connection::open(setup().gateway.addr());
    connection.send(h1::head(&request.clone().case(case))).expect("a listening gateway");
    let head = connection.head();
    assert_eq!(head.status, 101, "{head:?}");
    assert_eq!(head.headers.get("sec-websocket-protocol").as_deref(), Some("realtime"));
    assert_eq!(head.headers.get("upgrade").as_deref(), Some("websocket"));
    assert_eq!(connection.bytes(GREETING.len()), GREETING);
    connection
}

/// The last handshake of a case as the server has read it.
fn last(case: &str) -> Seen {
    setup().server.seen(case).last().expect("a handshake").clone()
}

/// The values of a header of the last handshake of a case.
fn seen(case: &str, name: &str) -> Vec<String> {
    last(case).headers.all(name)
}

fn request_line(case: &str) -> String {
    let Seen { method, path, http2, .. } = last(case);
    assert!(!http2);
    format!("{method} {path} HTTP/1.1")
}

#[test]
fn bytes_flow_both_ways() {
    let case = "bytes";
    for (index, provider) in ["keyed", "open"].into_iter().enumerate() {
        let path = format!("/v1/realtime?model={provider}%3Agpt-realtime&a=b");
        let mut connection = open(case, &handshake(&path, &[PROTOCOLS]));
        let frame: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for size in [1, 10, 10_000] {
            for _ in 0..20 {
                connection.send(&frame[..size]).expect("an open socket");
                assert_eq!(connection.bytes(size), &frame[..size]);
            }
        }
        drop(connection);
        setup().server.wait_for_ends(case, index + 1);
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn the_handshake_is_changed_like_any_request() {
    let case = "changed";
    for base in ["", "/api/litellm"] {
        for (provider, line) in [
            ("keyed", "GET /base/v1/realtime?a=b&model=org%2Fgpt HTTP/1.1"),
            ("open", "GET /v1/realtime?a=b&model=org%2Fgpt HTTP/1.1"),
        ] {
            let path = format!("{base}/v1/realtime?a=b&model={provider}:org/gpt");
            let request = handshake(&path, &[]).header("authorization", "Bearer client");
            drop(open(case, &request));
            assert_eq!(request_line(case), line);
            let key = if provider == "keyed" { "Bearer sk-of-keyed" } else { "Bearer client" };
            assert_eq!(seen(case, "authorization"), [key]);
            assert_eq!(seen(case, "openai-beta").len(), usize::from(provider == "keyed"));
            assert_eq!(seen(case, "sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_key_among_the_protocols_does_not_reach_a_provider_that_has_its_own() {
    let case = "protocols";
    let key = "openai-insecure-api-key.sk-of-the-client";
    let public = "realtime, openai-beta.realtime-v1";
    for (sent, kept) in [
        (&[PROTOCOLS][..], vec![public]),
        (&["realtime", key, "openai-beta.realtime-v1"], vec![public]),
        (&[key], vec![]),
        (&[key, key], vec![]),
        (&["realtime"], vec!["realtime"]),
    ] {
        drop(open(case, &handshake("/v1/realtime?model=keyed:m", sent)));
        assert_eq!(seen(case, "sec-websocket-protocol").join(", "), kept.join(", "));
        assert!(!format!("{:?}", last(case).headers).contains("sk-of-the-client"));
        assert_eq!(seen(case, "authorization"), ["Bearer sk-of-keyed"]);
        drop(open(case, &handshake("/v1/realtime?model=open:m", sent)));
        assert_eq!(seen(case, "sec-websocket-protocol").join(", "), sent.join(", "));
        assert!(seen(case, "authorization").is_empty());
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_socket_without_a_model_goes_to_the_default_provider() {
    let case = "default";
    drop(open(case, &handshake("/v1/realtime?call_id=c", &[])));
    assert_eq!(request_line(case), "GET /base/v1/realtime?call_id=c HTTP/1.1");
    setup().gateway.assert_no_trap();
}

#[test]
fn an_account_among_the_protocols_does_not_reach_a_provider_that_has_its_own() {
    let case = "account";
    let sent = ["realtime", "openai-organization.of-the-client, openai-project.of-the-client"];
    drop(open(case, &handshake("/v1/realtime?model=keyed:m", &sent)));
    assert_eq!(seen(case, "sec-websocket-protocol"), ["realtime"]);
    assert!(!format!("{:?}", last(case).headers).contains("of-the-client"));
    setup().gateway.assert_no_trap();
}

/// A proxy before the provider would remove the gateway's key by it.
#[test]
fn a_connection_that_names_headers_does_not_reach_a_provider_that_has_its_own() {
    let case = "names headers";
    let mut request = handshake("/v1/realtime?model=keyed:m", &[]);
    request.headers.0.retain(|(name, _)| name != "connection");
    let request = request.header("connection", "Upgrade, Authorization");
    drop(open(case, &request));
    let connection = seen(case, "connection").join(", ");
    assert!(connection.eq_ignore_ascii_case("upgrade"), "{connection}");
    assert_eq!(seen(case, "authorization"), ["Bearer sk-of-keyed"]);
    setup().gateway.assert_no_trap();
}

#[test]
fn azure_and_responses_name_their_model_in_the_query_too() {
    let case = "azure";
    for (sent, line) in [
        (
            "/openai/realtime?api-version=1&deployment=keyed:org/gpt",
            "GET /base/openai/realtime?api-version=1&deployment=org%2Fgpt HTTP/1.1",
        ),
        ("/openai/v1/realtime?model=keyed:m", "GET /base/openai/v1/realtime?model=m HTTP/1.1"),
        ("/v1/responses?model=keyed:m", "GET /base/v1/responses?model=m HTTP/1.1"),
        (
            "/openai/deployments/keyed:m/realtime",
            "GET /base/openai/deployments/m/realtime HTTP/1.1",
        ),
    ] {
        drop(open(case, &handshake(sent, &[])));
        assert_eq!(request_line(case), line);
        assert_eq!(seen(case, "authorization"), ["Bearer sk-of-keyed"]);
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_websocket_of_responses_without_a_model_is_told_to_use_http() {
    let request = handshake("/v1/responses", &[]);
    let mut connection = Connection::open(setup().gateway.addr());
    connection.send(h1::head(&request)).expect("a listening gateway");
    assert_eq!(connection.head().status, 426);
    setup().gateway.assert_no_trap();
}

/// Of the default provider alone, which gets the socket whatever its first message names.
#[test]
fn a_websocket_of_responses_without_a_model_reaches_a_default_provider_that_takes_it() {
    let server = Provider::start();
    let takes = ["auth = \"none\"", "websocket_responses = true"];
    for (default, is_taken) in [("takes", true), ("refuses", false)] {
        let toml = format!(
            "{LISTEN}default_provider = \"{default}\"\n{}{}",
            provider("takes", &server.url(), &takes),
            provider("refuses", &server.url(), &takes[..1]),
        );
        let gateway = Gateway::start(&toml, &[]);
        for path in ["/v1/responses", "/openai/v1/responses"] {
            let case = format!("{default} {path}");
            server.script(&case, Answer::websocket());
            let mut connection = Connection::open(gateway.addr());
            connection.send(h1::head(&handshake(path, &[]).case(&case))).expect("a gateway");
            let status = connection.head().status;
            assert_eq!(status, if is_taken { 101 } else { 426 }, "{case}");
            if is_taken {
                assert_eq!(connection.bytes(GREETING.len()), GREETING, "{case}");
                connection.send(b"whatever").expect("an open socket");
                assert_eq!(connection.bytes(8), b"whatever", "{case}");
            }
            let paths: Vec<_> = server.seen(&case).into_iter().map(|seen| seen.path).collect();
            assert_eq!(paths.len(), usize::from(is_taken), "{case}: {paths:?}");
        }
        gateway.assert_no_trap();
    }
}
