//! A host of nothing but memory, which threads can share: its clock is set by hand, and it counts
//! what is asked of it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use gaud::breaker::BreakerState;
use gaud::config::File;
use gaud::gateway::Gateway;
use gaud::host::Host;
use gaud::host::metrics::Metric;
use gaud::host::store::Store;
use gaud::route::ProviderId;

/// Shared data, a clock and counters.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    records: Mutex<HashMap<String, (Vec<u8>, u32)>>,
    now_ms: AtomicU64,
    loads: AtomicU32,
    swaps: AtomicU32,
    /// Of so many swaps one fails though nobody was faster; 0 for none.
    fails_every: u32,
    counted: Mutex<Vec<Metric>>,
    shown: Mutex<Vec<BreakerState>>,
}

impl Memory {
    /// At a time of day.
    pub(crate) fn at(now_ms: u64) -> Self {
        Self { now_ms: now_ms.into(), ..Self::default() }
    }

    /// One of so many swaps fails.
    pub(crate) fn failing_every(swaps: u32) -> Self {
        Self { fails_every: swaps, ..Self::at(0) }
    }

    pub(crate) fn advance(&self, by_ms: u64) {
        self.now_ms.fetch_add(by_ms, Relaxed);
    }

    /// How many loads and swaps were asked for since this was last asked.
    pub(crate) fn touched(&self) -> (u32, u32) {
        (self.loads.swap(0, Relaxed), self.swaps.swap(0, Relaxed))
    }

    /// How often this was counted.
    pub(crate) fn count_of(&self, metric: Metric) -> usize {
        self.counted.lock().unwrap().iter().filter(|counted| **counted == metric).count()
    }

    /// What the breakers' gauges were set to, in this order.
    pub(crate) fn shown(&self) -> Vec<BreakerState> {
        self.shown.lock().unwrap().clone()
    }
}

impl Store for Memory {
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.loads.fetch_add(1, Relaxed);
        self.records.lock().unwrap().get(key).cloned()
    }

    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool {
        let swaps = self.swaps.fetch_add(1, Relaxed);
        if self.fails_every > 0 && swaps.is_multiple_of(self.fails_every) {
            return false;
        }
        let mut records = self.records.lock().unwrap();
        let stored = records.get(key).map(|(_, stored)| *stored);
        if stored != number {
            return false;
        }
        let next = stored.map_or(1, |stored| stored.wrapping_add(1));
        records.insert(key.to_owned(), (value.to_vec(), next));
        true
    }
}

impl Host for Memory {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Relaxed)
    }

    fn unique(&self) -> u64 {
        0
    }

    fn count(&self, metric: Metric) {
        self.counted.lock().unwrap().push(metric);
    }

    fn show_state(&self, _: ProviderId, state: BreakerState) {
        self.shown.lock().unwrap().push(state);
    }
}

/// Compiles the filter's JSON.
pub(crate) fn gateway(json: &str) -> Gateway {
    Gateway::compile(&File::from_json(json.as_bytes()).unwrap(), &|_| None).unwrap()
}
