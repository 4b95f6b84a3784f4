//! The table of a pot, and every interleaving of a small world.

#![allow(clippy::arithmetic_side_effects)]

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ONE: Client = Client::V4([192, 0, 2, 1]);
const TWO: Client = Client::V4([192, 0, 2, 2]);
const LIMITS: Limits = Limits { all: 10, client: 6, bound: Bound::Held };
const SOON: u64 = 100;

/// A pot with a holder for each of these clients; their streams are 1, 2, 3.
fn pot<const N: usize>(clients: [Client; N]) -> (Pot, [Seat; N]) {
    let mut pot = Pot::empty();
    let mut stream = 0;
    let seats = clients.map(|client| {
        stream += 1;
        pot.enter(stream, client, SOON)
    });
    (pot, seats)
}

fn bytes_of_client(pot: &Pot, client: Client) -> usize {
    let shares = pot.shares.iter().filter(|share| share.client == client && share.holders > 0);
    shares.map(|share| share.bytes).sum()
}

#[test]
fn what_fits_is_taken() {
    let (mut pot, [one, two]) = pot([ONE, TWO]);
    assert_eq!(pot.take(one, 4, LIMITS), Ok(()));
    assert_eq!(pot.take(two, 6, LIMITS), Ok(()));
    assert_eq!((pot.bytes(), bytes_of_client(&pot, ONE), pot.bytes_of(two)), (10, 4, 6));
    assert!(pot.evicted().is_empty());
}

#[test]
fn the_largest_holder_goes_first() {
    let (mut pot, [one, two, three]) = pot([ONE, TWO, TWO]);
    pot.take(one, 6, LIMITS).unwrap();
    pot.take(two, 4, LIMITS).unwrap();
    assert_eq!(pot.take(three, 1, LIMITS), Ok(()));
    assert_eq!(pot.evicted(), [(1, Bound::Held)]);
    assert!(pot.evicted().is_empty());
    assert_eq!((pot.bytes(), pot.bytes_of(one), pot.bytes_of(three)), (5, 0, 1));
}

#[test]
fn of_holders_of_a_size_the_last_goes_first() {
    let (mut pot, [one, two, three]) = pot([ONE, TWO, TWO]);
    for (seat, bytes) in [(one, 5), (two, 5)] {
        pot.take(seat, bytes, LIMITS).unwrap();
    }
    assert_eq!(pot.take(three, 1, LIMITS), Ok(()));
    assert_eq!(pot.evicted(), [(2, Bound::Held)]);
}

#[test]
fn the_asker_goes_if_it_would_be_the_largest() {
    let (mut pot, [one, two]) = pot([ONE, TWO]);
    pot.take(one, 5, LIMITS).unwrap();
    pot.take(two, 4, LIMITS).unwrap();
    assert_eq!(pot.take(two, 2, LIMITS), Err(Bound::Held));
    assert_eq!((pot.bytes(), pot.bytes_of(two), pot.evicted()), (5, 0, vec![]));
}

#[test]
fn a_client_that_has_its_share_takes_from_itself() {
    let (mut pot, [one, two, three, four]) = pot([ONE, ONE, ONE, TWO]);
    pot.take(one, 4, LIMITS).unwrap();
    pot.take(two, 2, LIMITS).unwrap();
    assert_eq!(pot.take(three, 5, LIMITS), Err(Bound::ClientShare));
    assert_eq!(pot.take(three, 1, LIMITS), Ok(()));
    assert_eq!(pot.evicted(), [(1, Bound::ClientShare)]);
    assert_eq!(pot.take(four, 6, LIMITS), Ok(()));
}

#[test]
fn no_holder_goes_for_a_request_that_can_do_without() {
    let (mut pot, [one, two, three]) = pot([ONE, ONE, TWO]);
    pot.take_if_free(one, 6, LIMITS).unwrap();
    assert_eq!(pot.take_if_free(two, 1, LIMITS), Err(Bound::ClientShare));
    assert_eq!(pot.take_if_free(three, 5, LIMITS), Err(Bound::Held));
    assert_eq!((pot.bytes(), pot.evicted()), (6, vec![]));
    pot.shrink(one, 5);
    assert_eq!(pot.take_if_free(three, 5, LIMITS), Ok(()));
    pot.shrink(three, 9);
    assert_eq!((pot.bytes(), pot.bytes_of(three)), (10, 5));
    pot.leave(one);
    assert_eq!(pot.bytes(), 5);
}

#[test]
fn a_holder_has_its_time_and_an_evicted_holder_is_named_once() {
    let (mut pot, [one, two]) = pot([ONE, TWO]);
    let three = pot.enter(3, TWO, u64::MAX);
    assert!(pot.late(SOON - 1).is_empty());
    assert_eq!(pot.late(SOON), [1, 2]);
    pot.leave(one);
    pot.take(two, 6, LIMITS).unwrap();
    pot.take(three, 1, LIMITS).unwrap();
    assert_eq!(pot.evicted(), [(2, Bound::ClientShare)]);
    assert!(pot.late(u64::MAX - 1).is_empty());
}

#[test]
fn a_seat_is_free_when_its_holder_has_left() {
    let (mut pot, [one, two]) = pot([ONE, TWO]);
    pot.take(two, 6, LIMITS).unwrap();
    pot.take(one, 1, LIMITS).unwrap();
    // An evicted holder has its seat until it leaves.
    let three = pot.enter(3, TWO, SOON);
    pot.take(three, 1, LIMITS).unwrap();
    assert_eq!(pot.evicted(), [(2, Bound::ClientShare)]);
    assert_eq!(pot.enter(4, ONE, SOON), Seat(3));
    pot.leave(two);
    pot.leave(two);
    assert_eq!((pot.enter(5, ONE, SOON), pot.shares.len()), (two, 2));
    assert_eq!((bytes_of_client(&pot, ONE), bytes_of_client(&pot, TWO)), (1, 1));
}

#[test]
fn a_holder_that_lingers_has_its_bytes_until_its_time_is_up() {
    let (mut pot, [one, two]) = pot([ONE, ONE]);
    pot.take_if_free(one, 5, LIMITS).unwrap();
    pot.linger(one);
    pot.linger(one);
    pot.linger(two);
    pot.expire(SOON - 1);
    // The seat without bytes is free, and the other is not.
    let three = pot.enter(3, ONE, SOON);
    assert_eq!((three, pot.bytes()), (two, 5));
    assert_eq!(pot.take_if_free(three, 2, LIMITS), Err(Bound::ClientShare));
    assert_eq!(pot.late(SOON), [3]);
    pot.expire(SOON);
    assert_eq!(pot.take_if_free(three, 6, LIMITS), Ok(()));
    pot.expire(SOON);
    assert_eq!((pot.bytes(), pot.enter(4, TWO, SOON)), (6, one));
    pot.leave(three);
    let left: usize = pot.shares.iter().map(|share| share.bytes + share.holders).sum();
    assert_eq!((left, pot.shares.len()), (1, 2));
}

/// A step of a small world: of three holders, two of them of one client.
#[derive(Debug, Clone, Copy)]
enum Step {
    Take(usize, usize),
    TakeIfFree(usize, usize),
    Shrink(usize, usize),
    /// The holder leaves, and comes again.
    Leave(usize),
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

/// The pot, and what each holder has, kept without any cleverness.
struct World {
    pot: Pot,
    seats: [Seat; 3],
    held: [usize; 3],
}

impl World {
    fn new() -> Self {
        let (pot, seats) = pot(CLIENTS);
        Self { pot, seats, held: [0; 3] }
    }

    fn act(&mut self, step: Step) {
        let Self { pot, seats, held } = self;
        let result = match step {
            Step::Take(holder, more) => {
                let result = pot.take(seats[holder], more, LIMITS);
                held[holder] = if result.is_ok() { held[holder] + more } else { 0 };
                result
            }
            Step::TakeIfFree(holder, more) => {
                let result = pot.take_if_free(seats[holder], more, LIMITS);
                held[holder] += if result.is_ok() { more } else { 0 };
                result
            }
            Step::Shrink(holder, bytes) => {
                pot.shrink(seats[holder], bytes);
                held[holder] = held[holder].min(bytes);
                Ok(())
            }
            Step::Leave(holder) => {
                pot.leave(seats[holder]);
                seats[holder] = pot.enter(holder as u32 + 1, CLIENTS[holder], SOON);
                held[holder] = 0;
                Ok(())
            }
        };
        for (stream, _) in pot.evicted() {
            let Step::Take(asker, _) = step else { panic!("{step:?} sends {stream} away") };
            let bytes = std::mem::take(&mut held[stream as usize - 1]);
            assert!(bytes > held[asker], "{step:?} sends the smaller {stream} away");
            assert_eq!(result, Ok(()), "{step:?} sends {stream} away in vain");
        }
    }

    fn check(&self, path: &[Step]) {
        let [one, other, two] = self.held;
        assert!(one + other + two <= LIMITS.all, "{path:?}");
        assert!(one + other <= LIMITS.client && two <= LIMITS.client, "{path:?}");
        assert_eq!(self.pot.bytes(), one + other + two, "{path:?}");
        assert_eq!(bytes_of_client(&self.pot, ONE), one + other, "{path:?}");
        assert_eq!(bytes_of_client(&self.pot, TWO), two, "{path:?}");
        assert_eq!((self.pot.holders.len(), self.pot.shares.len()), (3, 2), "{path:?}");
    }
}

/// Whatever the order of steps: no more is counted than the limits say, no holder goes in vain, and nothing is lost or left
/// when a holder ends.
#[test]
fn every_interleaving_keeps_the_limits() {
    let (steps, depth) = (steps(), 4);
    for mut number in 0..steps.len().pow(depth) {
        let mut world = World::new();
        let mut path = Vec::new();
        for _ in 0..depth {
            let step = steps[number % steps.len()];
            number /= steps.len();
            path.push(step);
            world.act(step);
            world.check(&path);
        }
        world.seats.iter().for_each(|seat| world.pot.leave(*seat));
        let left: usize = world.pot.shares.iter().map(|share| share.bytes + share.holders).sum();
        assert_eq!((world.pot.bytes(), left), (0, 0), "{path:?}");
    }
}
