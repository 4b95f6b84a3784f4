//! What all requests of a worker share: room for their bytes.
//!
//! A [`Pot`] is a pure state machine. A worker has one for the bodies that wait for their model, whatever its plugins and configurations: the memory
//! of a VM is common to all of them. A [`Place`] is what a stream has in a pot, and gives it back when it is dropped.

mod client;
pub mod pot;

use std::cell::RefCell;
use std::thread::LocalKey;

pub use client::Client;
pub use pot::{Full, Limits, Pot};

thread_local! {
    static HELD: RefCell<Pot> = RefCell::default();
}

/// One of the worker's pots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Bodies in the VM that wait for their model.
    Held,
}

impl Purpose {
    /// Looks into this worker's pot, or changes it.
    pub fn pot<T>(self, act: impl FnOnce(&mut Pot) -> T) -> T {
        let pot: &'static LocalKey<RefCell<Pot>> = match self {
            Self::Held => &HELD,
        };
        pot.with_borrow_mut(act)
    }
}

/// What a stream has in a pot.
#[derive(Debug)]
pub struct Place {
    purpose: Purpose,
    stream: u32,
}

impl Place {
    /// A place that is empty at first.
    pub fn new(purpose: Purpose, stream: u32) -> Self {
        Self { purpose, stream }
    }

    /// As [`Pot::take`].
    ///
    /// # Errors
    /// [`Full`] if the stream has to go.
    pub fn take(
        &self,
        client: Client,
        more: usize,
        limits: Limits,
        until_ms: u64,
    ) -> Result<(), Full> {
        self.purpose.pot(|pot| pot.take(self.stream, client, more, limits, until_ms))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.purpose.pot(|pot| pot.leave(self.stream));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_place_that_ends_leaves_nothing_in_its_pot() {
        let limits = Limits { all: 10, client: 10 };
        let place = Place::new(Purpose::Held, 7);
        place.take(Client::Unknown, 9, limits, u64::MAX).unwrap();
        assert_eq!(Purpose::Held.pot(|pot| pot.bytes_of(7)), 9);
        drop(place);
        assert_eq!(Purpose::Held.pot(|pot| pot.bytes()), 0);
    }
}
