//! Bodies that wait for their model: the memory that they take is bounded, and the largest goes first.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::kit::client::{CLIENTS, Client, Exchange, Request, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::harness::wait::until_true;
use crate::kit::observe::{growth_while, metric};
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, Place, body, provider};
use crate::kit::upstream::Provider;

const MIB: usize = 1 << 20;

/// The memory of Envoy beside the bodies: buffers of connections, and pieces that are being read.
const MARGIN_BYTES: usize = 64 * MIB;

/// The settings' defaults.
const BODY_LIMIT: usize = 32 * MIB;
const HELD_LIMIT: usize = 256 * MIB;
/// A quarter of that, by the default of `client_share_percent`.
const SHARE: usize = 64 * MIB;

/// Without the hop and with it.
const HOP: [&str; 2] = ["", "retries = { max = 1 }\n"];

/// A gateway with one worker, and so with one pot.
fn start(settings: &str) -> (Gateway, Provider) {
    let server = Provider::start();
    let head = LISTEN.replace("workers = 2", "workers = 1");
    let toml = format!("{head}{settings}\n{}", provider("one", &server.url(), &[]));
    (Gateway::with_workers(1, &toml), server)
}

/// The counter of requests that met a bound.
fn met(gateway: &Gateway, setting: &str) -> u64 {
    metric(gateway, &format!(r#"gaud_bounds_total{{bound="{setting}"}}"#))
}

fn head(length: usize) -> Request {
    Request::new("POST", "/v1/chat/completions")
        .header("content-type", "application/json")
        .header("content-length", length.to_string())
}

const START: &[u8] = br#"{"x":""#;
const END: &[u8] = br#"","model":"one:m"}"#;

/// A request that has sent `bytes` bytes of a body whose model has not come yet, by HTTP/1.1: [`END`] is missing.
fn unfinished(gateway: &Gateway, source: Ipv4Addr, bytes: usize) -> h1::Connection {
    send_unfinished(gateway, source, bytes, head(bytes + END.len()))
}

fn send_unfinished(
    gateway: &Gateway,
    source: Ipv4Addr,
    bytes: usize,
    head: Request,
) -> h1::Connection {
    let mut connection = h1::Connection::open_from(source, gateway.addr());
    connection.send([&h1::head(&head), START].concat()).expect("a gateway");
    let mut left = bytes - START.len();
    while left > 0 {
        let size = left.min(MIB);
        // A gateway that has refused the request closes.
        if connection.send(vec![b'y'; size]).is_err() {
            break;
        }
        left -= size;
    }
    connection
}

/// The same, once the gateway has read all of it.
fn held(gateway: &Gateway, source: Ipv4Addr, bytes: usize) -> h1::Connection {
    read_whole(gateway, bytes, || unfinished(gateway, source, bytes))
}

/// Waits until the gateway has read as many bytes of what `send` has sent.
fn read_whole<T>(gateway: &Gateway, bytes: usize, send: impl FnOnce() -> T) -> T {
    let before = bytes_read(gateway);
    let sent = send();
    until_true("the gateway to read", || bytes_read(gateway) >= before + bytes as u64);
    sent
}

/// What the gateway has read of clients, under whatever name the listener has.
fn bytes_read(gateway: &Gateway) -> u64 {
    let is_clients = |name: &str| {
        name.starts_with("http.")
            && !name.starts_with("http.admin.")
            && name.ends_with(".downstream_cx_rx_bytes_total")
    };
    let stats = gateway.admin().stats();
    let found = stats.iter().filter(|(name, _)| is_clients(name));
    let counts: Vec<_> = found.map(|(_, bytes)| *bytes).collect();
    assert!(!counts.is_empty(), "the gateway says nothing of what it reads");
    counts.into_iter().sum()
}

/// Sends the rest of a request that was not refused.
fn finish(mut connection: h1::Connection, case: &str) {
    connection.send(END).expect("a gateway");
    let response = connection.response();
    assert_eq!(response.status, 200, "{case}: {}", response.text());
}

fn source(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, number)
}

/// A chat whose model comes in a second piece, so that the first must be held.
fn late_chat(size: usize) -> Request {
    Request::chat(body("one:m", Place::Last, size)).cut(&[size / 2])
}

/// Sends a chat in whole, and another whose model comes late; both must be answered.
fn chats_are_answered(gateway: &Gateway, case: &str, rounds: usize) {
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let early =
            Request::chat(r#"{"model":"one:m","messages":[{"role":"user","content":"Hello"}]}"#);
        for (what, request) in [("early", early), ("late", late_chat(400))] {
            for client in CLIENTS {
                let started = Instant::now();
                let response = client.send(gateway, &request);
                slowest = slowest.max(started.elapsed());
                let case = format!("{case}, {what} {client:?} {round}");
                assert_eq!(response.status, 200, "{case}: {}", response.text());
            }
        }
    }
    eprintln!("{case}: {} chats are answered, the slowest in {slowest:?}", 4 * rounds);
}

#[test]
fn small_chats_pass_beside_half_sent_giants() {
    for hop in HOP {
        let (gateway, _server) = start(hop);
        // From one address, as far as the share lets them; then from as many as the pot has room for.
        for sources in [1, 9] {
            let giants: Vec<_> = (0..9)
                .map(|number| unfinished(&gateway, source(1 + number % sources), BODY_LIMIT - 2048))
                .collect();
            chats_are_answered(&gateway, &format!("giants of {sources}"), 60);
            drop(giants);
        }
        assert!(met(&gateway, "client_share_percent") > 0);
        assert!(met(&gateway, "held_limit_bytes") > 0);
        gateway.assert_no_trap();
    }
}

/// The limits of a small pot: a body of 1 MiB has room in it, and four have not.
const SMALL: &str = "body_limit_bytes = 1048576\nheld_limit_bytes = 4194304\n";

#[test]
fn the_largest_holder_goes_first() {
    let (gateway, _server) = start(&format!("{SMALL}client_share_percent = 100"));
    let sizes = [700, 1000, 900, 800, 750].map(|size| size * 1024);
    let mut number = 0;
    let mut holders = sizes.map(|size| {
        number += 1;
        held(&gateway, source(number), size)
    });
    // The fifth has made the second leave.
    let response = holders[1].response();
    refusal::no_room().assert_openai("the largest", &response);
    assert_eq!(response.header("retry-after").as_deref(), Some("1"));
    assert_eq!(met(&gateway, "held_limit_bytes"), 1);
    // A request that would be the largest goes itself.
    let mut asker = unfinished(&gateway, source(9), 1000 * 1024);
    refusal::no_room().assert_openai("the asker", &asker.response());
    let others = holders.into_iter().enumerate().filter(|(index, _)| *index != 1);
    others.for_each(|(index, holder)| finish(holder, &format!("holder {index}")));
    chats_are_answered(&gateway, "after", 1);
    assert_eq!(met(&gateway, "held_limit_bytes"), 2);
    gateway.assert_no_trap();
}

#[test]
fn a_client_takes_no_more_than_its_share() {
    let (gateway, _server) = start(&format!("{SMALL}client_share_percent = 30"));
    let mut first = held(&gateway, source(1), 1000 * 1024);
    let second = held(&gateway, source(1), 500 * 1024);
    refusal::share_is_full().assert_openai("the larger of the client", &first.response());
    // Another client has a share of its own.
    let whole = Request::chat(body("one:m", Place::Last, 1000 * 1024)).cut_every(100_000);
    let mut other = h1::Connection::open_from(source(2), gateway.addr());
    other.send_request(&whole);
    assert_eq!(other.response().status, 200);
    finish(second, "the smaller of the client");
    assert_eq!(met(&gateway, "client_share_percent"), 1);
    assert_eq!(met(&gateway, "held_limit_bytes"), 0);
    gateway.assert_no_trap();
}

/// A trusted proxy names its client; any other peer is the client, whatever the peer names.
#[test]
fn a_trusted_proxy_names_the_client() {
    let settings = format!("{SMALL}client_share_percent = 30\ntrusted_proxies = [\"127.0.0.1\"]");
    let (gateway, _server) = start(&settings);
    let named = |from: Ipv4Addr, client: &str| {
        const BYTES: usize = 900 * 1024;
        let head = head(BYTES + END.len()).header("x-forwarded-for", client);
        read_whole(&gateway, BYTES, || send_unfinished(&gateway, from, BYTES, head))
    };
    let clients = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
    let [one, two, mut three] = clients.map(|client| named(source(1), client));
    // The whole network of an IPv6 client is one client, whose larger request goes.
    let same = named(source(1), "2001:db8::2");
    refusal::share_is_full().assert_openai("of the same network", &three.response());
    [one, two, same].into_iter().for_each(|connection| finish(connection, "of the proxy"));
    let mut of_other = named(source(2), "192.0.2.7");
    let again = named(source(2), "192.0.2.8");
    refusal::share_is_full().assert_openai("of the same peer", &of_other.response());
    finish(again, "of the peer");
    assert_eq!(met(&gateway, "client_share_percent"), 2);
    gateway.assert_no_trap();
}

fn begin(client: Client, gateway: &Gateway, request: &Request) -> Exchange {
    let mut exchange = client.begin(gateway, request);
    exchange.send(&request.pieces[0]).expect("a gateway");
    exchange
}

#[test]
fn a_model_has_its_time() {
    for hop in HOP {
        let (gateway, _server) = start(&format!("model_secs = 1\n{hop}"));
        for client in CLIENTS {
            let early = Request::chat(body("one:m", Place::First, 4000)).cut(&[2000]);
            let mut early = (begin(client, &gateway, &early), early.pieces[1].clone());
            let mut late = begin(client, &gateway, &late_chat(4000));
            refusal::model_timeout().assert_openai("late", &late.response());
            // The model of this request came at once: its body may take longer than that.
            early.0.send(early.1).expect("a gateway");
            early.0.end();
            assert_eq!(early.0.response().status, 200);
            let request =
                Request::post("/v1/messages", body("one:m", Place::Last, 4000)).cut(&[2000]);
            let mut late = begin(client, &gateway, &request);
            refusal::model_timeout().assert_anthropic("late", &late.response());
        }
        assert_eq!(met(&gateway, "model_secs"), 4);
        assert_eq!(metric(&gateway, r#"gaud_refused_total{code="model_timeout"}"#), 4);
        chats_are_answered(&gateway, "after", 1);
        gateway.assert_no_trap();
    }
}

/// Sends pieces that would take twice their length if lengths were counted: each is a DATA frame.
fn fill_by_frames(connection: &h2::Connection) -> h2::Exchange {
    let mut exchange = connection.start(&head(1_000_000_000));
    let _ = exchange.send(START);
    for _ in 0..(BODY_LIMIT - 4096) / 4097 {
        if exchange.send(&[b'y'; 4096]).and_then(|()| exchange.send(b"y")).is_err() {
            break;
        }
    }
    exchange
}

#[test]
fn what_is_held_is_counted_by_memory() {
    // With shares the pot would be full only where all clients are equally fast.
    let (gateway, _server) = start("client_share_percent = 100");
    chats_are_answered(&gateway, "before", 1);
    let (held, grown) = growth_while(&gateway, || {
        std::thread::scope(|scope| {
            let fill = |number| {
                let connection = h2::Connection::open_from(source(number), gateway.addr());
                let held: Vec<_> = (0..2).map(|_| fill_by_frames(&connection)).collect();
                (connection, held)
            };
            let clients = [1, 2, 3, 4, 5].map(|number| scope.spawn(move || fill(number)));
            let held = clients.map(|client| client.join().expect("a client"));
            until_true("a full pot", || met(&gateway, "held_limit_bytes") > 0);
            held
        })
    });
    drop(held);
    eprintln!("ten bodies of 32 MiB of five addresses: Envoy grows by {} MiB", grown / MIB);
    assert!(grown > HELD_LIMIT / 2, "{grown} bytes: the pot was not filled");
    assert!(grown < HELD_LIMIT + MARGIN_BYTES, "Envoy's memory grew by {} MiB", grown / MIB);
    // With the clients gone, there is room for a large body again.
    until_true("room", || {
        let large = Request::chat(body("one:m", Place::Last, BODY_LIMIT / 2)).cut_every(MIB);
        h1::exchange(gateway.addr(), &large).status == 200
    });
    gateway.assert_no_trap();
}

/// One address sends six times its share, by each protocol.
#[test]
fn the_share_of_a_client_is_counted_by_memory() {
    const BODIES: usize = 12;
    for client in CLIENTS {
        let (gateway, _server) = start("");
        chats_are_answered(&gateway, "before", 1);
        let (held, grown) = growth_while(&gateway, || -> Box<dyn std::any::Any> {
            match client {
                Client::Http1 => {
                    let one = |_| unfinished(&gateway, source(1), BODY_LIMIT - 2048);
                    Box::new((0..BODIES).map(one).collect::<Vec<_>>())
                }
                Client::Http2 => {
                    let connection = h2::Connection::open_from(source(1), gateway.addr());
                    let held: Vec<_> = (0..BODIES).map(|_| fill_by_frames(&connection)).collect();
                    Box::new((connection, held))
                }
            }
        });
        eprintln!("{client:?}: twelve bodies of 32 MiB of one address: {} MiB", grown / MIB);
        assert!(grown > SHARE / 2, "{client:?}: {grown} bytes: nothing was held");
        assert!(grown < SHARE + MARGIN_BYTES / 2, "{client:?}: Envoy grew by {} MiB", grown / MIB);
        let refused = met(&gateway, "client_share_percent");
        assert!(refused >= BODIES as u64 - 3, "{client:?}: {refused} of {BODIES} were refused");
        assert_eq!(met(&gateway, "held_limit_bytes"), 0, "{client:?}");
        chats_are_answered(&gateway, "beside", 1);
        drop(held);
        gateway.assert_no_trap();
    }
}
