//! A [`Host`] in memory, for tests.

use std::cell::{Cell, RefCell};

use hashbrown::HashMap;

use super::Host;
use crate::breaker::BreakerState;
use crate::host::metrics::Metric;
use crate::host::store::Store;
use crate::route::ProviderId;

/// Shared data of a single worker, and a clock that the test sets.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) now_ms: Cell<u64>,
    counted: RefCell<Vec<Metric>>,
    values: RefCell<HashMap<String, (Vec<u8>, u32)>>,
}

impl Memory {
    /// How often `metric` was counted.
    pub(crate) fn count_of(&self, metric: Metric) -> usize {
        self.counted.borrow().iter().filter(|counted| **counted == metric).count()
    }
}

impl Store for Memory {
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.values.borrow().get(key).cloned()
    }

    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool {
        let mut values = self.values.borrow_mut();
        let same = values.get(key).map(|(_, number)| *number) == number;
        if same {
            let next = number.map_or(1, |number| number.wrapping_add(1));
            values.insert(key.to_owned(), (value.to_vec(), next));
        }
        same
    }
}

impl Host for Memory {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn unique(&self) -> u64 {
        0x17
    }

    fn count(&self, metric: Metric) {
        self.counted.borrow_mut().push(metric);
    }

    fn show_state(&self, _: ProviderId, _: BreakerState) {}
}
