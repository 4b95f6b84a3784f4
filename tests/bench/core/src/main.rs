//! The scanner alone, in GB/s, beside what else passes over a body's bytes: a copy, the search for
//! one byte, and a parser that keeps nothing. One line of JSON for each measurement.
//!
//! The same program runs on the host and in a VM: `GAUD_BENCH_WHERE` is what it calls the place.
//! With `CONTENT SIZE RUNS` it scans one body RUNS times and says nothing: for valgrind.

mod content;
mod dice;
mod work;

use std::hint::black_box;
use std::time::{Duration, Instant};

use content::CONTENTS;
use work::{BLIND_WORKS, WORKS, scan_whole};

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// A VM compiles what runs often once more, and better: not before that is measured.
const WARM_UP: Duration = Duration::from_millis(60);
/// The fastest of many short rounds counts: whatever else the machine does only slows one down.
const ROUND: Duration = Duration::from_millis(2);
const ROUNDS: usize = 60;

fn main() {
    let asked: Vec<_> = std::env::args().skip(1).collect();
    match asked.as_slice() {
        [content, size, runs] => scan_again_and_again(content, number(size), number(runs)),
        _ => measure_all(),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn scan_again_and_again(content: &str, size: usize, runs: usize) {
    let row = CONTENTS.iter().find(|(name, _)| *name == content);
    let (_, make) = row.expect("the name of a kind of content");
    let body = make(size);
    for _ in 0..runs {
        scan_whole(black_box(&body));
    }
}

fn measure_all() {
    let place = std::env::var("GAUD_BENCH_WHERE").unwrap_or_else(|_| "host".to_owned());
    for (number, (content, make)) in CONTENTS.iter().enumerate() {
        let blind = BLIND_WORKS.iter().filter(|_| number == 0);
        let works: Vec<_> = WORKS.iter().chain(blind).collect();
        for size in SIZES {
            let body = make(size);
            for (work, run) in &works {
                let gb_per_sec = best_speed(&body, *run);
                println!(
                    "{}",
                    serde_json::json!({
                        "where": place, "content": content, "size": size, "work": work,
                        "gb_per_sec": gb_per_sec,
                    })
                );
            }
        }
    }
}

fn best_speed(body: &[u8], run: fn(&[u8])) -> f64 {
    speed(body, run, WARM_UP);
    (0..ROUNDS).map(|_| speed(body, run, ROUND)).fold(0.0, f64::max)
}

/// Runs for about so long, in GB/s. The clock is read seldom: in a VM it is a call out of it.
fn speed(body: &[u8], run: fn(&[u8]), length: Duration) -> f64 {
    let runs_between_looks = (50_000 / body.len()).max(1);
    let began = Instant::now();
    let mut runs = 0;
    while began.elapsed() < length {
        for _ in 0..runs_between_looks {
            run(black_box(body));
        }
        runs += runs_between_looks;
    }
    (runs * body.len()) as f64 / began.elapsed().as_secs_f64() / 1e9
}
