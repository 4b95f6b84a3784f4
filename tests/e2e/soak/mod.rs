//! A million requests of all kinds: each gets its own answer, and Envoy's memory stands still.
//!
//! `make soak` runs it, with `SOAK_REQUESTS`.

mod driver;
mod kinds;
mod watch;

use crate::harness::Gateway;
use crate::lean::{CHAIN, KEYS, Lean};
use crate::samples::{LISTEN, provider};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use watch::Sample;

/// Clients, each with a connection that it keeps.
pub(crate) const CLIENTS: u64 = 16;

/// Rows of the table.
const ROWS: u64 = 20;

/// The longest that a run may take.
const LIMIT: Duration = Duration::from_secs(15 * 60);

fn start() -> (Gateway, Lean) {
    let lean = Lean::start();
    let key = |name: &str| format!("api_key = \"os.environ/{name}\"");
    let one = provider("one", &lean.url(), &[&key(KEYS[0].0), "models = [\"m\", \"n\"]"]);
    let two = provider("two", &lean.url(), &[&key(KEYS[1].0)]);
    let head = format!("{LISTEN}default_provider = \"one\"\n");
    (Gateway::start(&format!("{head}{one}{two}{CHAIN}"), &KEYS), lean)
}

#[test]
#[ignore = "`make soak` runs it: it takes minutes"]
fn memory_stands_still() {
    let count =
        std::env::var("SOAK_REQUESTS").map_or(50_000, |text| text.parse().expect("a number"));
    let (gateway, lean) = start();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let started = Instant::now();
    let samples = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| driver::drive(gateway.addr(), (&next, count), &done)))
            .collect();
        let mut samples = vec![Sample::take(&gateway, started, 0)];
        println!("{}\n{}", Sample::HEAD, samples[0]);
        for row in 1..=ROWS {
            let goal = count * row / ROWS;
            let is_over = || clients.iter().any(|client| client.is_finished());
            while done.load(Relaxed) < goal && !is_over() {
                assert!(
                    started.elapsed() < LIMIT,
                    "{} of {count} in {LIMIT:?}",
                    done.load(Relaxed)
                );
                thread::sleep(Duration::from_millis(20));
            }
            let sample = Sample::take(&gateway, started, done.load(Relaxed));
            println!("{sample}");
            samples.push(sample);
        }
        clients.into_iter().for_each(|client| client.join().expect("all answers are right"));
        samples
    });
    println!("{} requests reached the providers whole", lean.complete());
    gateway.assert_no_trap();
    lean.assert_no_complaint();
    watch::assert_still(&samples);
}
