//! What the core needs from outside: one trait, implemented by Envoy in the filter and by `memory` in the tests.

use crate::breaker::{BreakerState, Slot};
use crate::host::copies::Copies;
use crate::host::metrics::Metric;
use crate::host::store::Store;
use crate::room::Client;
use crate::route::ProviderId;
use crate::usage::meter::Journal;

/// The clock, unique numbers, metrics, shared data and the journal.
pub trait Host: Store + Journal {
    /// The wall clock, in milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// A number that is unique within this worker.
    fn unique(&self) -> u64;

    /// A name that no request of any other worker has, nor of any other gateway, for a request with this name in this worker.
    fn request_name(&self, within_worker: &str) -> String;

    /// The number of the stream whose callback is under way; unique among the streams of this worker.
    fn stream(&self) -> u32;

    /// Who sends that stream.
    fn client(&self) -> Client;

    /// Sets a property of the stream whose callback is under way, for Envoy's own filters.
    fn set_property(&self, name: &str, text: &str);

    /// Adds one to a counter.
    fn count(&self, metric: Metric);

    /// The number that a counter has, of all workers together; `None` when Envoy does not tell.
    fn counted(&self, metric: Metric) -> Option<u64>;

    /// This worker's copies of records.
    fn copies(&self) -> &Copies;

    /// Whether an end of a request was noted since this was asked last ([`Metric::NotedEnd`]).
    fn has_noted_end(&self) -> bool;

    /// Sets the gauge of a provider's breaker.
    fn show_state(&self, provider: ProviderId, state: BreakerState);

    /// Sets the gauges of a provider's models. A slot that is not among these is closed.
    fn show_models(&self, provider: ProviderId, models: &[(Slot, BreakerState)]);
}

pub mod copies;
#[cfg(any(test, not(target_os = "wasi")))]
#[doc(hidden)]
pub mod memory;
pub mod metrics;
pub mod store;
