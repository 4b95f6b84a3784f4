//! Requests that mean harm, by the thousand: each class has its answers, no provider sees a whole
//! request that is malformed, and the filter never traps.
//!
//! `make hostile` sends `HOSTILE_REQUESTS` of them, by `HOSTILE_SEED`; `make test` sends fewer.

mod bodies;
mod case;
mod frames;
mod framing;
mod headers;
mod http2;
mod paths;
pub(crate) mod random;
mod wire;

use crate::harness::Gateway;
use crate::lean::{CHAIN, KEYS, Lean};
use crate::samples::{LISTEN, provider};
use case::{BODY, CHAT, Case, Expected, JSON, post};
use random::Random;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

/// Requests of `make test`.
const REQUESTS: usize = 1600;

/// How many are under way at once: most of them wait, for what may never come.
const THREADS: usize = 12;

const LIMIT_BYTES: usize = 16 * 1024;

/// What became of one request, or of one connection.
struct Outcome {
    sent: Vec<u8>,
    /// In a word.
    got: String,
    verdict: Result<(), String>,
}

type Maker = fn(&mut Random) -> Case;

/// The classes that speak HTTP/1.1; HTTP/2 is one more.
const CLASSES: [(&str, Maker); 6] = [
    ("framing", framing::case),
    ("headers", headers::case),
    ("json", bodies::json),
    ("forms", bodies::form),
    ("sizes", |random| bodies::size(random, LIMIT_BYTES)),
    ("paths", paths::case),
];

fn start() -> (Gateway, Lean) {
    let lean = Lean::start();
    let key = |name: &str| format!("api_key = \"os.environ/{name}\"");
    let one = provider("one", &lean.url(), &[&key(KEYS[0].0)]);
    let two = provider("two", &lean.url(), &[&key(KEYS[1].0)]);
    let head = format!("{LISTEN}default_provider = \"one\"\nbody_limit_bytes = {LIMIT_BYTES}\n");
    (Gateway::start(&format!("{head}{one}{two}{CHAIN}"), &KEYS), lean)
}

#[test]
fn nothing_malformed_reaches_a_provider() {
    let number = |name: &str, default| {
        std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
    };
    let (count, seed) = (number("HOSTILE_REQUESTS", REQUESTS), number("HOSTILE_SEED", 1));
    println!("HOSTILE_REQUESTS={count} HOSTILE_SEED={seed}");
    let (gateway, lean) = start();
    let each = count.div_ceil(CLASSES.len() + 1);
    for (class, make) in CLASSES {
        let one = |random: &mut Random| {
            let case = make(random);
            let answer = wire::exchange(gateway.addr(), &case.bytes);
            let got = answer.as_ref().map_or("closed".to_owned(), |got| got.status().to_string());
            Outcome { got, verdict: case.check(answer.as_ref()), sent: case.bytes }
        };
        storm(class, each, seed as u64, &one);
        still_serves(gateway.addr(), class);
    }
    storm("http2", each, seed as u64, &|random| http2::exchange(gateway.addr(), random));
    still_serves(gateway.addr(), "http2");
    gateway.assert_no_trap();
    lean.assert_no_complaint();
    println!("{} requests reached the providers whole", lean.complete());
}

/// Sends so many requests of a class.
fn storm(class: &str, count: usize, seed: u64, one: &(impl Fn(&mut Random) -> Outcome + Sync)) {
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(BTreeMap::<String, usize>::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= count {
                return;
            }
            // Each by its own number: they are the same however threads take turns.
            let mut random = Random::new(seed.wrapping_mul(1 << 32) + index as u64);
            let Outcome { sent, got, verdict } = one(&mut random);
            if let Err(problem) = verdict {
                let shown = sent[..sent.len().min(2000)].escape_ascii();
                panic!("{class} {index} of seed {seed}: {problem}\nfor {shown}");
            }
            *tally.lock().expect("a tally").entry(got).or_default() += 1;
        }
    };
    thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
    println!("{class:8} {count:6} in {:.1?}: {:?}", started.elapsed(), tally.into_inner());
}

#[track_caller]
fn still_serves(addr: SocketAddr, after: &str) {
    let case = Case::new(post(CHAT, JSON, BODY), Expected::Good);
    for _ in 0..8 {
        let answer = wire::exchange(addr, &case.bytes);
        assert_eq!(case.check(answer.as_ref()), Ok(()), "after {after}");
    }
}
