//! What is held and what is not: a large upload streams, and holding has its limit.

use crate::kit::client::{CLIENTS, Client, Request, Response, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::pair::Pair;
use crate::kit::refusal;
use crate::kit::samples::{Place, body};
use crate::kit::upstream::{Answer, Gate, sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

const MEGABYTE: u64 = 1_000_000;

/// A client under way, and how much it has sent.
struct Upload {
    sent: Arc<AtomicUsize>,
    client: JoinHandle<Response>,
}

impl Upload {
    fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// Waits until the client gets no further.
    fn wait_until_stuck(&self) {
        let (mut last, mut quiet) = (0, 0);
        wait::until_true("a client that is held up", || {
            quiet = if self.sent() == last { quiet + 1 } else { 0 };
            last = self.sent();
            last > 0 && quiet > 50
        });
    }
}

/// Starts a client that sends a request as fast as it can.
fn upload(client: Client, gateway: &Gateway, request: Request) -> Upload {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let mut exchange = client.begin(gateway, &request);
    let client = std::thread::spawn(move || {
        for piece in &request.pieces {
            exchange.send(piece).expect("a listening gateway");
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
        exchange.end();
        exchange.response()
    });
    Upload { sent, client }
}

fn stream(size: usize, client: Client) {
    let request = Request::chat(body("one:m", Place::First, size));
    streams(client, request, &body("m", Place::First, size));
}

/// Uploads with the model first to a provider that hardly reads.
pub(crate) fn streams(client: Client, request: Request, expected: &[u8]) {
    let size = request.pieces.concat().len();
    let Pair { gateway, server } = Pair::start("");
    let warm = Request::chat(body("one:m", Place::First, 100_000)).case("warm");
    assert_eq!(h1::exchange(gateway.addr(), &warm).status, 200);
    let before = gateway.memory();

    let gate = Gate::closed();
    server.script("upload", Answer::completion().reading_by(&gate));
    let upload = upload(client, &gateway, request.cut_every(100_000).case("upload"));
    gate.let_through(1);
    server.wait_until("upload", |seen| seen.first_byte.is_some());
    assert!(upload.sent() < size, "the provider reads before the client has sent its last byte");

    let mut most = 0;
    for steps in [1, 5, 20] {
        gate.let_through(steps);
        upload.wait_until_stuck();
        most = most.max(gateway.memory());
    }
    assert!(upload.sent() < size, "the provider holds the client up");
    gate.open();
    while !upload.client.is_finished() {
        most = most.max(gateway.memory());
    }
    assert_eq!(upload.client.join().expect("a client").status, 200);
    assert_eq!(server.wait("upload").sha256, sha256(expected));
    let grown = most.saturating_sub(before);
    assert!(grown < 5 * MEGABYTE, "Envoy's memory grew by {grown} bytes");
}

#[test]
fn a_large_upload_is_not_held_over_http1() {
    stream(50_000_000, Client::Http1);
}

#[test]
fn a_large_upload_is_not_held_over_http2() {
    stream(50_000_000, Client::Http2);
}

#[test]
fn held_bodies_have_a_limit() {
    const LIMIT: usize = 1_048_576;
    let Pair { gateway, server } = Pair::start(&format!("body_limit_bytes = {LIMIT}"));
    for client in CLIENTS {
        for (framing, chunked) in [("fixed", false), ("open", true)] {
            let send = |case: &str, body: Vec<u8>| {
                let mut request = Request::chat(body).cut_every(50_000).case(case);
                request.chunked = chunked;
                client.send(&gateway, &request)
            };
            let case = |what: &str| format!("{what} {client:?} {framing}");
            let mut at_limit = body("one:m", Place::Last, LIMIT - 100);
            at_limit.pop();
            at_limit.resize(LIMIT - 1, b' ');
            at_limit.push(b'}');
            assert_eq!(send(&case("at"), at_limit).status, 200, "{}", case("at the limit"));
            for (what, size) in [("over", LIMIT + 100), ("far over", 4 * LIMIT)] {
                let response = send(&case(what), body("one:m", Place::Last, size));
                refusal::request_too_large(LIMIT).assert_openai(&case(what), &response);
                assert!(server.seen(&case(what)).is_empty(), "{}", case(what));
            }
            let response = send(&case("early"), body("one:m", Place::First, 4 * LIMIT));
            assert_eq!(response.status, 200, "{}", response.text());
            assert_eq!(
                server.wait(&case("early")).length,
                body("m", Place::First, 4 * LIMIT).len()
            );
        }
    }
    gateway.assert_no_trap();
}
