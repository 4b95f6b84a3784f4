//! Streams in which nothing moves any more. Nobody can tell a provider that is silent from a client
//! that does not read; and three such clients must not take a provider from everybody.

use super::{LISTEN, provider, request};
use crate::kit::client::h1;
use crate::kit::harness::Gateway;
use crate::kit::observe::{health, requests, wait_for_metric, wait_for_outcome};
use crate::kit::upstream::{Answer, Provider};

/// A gateway that waits one second for something to move, instead of many minutes.
fn start(server: &Provider) -> Gateway {
    let table = provider("p", &server.url(), "failures = 1, open_secs = 30", &[]);
    let yaml = Gateway::render(&format!("{LISTEN}{table}"), &[]).expect("a configuration");
    let idle = |line: &str| match line.split_once("idle_timeout: ") {
        // A cluster's is for connections.
        Some((name, _)) if !name.contains('{') => format!("{name}idle_timeout: 1s\n"),
        _ => format!("{line}\n"),
    };
    Gateway::from_yaml(&yaml.lines().map(idle).collect::<String>(), &[], &[])
}

#[test]
fn a_stalled_stream_ends_and_does_not_count() {
    let server = Provider::start();
    let gateway = start(&server);
    let (answer, mut pump) = Answer::events();
    server.script("p", answer);
    let mut client = h1::Connection::open(gateway.addr());
    client.send_request(&request("p"));
    pump.send("data: begin\n\n").expect("a reader");
    let head = client.head();
    let response = client.body(head);
    assert_eq!((response.status, response.complete), (200, false));
    wait_for_metric(&gateway, &requests("p", "neutral"), 1);
    assert_eq!(health(&gateway, "p")["breaker"], "closed");
    gateway.assert_no_trap();
}

#[test]
fn a_client_that_does_not_read_does_not_count() {
    let server = Provider::start();
    let gateway = start(&server);
    let answer = Answer::new(200, "application/octet-stream", vec![b'x'; 50_000_000]);
    server.script("p", answer);
    let mut client = h1::Connection::open(gateway.addr());
    client.send_request(&request("p"));
    assert_eq!(client.head().status, 200);
    assert_eq!(wait_for_outcome(&gateway, "p"), "neutral");
    assert_eq!(health(&gateway, "p")["breaker"], "closed");
    gateway.assert_no_trap();
}
