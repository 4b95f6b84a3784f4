//! Bodies that are kept for another attempt share one bound; past it a request is sent once.

use std::net::Ipv4Addr;
use std::thread;

use crate::kit::client::{CLIENTS, Client, Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::harness::wait::until_true;
use crate::kit::observe::{growth_while, metric};
use crate::kit::samples::{LISTEN, Place, body, provider};
use crate::kit::upstream::raw::{Act, Raw};
use crate::kit::upstream::{Answer, Provider, sha256};

const MIB: usize = 1 << 20;

/// A gateway with one worker, whose provider `one` is asked twice, and `two` after it.
fn start(settings: &str, one: &str, two: &str) -> Gateway {
    let head = LISTEN.replace("workers = 2", "workers = 1");
    let chain = "[retries]\nmax = 1\nbackoff_ms = 10\n[[fallbacks]]\nmodel = \"one:chain\"\nto = [\"two:chain\"]\n";
    let tables =
        [provider("one", one, &["auth = \"none\""]), provider("two", two, &["auth = \"none\""])]
            .concat();
    Gateway::with_workers(1, &format!("{head}{settings}\n{tables}{chain}"))
}

fn met(gateway: &Gateway, setting: &str) -> u64 {
    metric(gateway, &format!(r#"gaud_bounds_total{{bound="{setting}"}}"#))
}

/// The response to a chat whose first two attempts fail, and how often each provider was asked.
fn asked(
    gateway: &Gateway,
    client: Client,
    request: Request,
    servers: [&Provider; 2],
) -> (Response, [usize; 2]) {
    let case = String::from_utf8_lossy(&request.headers.0.last().expect("a case").1).into_owned();
    for _ in 0..2 {
        servers[0].script(&case, Answer::new(500, "application/json", r#"{"error":"failed"}"#));
    }
    let response = client.send(gateway, &request);
    (response, servers.map(|server| server.seen(&case).len()))
}

#[test]
fn past_the_bound_a_request_is_sent_once() {
    let (one, two) = (Provider::start(), Provider::start());
    let gateway = start("kept_limit_bytes = 0", &one.url(), &two.url());
    for client in CLIENTS {
        for chunked in [false, true] {
            let case = format!("{client:?} {chunked}");
            let sent = body("one:chain", Place::First, 100_000);
            let mut request = Request::chat(&sent).cut_every(30_000).case(&case);
            request.chunked = chunked;
            let (response, times) = asked(&gateway, client, request, [&one, &two]);
            assert_eq!((response.status, times), (500, [1, 0]), "{case}: {}", response.text());
            assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("1"), "{case}");
            assert_eq!(response.header("x-gaud-provider").as_deref(), Some("one"), "{case}");
            assert_eq!(response.header("x-gaud-retry"), None, "{case}");
            let arrived = &one.seen(&case)[0];
            assert_eq!(arrived.sha256, sha256(&body("chain", Place::First, 100_000)), "{case}");
            // The next one is answered as any other.
            let next = Request::chat(&sent).cut_every(30_000).case("good");
            assert_eq!(client.send(&gateway, &next).status, 200, "{case}");
        }
    }
    assert_eq!(met(&gateway, "kept_limit_bytes") + met(&gateway, "client_share_percent"), 8);
    gateway.assert_no_trap();
}

#[test]
fn a_body_that_has_room_is_sent_again() {
    let (one, two) = (Provider::start(), Provider::start());
    let gateway =
        start("body_limit_bytes = 262144\nkept_limit_bytes = 262144", &one.url(), &two.url());
    // Each has nearly all the room, and gives it back.
    for client in CLIENTS {
        for chunked in [false, true] {
            let case = format!("{client:?} {chunked}");
            let mut request = Request::chat(body("one:chain", Place::First, 200_000))
                .cut_every(50_000)
                .case(&case);
            request.chunked = chunked;
            let (response, times) = asked(&gateway, client, request, [&one, &two]);
            assert_eq!((response.status, times), (200, [2, 1]), "{case}: {}", response.text());
            assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("3"), "{case}");
        }
    }
    assert_eq!(met(&gateway, "kept_limit_bytes") + met(&gateway, "client_share_percent"), 0);
    gateway.assert_no_trap();
}

/// Bodies of 16 MiB, less their last byte: together six times the bound.
const UPLOADS: u8 = 24;
const UPLOAD_BYTES: usize = 16 * MIB;
const KEPT_BYTES: usize = 64 * MIB;
/// What connections have in their buffers on the way: 1 MiB at most at each of four places, and mostly less, as the
/// provider reads on.
const MARGIN_BYTES: usize = UPLOADS as usize * 4 * MIB;

fn upload(gateway: &Gateway, client: Client, number: u8) -> Box<dyn std::any::Any + Send> {
    let source = Ipv4Addr::new(127, 0, 0, 1 + number);
    let head = Request::new("POST", "/v1/chat/completions")
        .header("content-type", "application/json")
        .header("content-length", (UPLOAD_BYTES + 100).to_string());
    let start = br#"{"model":"one:m","x":""#.to_vec();
    let pieces = std::iter::once(start).chain((0..16).map(|_| vec![b'y'; MIB]));
    match client {
        Client::Http1 => {
            let mut connection = h1::Connection::open_from(source, gateway.addr());
            connection.send(h1::head(&head)).expect("a gateway");
            pieces.for_each(|piece| connection.send(piece).expect("a gateway that reads on"));
            Box::new(connection)
        }
        Client::Http2 => {
            let connection = h2::Connection::open_from(source, gateway.addr());
            let mut exchange = connection.start(&head);
            pieces.for_each(|piece| exchange.send(&piece).expect("a gateway that reads on"));
            Box::new((connection, exchange))
        }
    }
}

/// Another listener than the gateway's may let each stream send a window ahead: 16 MiB in Envoy, unless it is told otherwise.
fn margin_bytes(client: Client) -> usize {
    let is_own_listener = std::env::var_os("GAUD_TEST_RENDER").is_none();
    if is_own_listener || client == Client::Http1 {
        MARGIN_BYTES
    } else {
        usize::from(UPLOADS) * 16 * MIB
    }
}

#[test]
fn many_unfinished_uploads_take_no_more_than_the_bound() {
    let server = Raw::start(vec![Act::ReadOn]);
    let good = Provider::start();
    for client in CLIENTS {
        let gateway =
            start(&format!("kept_limit_bytes = {KEPT_BYTES}"), &server.url(), &good.url());
        let (held, grown) = growth_while(&gateway, || {
            thread::scope(|scope| {
                let gateway = &gateway;
                let uploads = (0..UPLOADS)
                    .map(|number| scope.spawn(move || upload(gateway, client, number)))
                    .collect::<Vec<_>>();
                let join = uploads.into_iter().map(|upload| upload.join().expect("an upload"));
                join.collect::<Vec<_>>()
            })
        });
        eprintln!("{client:?}: {UPLOADS} uploads of 16 MiB: Envoy grows by {} MiB", grown / MIB);
        assert!(grown > KEPT_BYTES / 2, "{client:?}: {grown} bytes: nothing was kept");
        let bound = KEPT_BYTES + margin_bytes(client);
        assert!(grown < bound, "{client:?}: Envoy grew by {} MiB", grown / MIB);
        assert!(met(&gateway, "kept_limit_bytes") > 10, "{client:?}");
        // With the uploads gone there is room again: a request without an answer goes on to the next target.
        drop(held);
        until_true("room", || {
            let chat = Request::chat(body("two:m", Place::First, UPLOAD_BYTES))
                .cut_every(MIB)
                .case("room");
            good.script("room", Answer::new(500, "application/json", "{}"));
            let response = h1::exchange(gateway.addr(), &chat);
            response.header("x-gaud-attempts").as_deref() == Some("2")
        });
        gateway.assert_no_trap();
    }
}
