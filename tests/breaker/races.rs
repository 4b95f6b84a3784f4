//! Threads in each other's way: what the search takes for granted of `store::update`, and the
//! breaker on top of it.

use std::sync::Barrier;
use std::thread;

use gaud::breaker::BreakerState;
use gaud::breaker::{Outcome, State};
use gaud::gateway::{Gateway, Provider};
use gaud::health::shared_breaker;
use gaud::host::metrics::Metric;
use gaud::host::store::{Contended, Store, TRIES_MAX, update};
use gaud::route::ProviderId;

use super::memory::{Memory, gateway};

const THREADS: usize = 4;
const TIMES: usize = 500;
const OPEN_MS: u64 = 30_000;

/// Runs this in all threads at once; their results.
fn at_once<T: Send>(run: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    run()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Adds one to a number in the store, and gives way between loading and swapping.
fn add_one(store: &Memory) -> Result<u64, Contended> {
    update(store, "number", |bytes| {
        let old = bytes.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
        thread::yield_now();
        (Some((old + 1).to_le_bytes().to_vec()), old)
    })
}

fn one_provider(failures: u32) -> (Gateway, ProviderId) {
    let settings = format!(r#"{{"failures":{failures},"open_secs":30,"successes":1}}"#);
    let json = format!(r#"{{"breaker":{settings},"providers":{{"p":{{"url":"http://a"}}}}}}"#);
    let gateway = gateway(&json);
    let id = gateway.ids().next().unwrap();
    (gateway, id)
}

fn fail(host: &Memory, id: ProviderId, provider: &Provider) {
    let ticket = shared_breaker::admit(host, id, provider).unwrap().unwrap();
    shared_breaker::record(host, id, provider, ticket, Outcome::Failure);
}

#[test]
fn no_change_is_lost_and_none_is_made_twice() {
    let store = Memory::failing_every(7);
    let seen = at_once(|| {
        let tries = std::iter::repeat_with(|| add_one(&store));
        tries.flatten().take(TIMES).collect::<Vec<_>>()
    });
    let mut seen = seen.concat();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..(THREADS * TIMES) as u64), "each has seen another number");
    assert_eq!(update(&store, "number", |_| (None, ())), Ok(()));
    let (_, swaps) = store.touched();
    assert!(swaps as usize > THREADS * TIMES, "there were conflicts");
}

#[test]
fn a_change_that_is_always_too_late_is_given_up() {
    let store = Memory::failing_every(1);
    let mut tries = 0;
    let given_up = update(&store, "number", |bytes| {
        assert_eq!(bytes, None);
        tries += 1;
        (Some(vec![1]), ())
    });
    assert_eq!((given_up, tries), (Err(Contended), TRIES_MAX));
    assert_eq!(store.touched(), (TRIES_MAX, TRIES_MAX));
    assert_eq!(store.load("number"), None, "nothing was stored");
}

#[test]
fn the_last_try_counts() {
    let store = Memory::default();
    let mut others = 0;
    let made = update(&store, "number", |bytes| {
        let old = bytes.map_or(0, |bytes| bytes[0]);
        others += 1;
        if others < TRIES_MAX {
            let number = store.load("number").map(|(_, number)| number);
            assert!(store.swap("number", &[old + 1], number));
        }
        (Some(vec![old + 100]), ())
    });
    assert_eq!(made, Ok(()));
    let last = u8::try_from(TRIES_MAX).unwrap() - 1;
    assert_eq!(store.load("number").map(|(bytes, _)| bytes), Some(vec![last + 100]));
}

#[test]
fn what_cannot_be_stored_is_counted_and_refused() {
    let host = Memory::failing_every(1);
    let (gateway, id) = one_provider(1);
    let provider = gateway.provider(id).unwrap();
    fail(&host, id, provider);
    assert_eq!(host.count_of(Metric::Contended), 1);
    assert_eq!(shared_breaker::peek(&host, provider).state(), State::Closed { failures: 0 });
    assert_eq!(host.shown(), [], "nothing has changed");
}

#[test]
fn failures_of_all_threads_add_up() {
    let host = Memory::failing_every(5);
    let (gateway, id) = one_provider(1_000_000);
    let provider = gateway.provider(id).unwrap();
    at_once(|| (0..TIMES).for_each(|_| fail(&host, id, provider)));
    let lost = host.count_of(Metric::Contended);
    let failures = u32::try_from(THREADS * TIMES - lost).unwrap();
    assert_eq!(shared_breaker::peek(&host, provider).state(), State::Closed { failures });
}

#[test]
fn one_thread_opens_it_and_one_gets_the_probe() {
    let (gateway, id) = one_provider(1);
    let provider = gateway.provider(id).unwrap();
    let host = Memory::at(1);
    for round in 1..100 {
        let ticket = shared_breaker::admit(&host, id, provider).unwrap().unwrap();
        at_once(|| shared_breaker::record(&host, id, provider, ticket, Outcome::Failure));
        assert_eq!(host.count_of(Metric::Transition(id, BreakerState::Open)), round);
        host.advance(OPEN_MS);
        let asked = at_once(|| shared_breaker::admit(&host, id, provider));
        let mut probes = asked.into_iter().filter_map(|asked| asked.ok().flatten());
        let probe = probes.next().expect("one is let through");
        assert!(probe.is_probe());
        assert_eq!(probes.next(), None);
        shared_breaker::record(&host, id, provider, probe, Outcome::Success);
        assert_eq!(host.count_of(Metric::Transition(id, BreakerState::Closed)), round);
    }
}
