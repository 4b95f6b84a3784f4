//! A host of nothing but memory: what it holds and what time it is are the input's.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use gaud::breaker::BreakerState;
use gaud::host::Host;
use gaud::host::metrics::Metric;
use gaud::host::store::Store;
use gaud::route::ProviderId;

#[derive(Default)]
pub(crate) struct Memory {
    records: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    now_ms: Cell<u64>,
}

impl Memory {
    pub(crate) fn set(&self, key: &str, value: &[u8]) {
        self.records.borrow_mut().insert(key.to_owned(), (value.to_vec(), 1));
    }

    pub(crate) fn set_clock(&self, now_ms: u64) {
        self.now_ms.set(now_ms);
    }
}

impl Store for Memory {
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.records.borrow().get(key).cloned()
    }

    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool {
        let mut records = self.records.borrow_mut();
        let stored = records.get(key).map(|(_, stored)| *stored);
        if stored == number {
            let next = stored.map_or(1, |stored| stored.wrapping_add(1));
            records.insert(key.to_owned(), (value.to_vec(), next));
        }
        stored == number
    }
}

impl Host for Memory {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn unique(&self) -> u64 {
        0
    }

    fn count(&self, _: Metric) {}

    fn show_state(&self, _: ProviderId, _: BreakerState) {}
}
