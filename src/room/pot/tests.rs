//! The table of a pot, and every interleaving of a small world.

#![allow(clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ONE: Client = Client::V4([192, 0, 2, 1]);
const TWO: Client = Client::V4([192, 0, 2, 2]);
const LIMITS: Limits = Limits { all: 10, client: 6 };
const SOON: u64 = 100;

#[test]
fn what_fits_is_taken() {
    let mut pot = Pot::default();
    assert_eq!(pot.take(1, ONE, 4, LIMITS, SOON), Ok(()));
    assert_eq!(pot.take(2, TWO, 6, LIMITS, SOON), Ok(()));
    assert_eq!((pot.bytes(), pot.bytes_of_client(ONE), pot.bytes_of(2)), (10, 4, 6));
    assert!(pot.evicted().is_empty());
}

#[test]
fn the_largest_holder_goes_first() {
    let mut pot = Pot::default();
    pot.take(1, ONE, 6, LIMITS, SOON).unwrap();
    pot.take(2, TWO, 4, LIMITS, SOON).unwrap();
    assert_eq!(pot.take(3, TWO, 1, LIMITS, SOON), Ok(()));
    assert_eq!(pot.evicted(), [1]);
    assert!(pot.evicted().is_empty());
    assert_eq!((pot.bytes(), pot.bytes_of(1), pot.bytes_of(3)), (5, 0, 1));
}

#[test]
fn the_asker_goes_if_it_would_be_the_largest() {
    let mut pot = Pot::default();
    pot.take(1, ONE, 5, LIMITS, SOON).unwrap();
    pot.take(2, TWO, 4, LIMITS, SOON).unwrap();
    assert_eq!(pot.take(2, TWO, 2, LIMITS, SOON), Err(Full::Pot));
    assert_eq!((pot.bytes(), pot.bytes_of(2), pot.evicted()), (5, 0, vec![]));
}

#[test]
fn a_client_that_has_its_share_takes_from_itself() {
    let mut pot = Pot::default();
    pot.take(1, ONE, 4, LIMITS, SOON).unwrap();
    pot.take(2, ONE, 2, LIMITS, SOON).unwrap();
    assert_eq!(pot.take(3, ONE, 5, LIMITS, SOON), Err(Full::Share));
    assert_eq!(pot.take(3, ONE, 1, LIMITS, SOON), Ok(()));
    assert_eq!(pot.evicted(), [1]);
    assert_eq!(pot.take(4, TWO, 6, LIMITS, SOON), Ok(()));
}

#[test]
fn nobody_goes_for_a_request_that_can_do_without() {
    let mut pot = Pot::default();
    pot.take_if_free(1, ONE, 6, LIMITS).unwrap();
    assert_eq!(pot.take_if_free(2, ONE, 1, LIMITS), Err(Full::Share));
    assert_eq!(pot.take_if_free(2, TWO, 5, LIMITS), Err(Full::Pot));
    assert_eq!((pot.bytes(), pot.evicted()), (6, vec![]));
    pot.shrink(1, 5);
    assert_eq!(pot.take_if_free(2, TWO, 5, LIMITS), Ok(()));
    pot.shrink(2, 9);
    assert_eq!((pot.bytes(), pot.bytes_of(2)), (10, 5));
    pot.leave(1);
    assert_eq!(pot.bytes(), 5);
}

#[test]
fn the_time_of_a_holder_begins_with_its_first_bytes() {
    let mut pot = Pot::default();
    pot.take(1, ONE, 1, LIMITS, 100).unwrap();
    pot.take(1, ONE, 1, LIMITS, 900).unwrap();
    pot.take_if_free(2, TWO, 1, LIMITS).unwrap();
    assert!(pot.late(99).is_empty());
    assert_eq!(pot.late(100), [1]);
    pot.leave(1);
    assert!(pot.late(u64::MAX - 1).is_empty());
}

/// A step of a small world: of three holders, two of them of one client.
#[derive(Debug, Clone, Copy)]
enum Step {
    Take(u32, usize),
    TakeIfFree(u32, usize),
    Shrink(u32, usize),
    Leave(u32),
}

const CLIENTS: [Client; 3] = [ONE, ONE, TWO];

fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for holder in 0..3 {
        steps.extend([1, 4, 7].map(|bytes| Step::Take(holder, bytes)));
        steps.extend([Step::TakeIfFree(holder, 3), Step::Shrink(holder, 2), Step::Leave(holder)]);
    }
    steps
}

/// What each holder has, kept without any cleverness.
type Model = BTreeMap<u32, usize>;

fn act(pot: &mut Pot, model: &mut Model, step: Step) {
    let client = |holder: u32| CLIENTS[holder as usize];
    let result = match step {
        Step::Take(holder, more) => {
            let result = pot.take(holder, client(holder), more, LIMITS, SOON);
            let had = model.remove(&holder).unwrap_or(0);
            if result.is_ok() {
                model.insert(holder, had + more);
            }
            result
        }
        Step::TakeIfFree(holder, more) => {
            let result = pot.take_if_free(holder, client(holder), more, LIMITS);
            if result.is_ok() {
                *model.entry(holder).or_default() += more;
            }
            result
        }
        Step::Shrink(holder, bytes) => {
            pot.shrink(holder, bytes);
            model.entry(holder).and_modify(|held| *held = bytes.min(*held));
            Ok(())
        }
        Step::Leave(holder) => {
            pot.leave(holder);
            model.remove(&holder);
            Ok(())
        }
    };
    let evicted = pot.evicted();
    for holder in &evicted {
        let bytes = model.remove(holder).expect("only a holder goes");
        let Step::Take(asker, _) = step else { panic!("{step:?} sends {holder} away") };
        assert!(bytes > pot.bytes_of(asker), "{step:?} sends the smaller {holder} away");
    }
    assert!(result.is_ok() || evicted.is_empty() || matches!(step, Step::Take(..)));
}

/// Whatever the order of steps: no more is counted than the limits say, and nothing is lost or left when a holder ends.
#[test]
fn every_interleaving_keeps_the_limits() {
    let (steps, depth) = (steps(), 4);
    let count = steps.len().pow(depth);
    for mut number in 0..count {
        let (mut pot, mut model) = (Pot::default(), Model::new());
        let mut path = Vec::new();
        for _ in 0..depth {
            let step = steps[number % steps.len()];
            number /= steps.len();
            path.push(step);
            act(&mut pot, &mut model, step);
            let of = |own: Client| -> usize {
                let holders = model.iter().filter(|(holder, _)| CLIENTS[**holder as usize] == own);
                holders.map(|(_, bytes)| *bytes).sum()
            };
            assert!(pot.bytes() <= LIMITS.all, "{path:?}");
            assert!(of(ONE) <= LIMITS.client && of(TWO) <= LIMITS.client, "{path:?}");
            assert_eq!(pot.bytes(), model.values().sum::<usize>(), "{path:?}");
            assert_eq!(pot.bytes_of_client(ONE), of(ONE), "{path:?}");
            assert_eq!(pot.bytes_of_client(TWO), of(TWO), "{path:?}");
        }
        (0..3).for_each(|holder| pot.leave(holder));
        assert_eq!((pot.bytes(), pot.clients.len(), pot.all.sizes.len()), (0, 0, 0), "{path:?}");
    }
}
