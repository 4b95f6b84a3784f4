//! A host for tests: shared data in memory, a clock that only the test moves, and counts of all that the core asks.
//!
//! The gateway does not use this host: the gateway's host is Envoy, through the room `filter`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Host;
use crate::breaker::{BreakerState, Slot};
use crate::host::copies::Copies;
use crate::host::metrics::Metric;
use crate::host::store::Store;
use crate::room::Client;
use crate::route::ProviderId;
use crate::usage::meter::Journal;

/// Threads may share it, as the workers of an Envoy share its data.
#[derive(Debug, Default)]
pub struct Memory {
    now_ms: AtomicU64,
    stream: AtomicU32,
    client: Mutex<Client>,
    records: Mutex<HashMap<String, (Vec<u8>, u32)>>,
    loads: AtomicU32,
    swaps: AtomicU32,
    /// One of this number of swaps fails although no other worker was faster; 0 for none.
    fails_every: u32,
    counted: Mutex<Vec<Metric>>,
    /// The changes of all records.
    changes: AtomicU64,
    copies: Copies,
    notes_ends: AtomicBool,
    shown: Mutex<Vec<BreakerState>>,
    models_shown: Mutex<Vec<Vec<BreakerState>>>,
    journal: Mutex<Vec<String>>,
    properties: Mutex<Vec<(String, String)>>,
}

/// A test that panicked may have held the lock. The data are whole even then.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// A host whose clock shows this time.
    pub fn at(now_ms: u64) -> Self {
        Self { now_ms: now_ms.into(), ..Self::default() }
    }

    /// A host where one of this number of swaps fails.
    pub fn failing_every(swaps: u32) -> Self {
        Self { fails_every: swaps, ..Self::default() }
    }

    /// Sets the clock, also to an earlier time.
    pub fn set_clock(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Relaxed);
    }

    /// The callbacks from here on are of this stream, and of this client.
    pub fn turn_to(&self, stream: u32, client: Client) {
        self.stream.store(stream, Relaxed);
        *lock(&self.client) = client;
    }

    /// Moves the clock forward.
    pub fn advance(&self, by_ms: u64) {
        self.now_ms.fetch_add(by_ms, Relaxed);
    }

    /// Stores a record as if a worker of another version had.
    pub fn set(&self, key: &str, record: &[u8]) {
        lock(&self.records).insert(key.to_owned(), (record.to_vec(), 1));
    }

    /// How many loads and swaps were asked for since the last call.
    pub fn touched(&self) -> (u32, u32) {
        (self.loads.swap(0, Relaxed), self.swaps.swap(0, Relaxed))
    }

    /// How often a metric was counted.
    pub fn count_of(&self, metric: Metric) -> usize {
        lock(&self.counted).iter().filter(|counted| **counted == metric).count()
    }

    /// From here on each end of a request counts as noted, or none does.
    pub fn note_ends(&self, notes_ends: bool) {
        self.notes_ends.store(notes_ends, Relaxed);
    }

    /// The lines of the journal.
    pub fn journal(&self) -> Vec<String> {
        lock(&self.journal).clone()
    }

    /// The properties that were set since the last call, in this order.
    pub fn properties(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *lock(&self.properties))
    }

    /// The states that the gauge of a provider's breaker was changed to, in this order.
    pub fn shown(&self) -> Vec<BreakerState> {
        lock(&self.shown).clone()
    }

    /// The states that the models' gauges were set to, in this order; without closed models.
    pub fn models_shown(&self) -> Vec<Vec<BreakerState>> {
        lock(&self.models_shown).clone()
    }
}

impl Store for Memory {
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.loads.fetch_add(1, Relaxed);
        lock(&self.records).get(key).cloned()
    }

    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool {
        let swaps = self.swaps.fetch_add(1, Relaxed);
        if self.fails_every > 0 && swaps.is_multiple_of(self.fails_every) {
            return false;
        }
        let mut records = lock(&self.records);
        let stored = records.get(key).map(|(_, stored)| *stored);
        if stored != number {
            return false;
        }
        let next = stored.map_or(1, |stored| stored.wrapping_add(1));
        records.insert(key.to_owned(), (value.to_vec(), next));
        true
    }
}

impl Journal for Memory {
    fn write(&self, line: &str) {
        lock(&self.journal).push(line.to_owned());
    }
}

impl Host for Memory {
    fn request_name(&self, within_worker: &str) -> String {
        format!("memory-{within_worker}")
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.load(Relaxed)
    }

    fn unique(&self) -> u64 {
        0x17
    }

    fn stream(&self) -> u32 {
        self.stream.load(Relaxed)
    }

    fn client(&self) -> Client {
        *lock(&self.client)
    }

    fn set_property(&self, name: &str, text: &str) {
        lock(&self.properties).push((name.to_owned(), text.to_owned()));
    }

    fn count(&self, metric: Metric) {
        if let Metric::Record(_) = metric {
            self.changes.fetch_add(1, Relaxed);
        }
        lock(&self.counted).push(metric);
    }

    fn counted(&self, metric: Metric) -> Option<u64> {
        Some(match metric {
            Metric::Record(_) => self.changes.load(Relaxed),
            _ => self.count_of(metric) as u64,
        })
    }

    fn copies(&self) -> &Copies {
        &self.copies
    }

    fn has_noted_end(&self) -> bool {
        self.notes_ends.load(Relaxed)
    }

    fn show_state(&self, _: ProviderId, state: BreakerState) {
        let mut shown = lock(&self.shown);
        if *shown.last().unwrap_or(&BreakerState::Closed) != state {
            shown.push(state);
        }
    }

    fn show_models(&self, _: ProviderId, models: &[(Slot, BreakerState)]) {
        let states = models.iter().map(|(_, state)| *state);
        let not_closed = states.filter(|state| *state != BreakerState::Closed).collect();
        lock(&self.models_shown).push(not_closed);
    }
}
