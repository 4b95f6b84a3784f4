//! Random requests of seven classes: each class has its answers, and no provider sees a whole request
//! that is malformed.
//!
//! `make hostile` sends `HOSTILE_REQUESTS` of them, by `HOSTILE_SEED`; `make test` sends fewer.

use super::case::{BODY, CHAT, Case, Expected, JSON, post};
use super::{bodies, framing, headers, http2, paths, still_serves};
use crate::kit::client::{Response, h1};
use crate::kit::load::Load;
use crate::kit::random::{Random, variable};
use crate::kit::strict::Strict;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Requests of `make test`.
const REQUESTS: u64 = 1600;

/// How many are under way at once: most of them wait, for what may never come.
const CLIENTS: usize = 12;

/// How long an answer may take to a request that may never end; then the client says that it has.
pub(super) const PATIENCE: Duration = Duration::from_millis(300);

const LIMIT_BYTES: usize = 16 * 1024;

/// What became of one request, or of one connection.
pub(super) struct Outcome {
    pub(super) sent: Vec<u8>,
    /// In a word.
    pub(super) got: String,
    pub(super) verdict: Result<(), String>,
}

/// Makes one attack, and sends it.
type Attack = fn(SocketAddr, &mut Random) -> Outcome;

const CLASSES: [(&str, Attack); 7] = [
    ("framing", |addr, random| send(addr, framing::case(random))),
    ("headers", |addr, random| send(addr, headers::case(random))),
    ("json", |addr, random| send(addr, bodies::json(random))),
    ("forms", |addr, random| send(addr, bodies::form(random))),
    ("sizes", |addr, random| send(addr, bodies::size(random, LIMIT_BYTES))),
    ("paths", |addr, random| send(addr, paths::case(random))),
    ("http2", http2::exchange),
];

#[test]
fn nothing_malformed_reaches_a_provider() {
    let count = variable("HOSTILE_REQUESTS").unwrap_or(REQUESTS);
    let seed = variable("HOSTILE_SEED").unwrap_or(1);
    println!("HOSTILE_REQUESTS={count} HOSTILE_SEED={seed}");
    let strict = Strict::start(&format!("body_limit_bytes = {LIMIT_BYTES}"), &[]);
    let addr = strict.gateway.addr();
    for (class, attack) in CLASSES {
        attack_with(class, attack, addr, count.div_ceil(CLASSES.len() as u64), seed);
        still_takes_bytes(addr, class);
    }
    still_serves(&strict.gateway, "all attacks");
    strict.assert_good();
    println!("{} requests reached the providers whole", strict.complete());
}

/// Sends `count` requests of a class.
fn attack_with(class: &'static str, attack: Attack, addr: SocketAddr, count: u64, seed: u64) {
    let started = Instant::now();
    let tally = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let tallied = tally.clone();
    let load = Load::start(
        CLIENTS,
        0..count,
        |_| (),
        move |(), number| {
            // Each by its number: the requests are the same however the clients take turns.
            let mut random = Random::new(seed.wrapping_mul(1 << 32) + number);
            let Outcome { sent, got, verdict } = attack(addr, &mut random);
            if let Err(problem) = verdict {
                let shown = sent[..sent.len().min(2000)].escape_ascii();
                panic!("{class} {number} of seed {seed}: {problem}\nfor {shown}");
            }
            *tallied.lock().expect("a tally").entry(got).or_default() += 1;
        },
    );
    load.join();
    let tally = tally.lock().expect("a tally");
    println!("{class:8} {count:6} in {:.1?}: {tally:?}", started.elapsed());
}

fn send(addr: SocketAddr, case: Case) -> Outcome {
    let answer = exchange(addr, &case.bytes);
    let got = answer.as_ref().map_or("closed".to_owned(), |got| got.status.to_string());
    Outcome { got, verdict: case.check(answer.as_ref()), sent: case.bytes }
}

/// Sends bytes on a new connection; `None` when nothing comes back but its end.
fn exchange(addr: SocketAddr, bytes: &[u8]) -> Option<Response> {
    let mut connection = h1::Connection::open(addr);
    // The gateway may answer and close before it has read all.
    let _ = connection.send(bytes);
    connection.end_unless_answered(PATIENCE);
    if bytes.starts_with(b"HEAD ") {
        // The answer tells the length of a body that it does not have.
        let h1::Head { status, headers } = connection.try_head()?;
        return Some(Response { status, headers, body: Vec::new(), complete: true });
    }
    connection.try_response().filter(|response| response.complete)
}

#[track_caller]
fn still_takes_bytes(addr: SocketAddr, after: &str) {
    let case = Case::new(post(CHAT, JSON, BODY), Expected::Good);
    for _ in 0..8 {
        let answer = exchange(addr, &case.bytes);
        assert_eq!(case.check(answer.as_ref()), Ok(()), "after {after}");
    }
}
