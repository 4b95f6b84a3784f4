//! WebSockets: a tunnel does not count for the breaker, however the tunnel ends, and is never a probe.

use super::{LISTEN, provider, request};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{health, metric, requests, wait_for_metric};
use crate::kit::upstream::raw::{Act, Raw};

const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A server's close frame, status 1000. RFC 6455, section 7.1.1: the server closes the connection first.
const CLOSE: &[u8] = b"\x88\x02\x03\xe8";

fn socket(path: &str) -> Request {
    Request::new("GET", path)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn gateway(server: &Raw, settings: &[&str]) -> Gateway {
    let table = provider("p", &server.url(), "failures = 3, open_secs = 30", settings);
    Gateway::start(&format!("{LISTEN}default_provider = \"p\"\n{table}"), &[])
}

/// Opens a socket and reads until the server has closed it.
fn open_until_closed(gateway: &Gateway, path: &str) {
    let mut connection = h1::Connection::open(gateway.addr());
    connection.send(h1::head(&socket(path))).expect("a listening gateway");
    assert_eq!(connection.head().status, 101, "{path}");
    assert_eq!(connection.bytes(CLOSE.len()), CLOSE, "{path}");
}

#[track_caller]
fn assert_ends_do_not_count(ending: &[Act], settings: &[&str]) {
    let socket = [Act::ReadRequest, Act::Send(SWITCHING), Act::Send(CLOSE)];
    let server = Raw::start([&socket, ending].concat());
    let gateway = gateway(&server, settings);
    let paths = ["/v1/realtime?model=p:m", "/queue/ui", "/v1/responses?model=p:m"];
    for (count, path) in (1..).zip(paths.into_iter().cycle().take(6)) {
        open_until_closed(&gateway, path);
        wait_for_metric(&gateway, &requests("p", "neutral"), count);
    }
    let health = health(&gateway, "p");
    assert_eq!(
        (&health["breaker"], &health["consecutive_failures"]),
        (&"closed".into(), &0.into())
    );
    assert_eq!(metric(&gateway, &requests("p", "failure")), 0);
    assert_eq!(metric(&gateway, &requests("p", "success")), 0);
    gateway.assert_no_trap();
}

#[test]
fn sockets_that_end_properly_do_not_count() {
    assert_ends_do_not_count(&[], &[]);
}

#[test]
fn sockets_that_are_reset_do_not_count() {
    assert_ends_do_not_count(&[Act::Reset], &[]);
}

#[test]
fn sockets_over_the_hop_do_not_count() {
    assert_ends_do_not_count(&[], &["idle_secs = 5"]);
}

#[test]
fn a_socket_is_not_a_probe() {
    const ERROR: &[u8] = b"HTTP/1.1 500 Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let answers = |answer| vec![Act::ReadRequest, Act::Send(answer)];
    let mut plans = vec![answers(ERROR)];
    plans.push(vec![Act::ReadRequest, Act::Send(SWITCHING), Act::Send(CLOSE)]);
    plans.push(answers(OK));
    let server = Raw::start_each(plans);
    let table = provider("p", &server.url(), "failures = 1, open_secs = 1, successes = 1", &[]);
    let gateway = Gateway::start(&format!("{LISTEN}{table}"), &[]);
    assert_eq!(h1::exchange(gateway.addr(), &request("p")).status, 500);
    let path = "/v1/realtime?model=p:m";
    let mut refused = h1::Connection::open(gateway.addr());
    refused.send(h1::head(&socket(path))).expect("a listening gateway");
    assert_eq!(refused.head().status, 503);
    wait::until_true("the end of the open time", || {
        health(&gateway, "p").get("retry_after_secs").is_none()
    });
    open_until_closed(&gateway, path);
    wait_for_metric(&gateway, &requests("p", "neutral"), 1);
    assert_eq!(health(&gateway, "p")["breaker"], "open", "a socket takes no place");
    assert_eq!(h1::exchange(gateway.addr(), &request("p")).status, 200);
    assert_eq!(health(&gateway, "p")["breaker"], "closed");
    gateway.assert_no_trap();
}
