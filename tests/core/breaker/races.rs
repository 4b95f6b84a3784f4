//! Threads in each other's way: what the search takes for granted of `store::update`, and the
//! breaker on top of it.

use std::sync::Barrier;
use std::thread;

use gaud::breaker::{Arrival, BreakerState, Evidence, Reason, Slot, State, Tickets};
use gaud::gateway::Gateway;
use gaud::health::asking::Asking;
use gaud::health::shared_breaker::{self, Watched};
use gaud::host::memory::Memory;
use gaud::host::metrics::Metric;
use gaud::host::store::{Contended, Store, TRIES_MAX, update};

use super::gateway;
use crate::threads::{THREADS, at_once};

const TIMES: usize = 500;
const OPEN_MS: u64 = 30_000;

/// Adds one to a number in the store, and gives way between loading and swapping.
fn add_one(store: &Memory) -> Result<u64, Contended> {
    update(store, "number", |bytes| {
        let old = bytes.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
        thread::yield_now();
        (Some((old + 1).to_le_bytes().to_vec()), old)
    })
}

const FAILED: Evidence = Evidence::ModelFailed(Reason::Status(500));
const UNREACHABLE: Evidence = Evidence::Unreachable(Reason::Timeout);

fn one_provider(failures: u32) -> Gateway {
    let settings = format!(r#"{{"failures":{failures},"open_secs":30,"successes":1}}"#);
    gateway(&format!(
        r#"{{"breaker":{settings},"providers":{{"p":{{"url":"http://a","auth":"none"}}}}}}"#
    ))
}

fn watched(gateway: &Gateway) -> Watched<'_> {
    Watched::of(gateway, gateway.ids().next().unwrap()).unwrap()
}

fn admit(host: &Memory, gateway: &Gateway, model: &str) -> Option<Tickets> {
    let admitted =
        watched(gateway).admit(host, Some(model), Asking::Directly(Arrival::Whole)).ok()?;
    Some(admitted.unwrap().tickets)
}

fn hear(host: &Memory, gateway: &Gateway, tickets: Tickets, evidence: Evidence) {
    watched(gateway).record(host, tickets, evidence.at_head(&tickets), evidence.reason());
}

fn fail(host: &Memory, gateway: &Gateway, model: &str, evidence: Evidence) {
    let tickets = admit(host, gateway, model).unwrap();
    hear(host, gateway, tickets, evidence);
}

fn state(host: &Memory, gateway: &Gateway) -> State {
    shared_breaker::peek(host, &gateway.providers()[0]).provider().state()
}

fn state_of(host: &Memory, gateway: &Gateway, model: &str) -> State {
    shared_breaker::peek(host, &gateway.providers()[0]).model(Slot::of(model)).state()
}

#[test]
fn every_change_is_made_exactly_once() {
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
fn a_change_that_always_conflicts_is_given_up() {
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
fn the_last_try_can_still_succeed() {
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
fn a_change_that_cannot_be_stored_is_counted() {
    let host = Memory::failing_every(1);
    let gateway = one_provider(1);
    fail(&host, &gateway, "m", FAILED);
    assert_eq!(host.count_of(Metric::Contended), 1);
    assert_eq!(state_of(&host, &gateway, "m"), State::Closed { failures: 0 });
    assert_eq!((host.shown(), host.models_shown()), (vec![], vec![]), "nothing has changed");
}

#[test]
fn failures_of_all_threads_add_up_on_both_levels() {
    let host = Memory::failing_every(5);
    let gateway = one_provider(1_000_000);
    at_once(|| {
        for _ in 0..TIMES {
            fail(&host, &gateway, "a", FAILED);
            fail(&host, &gateway, "b", FAILED);
            fail(&host, &gateway, "b", UNREACHABLE);
        }
    });
    let count = |state: State| match state {
        State::Closed { failures } => failures as usize,
        other => panic!("{other:?}"),
    };
    let models = ["a", "b"].map(|model| count(state_of(&host, &gateway, model)));
    let all = models.iter().sum::<usize>() + count(state(&host, &gateway));
    assert_eq!(all + host.count_of(Metric::Contended), 3 * THREADS * TIMES);
}

#[test]
fn one_thread_opens_a_breaker_and_one_gets_the_probe() {
    let gateway = one_provider(1);
    let id = gateway.ids().next().unwrap();
    let host = Memory::at(1);
    for (round, evidence) in (1..100).zip([UNREACHABLE, FAILED].into_iter().cycle()) {
        let of_model = round / 2;
        let rounds = [round - of_model, of_model];
        let counted = |state| {
            [Metric::Transition(id, state), Metric::ModelTransition(id, state)]
                .map(|metric| host.count_of(metric))
        };
        let tickets = admit(&host, &gateway, "m").unwrap();
        at_once(|| hear(&host, &gateway, tickets, evidence));
        assert_eq!(counted(BreakerState::Open), rounds);
        host.advance(OPEN_MS);
        let asked = at_once(|| admit(&host, &gateway, "m"));
        let mut probes = asked.into_iter().flatten();
        let probe = probes.next().expect("one is let through");
        assert!(probe.is_probe());
        assert_eq!(probes.next(), None);
        hear(&host, &gateway, probe, Evidence::Answered);
        assert_eq!(counted(BreakerState::Closed), rounds);
    }
}

#[test]
fn threads_with_models_of_their_own_open_the_provider_once() {
    let gateway = one_provider(1);
    let id = gateway.ids().next().unwrap();
    for _ in 0..100 {
        let host = Memory::at(1);
        let models = ["a", "b", "c"].map(|model| (model, admit(&host, &gateway, model).unwrap()));
        let start = Barrier::new(models.len());
        thread::scope(|scope| {
            for (_, tickets) in &models {
                scope.spawn(|| {
                    start.wait();
                    hear(&host, &gateway, *tickets, FAILED);
                });
            }
        });
        let open = State::Open { until_ms: 1 + OPEN_MS };
        assert_eq!(models.map(|(model, _)| state_of(&host, &gateway, model)), [open; 3]);
        assert_eq!(state(&host, &gateway), open);
        assert_eq!(host.count_of(Metric::Transition(id, BreakerState::Open)), 1);
        assert_eq!(host.count_of(Metric::ModelTransition(id, BreakerState::Open)), 3);
    }
}
