//! A million requests of all kinds: each gets the answer to it, and Envoy's memory does not grow.
//!
//! `make soak` runs it, with `SOAK_REQUESTS`.

mod kinds;
mod watch;

use crate::kit::client::{Client, Line, h1};
use crate::kit::harness::wait::until_within;
use crate::kit::load::Load;
use crate::kit::random::{Random, variable};
use crate::kit::strict::Strict;
use kinds::{Kind, Want};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use watch::Sample;

/// Clients, each with a connection that it keeps.
const CLIENTS: usize = 16;

/// Rows of the table.
const ROWS: u64 = 20;

/// The longest that a run may take.
const LIMIT: Duration = Duration::from_secs(15 * 60);

#[test]
#[ignore = "`make soak` runs it: it takes minutes"]
fn memory_does_not_grow() {
    let count = variable("SOAK_REQUESTS").unwrap_or(50_000);
    let strict = Strict::start("", &["models = [\"m\", \"n\"]"]);
    let (gateway, started) = (&strict.gateway, Instant::now());
    let addr = gateway.addr();
    let open = |_| Line::open(Client::Http1, addr);
    let load = Load::start(CLIENTS, 0..count, open, move |line, number| ask(addr, line, number));
    let mut samples = vec![Sample::take(gateway, started, 0)];
    println!("{}\n{}", Sample::HEAD, samples[0]);
    for row in 1..=ROWS {
        let is_due = || load.done() >= count * row / ROWS || load.has_ended();
        let left = LIMIT.saturating_sub(started.elapsed());
        until_within(left, "the next row", || is_due().then_some(()));
        let sample = Sample::take(gateway, started, load.done());
        println!("{sample}");
        samples.push(sample);
    }
    load.join();
    println!("{} requests reached the providers whole", strict.complete());
    strict.assert_good();
    watch::assert_still(&samples);
}

/// Sends the request of a number, and checks what comes.
fn ask(addr: SocketAddr, line: &mut Line, number: u64) {
    let kind = Kind::new(&mut Random::new(number), number);
    if let Want::Nothing { after } = kind.want {
        let bytes = [h1::head(&kind.request), kind.request.pieces.concat()].concat();
        let _ = h1::Connection::open(addr).send(&bytes[..after.min(bytes.len())]);
        return;
    }
    let response = line.exchange(&kind.request, Duration::ZERO);
    if let Err(problem) = kind.check(response.as_ref()) {
        let body = kind.request.pieces.concat();
        let shown = body[..body.len().min(600)].escape_ascii();
        panic!("{problem}: {response:?}\nfor {shown}");
    }
}
