//! What one address can take of a gateway, beside what has a suite of its own: connections, and `/health` of many providers.
//!
//! `make attacks` runs the long ones, and prints what they cost.

use std::time::{Duration, Instant};

use crate::kit::client::{Request, h1, unread};
use crate::kit::harness::Gateway;
use crate::kit::harness::wait::until_true;
use crate::kit::observe::{growth_while, metric};
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;

const MIB: usize = 1 << 20;

/// A chat takes a millisecond where nothing else goes on.
const PATIENCE: Duration = Duration::from_secs(2);

fn start(providers: usize) -> (Gateway, Provider) {
    let server = Provider::start();
    let table = |number| provider(&format!("p{number:03}"), &server.url(), &[]);
    let tables: String = (0..providers).map(table).collect();
    (Gateway::start(&format!("{LISTEN}{tables}"), &[]), server)
}

/// The longest that one of 50 chats takes.
fn slowest_chat(gateway: &Gateway) -> Duration {
    let took = |_| {
        let started = Instant::now();
        let response = h1::exchange(gateway.addr(), &Request::chat(r#"{"model":"p000:m"}"#));
        assert_eq!(response.status, 200, "{}", response.text());
        started.elapsed()
    };
    (0..50).map(took).max().expect("50 chats")
}

/// The connections of clients that Envoy has.
fn connections(gateway: &Gateway) -> u64 {
    gateway.admin().stats()["http.gaud.downstream_cx_active"]
}

/// As many connections as four fifths of the files that a process may open here, and as the ports of one address.
fn most_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("the limits of a process");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    let files = line.split_whitespace().nth(3).and_then(|files| files.parse::<usize>().ok());
    (files.unwrap_or(usize::MAX) / 5 * 4).min(25_000)
}

/// Kernel and Envoy have buffers for a connection only once bytes come.
const CONNECTION_BYTES: usize = 48 * 1024;

#[test]
#[ignore = "`make attacks` runs it: it takes most of the files that a process may open"]
fn connections_of_one_address_cost_little_and_half_a_head_costs_them() {
    let (gateway, _server) = start(1);
    slowest_chat(&gateway);
    let count = most_connections();
    let (mut clients, grown) = growth_while(&gateway, || {
        let open = |_| h1::Connection::open(gateway.addr());
        let clients: Vec<_> = (0..count).map(open).collect();
        until_true("all connections", || connections(&gateway) >= count as u64);
        clients
    });
    let waited = slowest_chat(&gateway);
    eprintln!(
        "{count} connections: a chat waits {waited:?} at most, Envoy grows by {} MiB",
        grown / MIB
    );
    assert!(waited < PATIENCE, "{waited:?}");
    assert!(grown < count * CONNECTION_BYTES, "{grown} bytes for {count} connections");
    // A client that begins a request has ten seconds for its head.
    for client in &mut clients {
        client.send("POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n").expect("a gateway");
    }
    let waited = slowest_chat(&gateway);
    eprintln!("{count} half heads: a chat waits {waited:?} at most");
    assert!(waited < PATIENCE, "{waited:?}");
    until_true("the end of all heads", || connections(&gateway) < 100);
    drop(clients);
    gateway.assert_no_trap();
}

/// The bound is 50,000, which few machines let one process open.
#[test]
fn past_the_bound_of_connections_the_gateway_still_says_whether_it_is_ready() {
    const BOUND: usize = 200;
    let server = Provider::start();
    let toml = format!("{LISTEN}{}", provider("p000", &server.url(), &[]));
    let yaml = Gateway::render(&toml, &[]).expect("a configuration");
    let bound = |count: usize| format!("max_active_downstream_connections: {count}\n");
    assert!(yaml.contains(&bound(50_000)));
    let yaml = yaml.replace(&bound(50_000), &bound(BOUND));
    let gateway = Gateway::from_yaml(&yaml, &[], &["--concurrency", "2"]);
    let mut served = h1::Connection::open(gateway.addr());
    let chat = Request::chat(r#"{"model":"p000:m"}"#);
    served.send_request(&chat);
    assert_eq!(served.response().status, 200);
    let clients: Vec<_> = (0..2 * BOUND).map(|_| h1::Connection::open(gateway.addr())).collect();
    let refused = || {
        let mut connection = h1::Connection::open(gateway.addr());
        connection.send(h1::head(&Request::new("GET", "/healthz"))).is_err()
            || connection.try_response().is_none()
    };
    until_true("the bound", || connections(&gateway) == BOUND as u64);
    assert!(refused(), "a client has got a connection past the bound");
    // A client that has a connection is served. A question whether Envoy is ready does not count as a client.
    served.send_request(&chat);
    assert_eq!(served.response().status, 200);
    is_ready(&gateway);
    assert!(refused(), "the bound is met no more");
    drop(clients);
    until_true("a connection", || !refused());
    gateway.assert_no_trap();
}

/// Fails unless `admin_listen` takes a connection, and Envoy's own admin interface another, which `admin_listen` asks. func-e
/// moves that interface, so that the answer of both together is not seen here.
fn is_ready(gateway: &Gateway) {
    let listeners = gateway.admin().get("/listeners");
    let public = listeners.lines().find_map(|line| line.strip_prefix("gaud_admin::"));
    let addr = public.expect("admin_listen").parse().expect("an address");
    let closed = h1::exchange(addr, &Request::new("GET", "/config_dump"));
    assert_eq!(closed.status, 403, "{}", closed.text());
    assert_eq!(gateway.admin().get("/ready"), "LIVE\n");
}

#[test]
#[ignore = "`make attacks` runs this test: Envoy takes seconds to start with 500 providers"]
fn health_of_many_providers_that_is_not_read_is_bounded() {
    const PROVIDERS: usize = 500;
    const COUNT: u32 = 400;
    /// What one address may have of the default of `lists_limit_bytes`, with Envoy's own growth beside.
    const GROWTH_BYTES: usize = (8 + 32) * MIB;
    let (gateway, _server) = start(PROVIDERS);
    slowest_chat(&gateway);
    let mut connection = h1::Connection::open(gateway.addr());
    let (waited, grown) = growth_while(&gateway, || {
        connection.send(unread::without_a_window("/health", &[], COUNT)).expect("a gateway");
        let waited = slowest_chat(&gateway);
        let refused = || metric(&gateway, r#"gaud_refused_total{code="gateway_busy"}"#);
        until_true("a refusal", || refused() > 0);
        waited
    });
    eprintln!(
        "{COUNT} of /health with {PROVIDERS} providers: a chat waits {waited:?} at most, Envoy grows by {} MiB",
        grown / MIB
    );
    assert!(waited < PATIENCE, "{waited:?}");
    assert!(grown < GROWTH_BYTES, "Envoy grew by {} MiB", grown / MIB);
    drop(connection);
    until_true("/health", || {
        h1::exchange(gateway.addr(), &Request::new("GET", "/health")).status == 200
    });
    gateway.assert_no_trap();
}
