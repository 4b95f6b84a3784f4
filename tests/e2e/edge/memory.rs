//! All bodies that are kept for another attempt share one bound.

use std::thread;

use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::harness::wait::until_true;
use crate::kit::observe::growth_while;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::raw::{Act, Raw};

const MIB: usize = 1 << 20;
const LIMIT_BYTES: usize = 256 * MIB;
/// Together the uploads would be three times the limit.
const UPLOADS: usize = 48;
const PIECES: usize = 16;
/// The memory of Envoy beside the bodies, and its growth between two measurements.
const SLACK_BYTES: usize = 256 * MIB;

fn upload() -> Request {
    let length = PIECES * MIB + 100;
    Request::new("POST", "/v1/chat/completions")
        .header("content-type", "application/json")
        .header("content-length", length.to_string())
}

fn pieces() -> impl Iterator<Item = Vec<u8>> {
    std::iter::once(br#"{"model":"one:m","x":""#.to_vec())
        .chain((0..PIECES).map(|_| vec![b'y'; MIB]))
}

/// The response to an unfinished upload, if there is a response.
fn by_http1(gateway: &Gateway) -> Option<Response> {
    let mut connection = h1::Connection::open(gateway.addr());
    connection.send(h1::head(&upload())).expect("a gateway");
    let refused = pieces().any(|piece| connection.send(piece).is_err());
    refused.then(|| connection.try_response()).flatten()
}

fn by_http2(gateway: &Gateway) {
    let connection = h2::Connection::open(gateway.addr());
    let mut exchange = connection.start(&upload());
    let _ = pieces().try_for_each(|piece| exchange.send(&piece));
}

#[test]
fn many_unfinished_uploads_do_not_take_all_memory() {
    let server = Raw::start(vec![Act::ReadOn]);
    let hop = "[retries]\nmax = 1\n";
    let head = format!("memory_limit_bytes = {LIMIT_BYTES}\n{LISTEN}");
    let toml = format!("{head}{}{hop}", provider("one", &server.url(), &[]));
    for is_http2 in [false, true] {
        let gateway = Gateway::start(&toml, &[]);
        let start_bytes = gateway.memory() as usize;
        let ((), grown) = growth_while(&gateway, || {
            thread::scope(|scope| {
                for _ in 0..UPLOADS {
                    scope.spawn(|| {
                        if is_http2 { by_http2(&gateway) } else { refused(by_http1(&gateway)) }
                    });
                }
            });
        });
        let highest = start_bytes + grown;
        let most = LIMIT_BYTES + SLACK_BYTES;
        assert!(highest < most, "HTTP/2 {is_http2}: {} MiB", highest / MIB);
        // With the uploads gone there is room again.
        until_true("an answer", || {
            h1::exchange(gateway.addr(), &Request::new("GET", "/healthz")).status == 200
        });
        gateway.assert_no_trap();
    }
}

fn refused(response: Option<Response>) {
    let Some(response) = response else { return };
    assert_eq!(response.status, 503, "{}", response.text());
    assert_eq!(response.json()["error"]["code"], "gateway_busy");
}
