//! A thousand keys under load for a minute, each at its limit.

use super::{Setup, always, chat};
use crate::kit::client::h1;
use crate::kit::harness::wait;
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

const KEYS: usize = 1_000;
const CLIENTS: usize = 8;
/// A token each five seconds: less than the clients ask for, so that each bucket is emptied within the minute.
const RPM: u32 = 12;
const TIME: Duration = Duration::from_secs(60);

/// A key, and what a bucket of its own would have let through at the times when the key was used.
struct Limited {
    key: String,
    /// When the key was used last, and how much the bucket had then.
    bucket: Option<(Instant, f64)>,
    /// By the bucket.
    due: u32,
    served: u32,
    refused: u32,
}

impl Limited {
    fn new(key: String) -> Self {
        Self { key, bucket: None, due: 0, served: 0, refused: 0 }
    }

    fn ask(&mut self, setup: &Setup) {
        let now = Instant::now();
        let most = f64::from(RPM);
        let gained = |last: Instant| (now - last).as_secs_f64() * most / 60.0;
        let fill = self.bucket.map_or(most, |(last, fill)| most.min(fill + gained(last)));
        let fits = fill >= 1.0;
        self.due += u32::from(fits);
        self.bucket = Some((now, if fits { fill - 1.0 } else { fill }));
        match h1::exchange(setup.run.addr(), &chat(&self.key, "priced")).status {
            200 => self.served += 1,
            status => {
                assert_eq!(status, 429);
                self.refused += 1;
            }
        }
    }
}

#[test]
#[ignore = "two minutes: a thousand keys are made, and used for a minute"]
fn a_thousand_keys_under_load_are_served_to_the_buckets_arithmetic() {
    let setup = Setup::start();
    always(&setup.one, "priced", 0);
    let fields = json!({ "rpm": RPM });
    let mut keys: Vec<_> = (0..KEYS).map(|_| Limited::new(setup.key(&fields).0)).collect();
    let start = Instant::now();
    thread::scope(|scope| {
        for part in keys.chunks_mut(KEYS / CLIENTS) {
            let setup = &setup;
            scope.spawn(move || {
                while start.elapsed() < TIME {
                    part.iter_mut().for_each(|limited| limited.ask(setup));
                }
            });
        }
    });
    let sum = |of: fn(&Limited) -> u32| keys.iter().map(of).sum::<u32>();
    let (served, refused, due) = (sum(|k| k.served), sum(|k| k.refused), sum(|k| k.due));
    println!(
        "{KEYS} keys in {:?}: {served} served of {due} due, {refused} refused",
        start.elapsed()
    );
    // The gateway sees a request some moments after its client: a token may come before the one and after the other.
    for Limited { key, due, served, .. } in &keys {
        assert!(
            served.abs_diff(*due) <= 1,
            "{served} of {due} served, {}",
            key.get(..19).unwrap_or("")
        );
    }
    assert!(refused > 0, "no key has come to its limit");
    let seen = || setup.one.seen("priced").len();
    wait::until_true("each request at the provider", || seen() >= served as usize);
    assert_eq!(seen(), served as usize);
}
