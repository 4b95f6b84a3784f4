//! Threads in each other's way at the counters of a key, of its model and of its user.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use gaud::host::memory::Memory;
use gaud::host::store::Store;
use gaud::keys::{Allowed, Asked, Grant, Models, Owner, Refused};
use gaud::limits::{Budget, Counter, Demand, LEASE_MS, Limits, Refusal, Terms, Window};

use crate::threads::{THREADS, at_once};

/// 2026-11-29T16:00:00Z.
const NOW_MS: u64 = 1_795_968_000_000;
/// How often a thread asks.
const TIMES: u64 = 2_000;
const MODEL: &str = "gpt-4o";
/// Where shared data have the counters of the key `k`, of its model and of its user.
const PLACES: [&str; 3] = ["gaud/limit/key/k", "gaud/limit/key/k/gpt-4o", "gaud/limit/user/ann"];

fn allowed(key: &str) -> Allowed {
    let models = Models::of(Vec::new());
    Allowed { id: key.to_owned(), user: "ann".to_owned(), models, terms: None }
}

fn terms(limits: Limits) -> Terms {
    Terms { limits, known: None }
}

fn budget(nanos: u64) -> Limits {
    let budget = Budget { nanos, window: Window::Total, is_strict: false };
    Limits { budget: Some(budget), ..Limits::NONE }
}

fn counter(host: &Memory, place: &str) -> Counter {
    let stored = host.load(place);
    Counter::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()))
}

fn ask(host: &Memory, key: &str, asked: &Asked, demand: Demand) -> Result<Grant, Refused> {
    Grant::ask(host, &allowed(key), asked, demand)
}

/// Spent and reserved, and how many places are taken.
fn state(host: &Memory, place: &str) -> ((u64, u64), u32) {
    let counter = counter(host, place);
    let now_ms = gaud::host::Host::now_ms(host);
    (counter.money(now_ms), counter.places(now_ms))
}

#[test]
fn what_all_threads_have_spent_is_on_all_three_counters() {
    let host = Memory::at(NOW_MS);
    let most = 2;
    let limits = Limits { max_parallel_requests: Some(most), ..budget(u64::MAX) };
    let of_model = (MODEL.to_owned(), terms(limits));
    let asked = Asked { key: terms(limits), model: Some(of_model), user: terms(limits) };
    let (under_way, spent, refused) = (AtomicU32::new(0), AtomicU64::new(0), AtomicU64::new(0));
    at_once(|| {
        for cost in 0..TIMES {
            let Ok(grant) = ask(&host, "k", &asked, Demand { tokens: 0, nanos: TIMES }) else {
                refused.fetch_add(1, SeqCst);
                continue;
            };
            assert!(under_way.fetch_add(1, SeqCst) < most, "more places than there are");
            let charges = grant.charges();
            charges.charge(&host, "k", "ann", 1, 0);
            std::thread::yield_now();
            under_way.fetch_sub(1, SeqCst);
            grant.settle(&host, cost, 0);
            spent.fetch_add(cost + 1, SeqCst);
        }
    });
    let expected = ((spent.into_inner(), 0), 0);
    assert_eq!(PLACES.map(|place| state(&host, place)), [expected; 3]);
    assert!(refused.into_inner() > 0, "no thread was in another's way");
}

/// A last request has reserved less than was asked for.
#[test]
fn a_budget_has_one_last_request_at_a_time() {
    const NANOS: u64 = 10_000;
    const DEMAND: u64 = 6_000;
    for is_failing in [false, true] {
        let host = if is_failing { Memory::failing_every(5) } else { Memory::default() };
        host.set_clock(NOW_MS);
        let asked = Asked { key: terms(budget(NANOS)), ..Asked::default() };
        let (lasts, all, spent) = (AtomicU32::new(0), AtomicU64::new(0), AtomicU64::new(0));
        at_once(|| {
            for time in 0..TIMES {
                let Ok(grant) = ask(&host, "k", &asked, Demand { tokens: 0, nanos: DEMAND }) else {
                    std::thread::yield_now();
                    continue;
                };
                let is_last = grant.reserved_nanos() < DEMAND;
                if is_last {
                    assert_eq!(lasts.fetch_add(1, SeqCst), 0, "two last requests");
                    all.fetch_add(1, SeqCst);
                }
                std::thread::yield_now();
                lasts.fetch_sub(u32::from(is_last), SeqCst);
                let cost = if time + 1 == TIMES { DEMAND } else { time % 3 };
                grant.settle(&host, cost, 0);
                spent.fetch_add(cost, SeqCst);
            }
        });
        assert!(all.into_inner() > 0, "no request was a last one");
        let spent = spent.into_inner();
        assert_eq!(state(&host, PLACES[0]), ((spent, 0), 0));
        assert!(spent < NANOS + DEMAND, "{spent} of a budget of {NANOS}");
    }
}

#[test]
fn keys_of_one_user_have_one_last_request_of_the_users_budget() {
    let asked = Asked { key: terms(budget(100)), user: terms(budget(50)), model: None };
    for _ in 0..300 {
        let host = Memory::at(NOW_MS);
        let next = AtomicU32::new(0);
        let asks = || {
            let key = if next.fetch_add(1, SeqCst).is_multiple_of(2) { "k" } else { "l" };
            ask(&host, key, &asked, Demand { tokens: 0, nanos: 300 })
        };
        let answers = at_once(asks);
        let mut granted = answers.iter().flatten();
        let last = granted.next().expect("one is let through").clone();
        assert_eq!((last.reserved_nanos(), granted.next()), (100, None));
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert!(matches!(refused.refusal, Some(Refusal::Budget { .. })), "{refused:?}");
        }
        last.settle(&host, 70, 0);
        let keys = ["gaud/limit/key/k", "gaud/limit/key/l"].map(|place| state(&host, place));
        assert!(keys.contains(&((70, 0), 0)) && keys.contains(&((0, 0), 0)), "{keys:?}");
        assert_eq!(state(&host, PLACES[2]), ((70, 0), 0));
    }
}

#[test]
fn buckets_give_what_they_hold_and_get_back_what_the_user_refuses() {
    const RPM: u64 = 1_000;
    const TPM: u64 = 100_000;
    let host = Memory::at(NOW_MS);
    let key = Limits { rpm: Some(RPM), tpm: Some(TPM), ..Limits::NONE };
    let user = Limits { max_parallel_requests: Some(1), ..Limits::NONE };
    let asked = Asked { key: terms(key), user: terms(user), model: None };
    let demand = Demand { tokens: 50, nanos: 0 };
    let by_user = AtomicU64::new(0);
    let served = at_once(|| {
        let mut served = 0;
        for _ in 0..RPM / 2 {
            match ask(&host, "k", &asked, demand) {
                Ok(grant) => {
                    std::thread::yield_now();
                    grant.settle(&host, 0, 7);
                    served += 1;
                }
                Err(refused) => {
                    by_user.fetch_add(u64::from(refused.owner == Owner::User), SeqCst);
                }
            }
        }
        served
    });
    assert!(by_user.into_inner() > 0, "the user has refused nothing");
    let served: u64 = served.into_iter().sum();
    assert!(served <= RPM, "{served}");
    // The time does not change: one thread gets what all other threads have left, and no more.
    let grants = std::iter::from_fn(|| {
        let grant = ask(&host, "k", &asked, Demand { tokens: 1, nanos: 0 }).ok()?;
        let left = grant.view.tokens.expect("a bucket").remaining;
        grant.settle(&host, 0, 0);
        Some(left)
    });
    let left: Vec<_> = grants.collect();
    assert_eq!(left.len() as u64, RPM - served);
    assert!(left.iter().all(|left| *left == TPM - 7 * served - 1), "{served}: {left:?}");
}

#[test]
fn requests_whose_leases_end_meanwhile_are_counted_once() {
    let host = Memory::at(NOW_MS);
    let asked = Asked { key: terms(budget(u64::MAX)), ..Asked::default() };
    let spent = AtomicU64::new(0);
    at_once(|| {
        for time in 0..TIMES {
            let grant = ask(&host, "k", &asked, Demand { tokens: 0, nanos: 50 });
            let mut grant = grant.expect("money and places for all");
            // Each thread moves the clock, so that the others' leases end.
            host.advance(LEASE_MS / 2);
            std::thread::yield_now();
            if time % 2 == 0 {
                grant.renew(&host);
            }
            grant.settle(&host, time % 50, 0);
            spent.fetch_add(time % 50, SeqCst);
        }
    });
    assert_eq!(state(&host, PLACES[0]), ((spent.into_inner(), 0), 0));
    assert_eq!(gaud::host::Host::now_ms(&host), NOW_MS + THREADS as u64 * TIMES * LEASE_MS / 2);
}
