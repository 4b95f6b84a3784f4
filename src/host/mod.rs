//! What the core asks of the world around it: one trait, which Envoy implements in the filter and
//! memory in the tests.

use crate::breaker::BreakerState;
use crate::host::metrics::Metric;
use crate::host::store::Store;
use crate::route::ProviderId;

/// The world around a request.
pub trait Host: Store {
    /// The wall clock, in milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// A number that it gives to nobody else of this worker.
    fn unique(&self) -> u64;

    /// Adds one to a counter.
    fn count(&self, metric: Metric);

    /// Sets the gauge of a provider's breaker.
    fn show_state(&self, provider: ProviderId, state: BreakerState);
}

#[cfg(test)]
pub(crate) mod memory;
pub mod metrics;
pub mod store;
