//! What the requests of a worker share: room for their bytes.
//!
//! A [`Pot`] is a pure state machine. A worker has a pot for each [`Purpose`], whatever its plugins and configurations: the
//! memory of a VM is common to all of them. A [`Place`] is what a stream has in a pot; a place that is dropped is free again.

mod bound;
mod client;
pub mod pot;

use std::cell::RefCell;

pub use bound::Bound;
pub use client::Client;
pub use pot::{Limits, Pot, Seat};

thread_local! {
    static HELD: RefCell<Pot> = const { RefCell::new(Pot::empty()) };
    static KEPT: RefCell<Pot> = const { RefCell::new(Pot::empty()) };
    static LISTS: RefCell<Pot> = const { RefCell::new(Pot::empty()) };
}

/// How long a list counts at least. Envoy ends an HTTP/1.1 stream when the connection has the answer, and not when the client
/// has read it; and a client that reads fast may not ask for lists until others wait.
pub const LIST_MS: u64 = 1000;

/// One of the worker's pots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Bodies in the VM that wait for their model.
    Held,
    /// Bodies that Envoy's router keeps for another attempt, until the request is over.
    Kept,
    /// Long answers of the gateway's own, until Envoy has passed them on, and for [`LIST_MS`] at least.
    Lists,
}

impl Purpose {
    /// Looks into this worker's pot, or changes it.
    pub fn pot<T>(self, act: impl FnOnce(&mut Pot) -> T) -> T {
        match self {
            Self::Held => HELD.with_borrow_mut(act),
            Self::Kept => KEPT.with_borrow_mut(act),
            Self::Lists => LISTS.with_borrow_mut(act),
        }
    }
}

/// What a stream has in a pot.
#[derive(Debug)]
pub struct Place {
    purpose: Purpose,
    seat: Seat,
}

impl Place {
    /// As [`Pot::enter`].
    pub fn new(purpose: Purpose, stream: u32, client: Client, until_ms: u64) -> Self {
        Self { purpose, seat: purpose.pot(|pot| pot.enter(stream, client, until_ms)) }
    }

    /// As [`Pot::take`].
    ///
    /// # Errors
    /// The bound that is met.
    pub fn take(&self, more: usize, limits: Limits) -> Result<(), Bound> {
        self.purpose.pot(|pot| pot.take(self.seat, more, limits))
    }

    /// As [`Pot::take_if_free`].
    ///
    /// # Errors
    /// The bound that is met.
    pub fn take_if_free(&self, more: usize, limits: Limits) -> Result<(), Bound> {
        self.purpose.pot(|pot| pot.take_if_free(self.seat, more, limits))
    }

    /// As [`Pot::grow`].
    pub fn grow(&self, bytes: usize) {
        self.purpose.pot(|pot| pot.grow(self.seat, bytes));
    }

    /// As [`Pot::shrink`].
    pub fn shrink(&self, bytes: usize) {
        self.purpose.pot(|pot| pot.shrink(self.seat, bytes));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.purpose.pot(|pot| match self.purpose {
            Purpose::Held | Purpose::Kept => pot.leave(self.seat),
            Purpose::Lists => pot.linger(self.seat),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn bytes_that_are_there_count_past_the_bound() {
        let limits = Limits { all: 10, client: 10, bound: Bound::Kept };
        let bytes = || Purpose::Kept.pot(|pot| pot.bytes());
        let place = Place::new(Purpose::Kept, 1, Client::Unknown, u64::MAX);
        place.take_if_free(8, limits).unwrap();
        place.grow(5);
        assert_eq!(bytes(), 8);
        place.grow(30);
        assert_eq!(bytes(), 30);
        let other = Place::new(Purpose::Kept, 2, Client::Unknown, u64::MAX);
        assert_eq!(other.take_if_free(1, limits), Err(Bound::ClientShare));
        place.shrink(9);
        other.take_if_free(1, limits).unwrap();
        drop((place, other));
        assert_eq!(bytes(), 0);
    }

    #[test]
    fn a_place_that_ends_leaves_nothing_in_its_pot() {
        let limits = Limits { all: 10, client: 10, bound: Bound::Held };
        let place = Place::new(Purpose::Held, 7, Client::Unknown, u64::MAX);
        place.take(9, limits).unwrap();
        assert_eq!(Purpose::Held.pot(|pot| pot.bytes()), 9);
        drop(place);
        assert_eq!(Purpose::Held.pot(|pot| pot.bytes()), 0);
    }
}
