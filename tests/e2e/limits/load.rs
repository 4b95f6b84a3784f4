//! Many keys under load, each at its limit.

use super::{Setup, always, chat};
use crate::kit::client::h1;
use crate::kit::harness::wait;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const KEYS: usize = 200;
const CLIENTS: usize = 8;
const RPM: u64 = 60;
const TIME: Duration = Duration::from_secs(20);

#[test]
#[ignore = "half a minute of load"]
fn many_keys_under_load_are_served_to_the_buckets_arithmetic() {
    let setup = Setup::start();
    always(&setup.one, "priced", 0);
    let keys: Vec<String> = (0..KEYS).map(|_| setup.key(&json!({"rpm": RPM})).0).collect();
    let served: Vec<AtomicU64> = keys.iter().map(|_| AtomicU64::new(0)).collect();
    let addr = setup.run.addr();
    let start = Instant::now();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (keys, served) = (&keys, &served);
            scope.spawn(move || {
                let all = keys.iter().zip(served).cycle().skip(client * KEYS / CLIENTS);
                for (key, served) in all.take_while(|_| start.elapsed() < TIME) {
                    match h1::exchange(addr, &chat(key, "priced")).status {
                        200 => _ = served.fetch_add(1, SeqCst),
                        status => assert_eq!(status, 429),
                    }
                }
            });
        }
    });
    // A bucket holds a minute's requests, and gains one each second.
    let most = RPM + start.elapsed().as_secs() + 1;
    let counts: Vec<u64> = served.iter().map(|served| served.load(SeqCst)).collect();
    let (least, highest) =
        (counts.iter().min().expect("a key"), counts.iter().max().expect("a key"));
    let all: u64 = counts.iter().sum();
    println!("{KEYS} keys, {TIME:?}: {all} served, {least} to {highest} of {most} by key");
    assert!(*highest <= most, "{highest} of {most}");
    assert!(*least > 0);
    let seen = || setup.one.seen("priced").len() as u64;
    wait::until_true("each request at the provider", || seen() >= all);
    assert_eq!(seen(), all);
}
