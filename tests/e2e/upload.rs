//! What is held and what is not: a large upload streams, and holding has its limit.

use crate::client::{Request, Response, h1, h2};
use crate::harness::wait;
use crate::pair::{CLIENTS, Pair};
use crate::refusal;
use crate::samples::{Place, body};
use crate::upstream::{Answer, Gate, sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

const MEGABYTE: u64 = 1_000_000;

/// A client under way, and how much it has sent.
pub(crate) struct Upload {
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

pub(crate) fn over_http1(addr: SocketAddr, request: Request) -> Upload {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let client = std::thread::spawn(move || {
        let mut connection = h1::Connection::open(addr);
        connection.send(h1::head(&request)).expect("a listening gateway");
        for piece in &request.pieces {
            connection.send_piece(&request, piece).expect("a listening gateway");
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
        connection.response()
    });
    Upload { sent, client }
}

pub(crate) fn over_http2(addr: SocketAddr, request: Request) -> Upload {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let client = std::thread::spawn(move || {
        let connection = h2::Connection::open(addr);
        let mut exchange = connection.start(&request);
        for piece in &request.pieces {
            exchange.send(piece).expect("a listening gateway");
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
        exchange.end(&request.trailers);
        exchange.response()
    });
    Upload { sent, client }
}

fn stream(size: usize, start: fn(SocketAddr, Request) -> Upload) {
    let request = Request::chat(body("one:m", Place::First, size));
    streams(request, &body("m", Place::First, size), start);
}

/// Uploads with the model first to a provider that hardly reads.
pub(crate) fn streams(request: Request, expected: &[u8], start: fn(SocketAddr, Request) -> Upload) {
    let size = request.pieces.concat().len();
    let Pair { gateway, server } = Pair::start("");
    let warm = Request::chat(body("one:m", Place::First, 100_000)).case("warm");
    assert_eq!(h1::exchange(gateway.addr(), &warm).status, 200);
    let before = gateway.memory();

    let gate = Gate::closed();
    server.script("upload", Answer::completion().reading_by(&gate));
    let upload = start(gateway.addr(), request.cut_every(100_000).case("upload"));
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
    stream(50_000_000, over_http1);
}

#[test]
fn a_large_upload_is_not_held_over_http2() {
    stream(50_000_000, over_http2);
}

#[test]
fn holding_has_its_limit() {
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
