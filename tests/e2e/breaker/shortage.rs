//! An Envoy without a file descriptor for a connection: that says nothing about a provider.

use super::{LISTEN, provider, request};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Gateway;
use crate::kit::observe::{metric, requests, wait_for_metric};
use crate::kit::upstream::raw::{Act, Raw};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

fn ask(connection: &mut h1::Connection, request: &Request) -> Response {
    connection.send_request(request);
    connection.response()
}

#[test]
fn an_envoy_without_file_descriptors_blames_no_provider() {
    let server = Raw::start(vec![Act::ReadRequest, Act::Send(OK)]);
    let table = provider("p", &server.url(), "failures = 1, open_secs = 30", &[]);
    let gateway = Gateway::start(&format!("{LISTEN}{table}"), &[]);
    let mut client = h1::Connection::open(gateway.addr());
    assert_eq!(ask(&mut client, &request("p")).status, 200);
    let mut idle = h1::Connection::open(gateway.addr());
    assert_eq!(ask(&mut idle, &Request::new("GET", "/healthz")).status, 200);
    gateway.limit_files(3);
    for _ in 0..4 {
        let response = ask(&mut client, &request("p"));
        assert_eq!(response.status, 503, "{}", response.text());
        assert_eq!(response.json()["error"]["code"], "provider_unreachable");
    }
    let health = ask(&mut idle, &Request::new("GET", "/health")).json();
    assert_eq!(health["providers"]["p"]["breaker"], "closed", "{health}");
    gateway.limit_files(1024);
    assert_eq!(ask(&mut client, &request("p")).status, 200);
    wait_for_metric(&gateway, &requests("p", "neutral"), 4);
    assert_eq!(metric(&gateway, "gaud_shortages_total{}"), 4);
    let logs = gateway.logs();
    let lines = logs.lines().filter(|line| line.contains("this Envoy lacks file descriptors"));
    assert_eq!(lines.count(), 1);
    gateway.assert_no_trap();
}
