//! Envoy as the core's [`Host`]: shared data, the clock, and metrics by the numbers they have here.

use std::cell::Cell;

use super::host::{self, MetricKind};
use crate::config::{Gateway, ProviderId};
use crate::host::Host;
use crate::metrics::{self, BreakerState, Metric};
use crate::store::Store;

/// The numbers of this VM's metrics: defining one again would give it a new one.
#[derive(Debug, Default)]
pub(super) struct Envoy {
    /// How many numbers were given away.
    numbers: Cell<u64>,
    /// By [`Metric::index`].
    counters: Vec<Option<u32>>,
    /// By the provider's place.
    state_gauges: Vec<Option<u32>>,
}

impl Envoy {
    /// Defines the metrics of a gateway.
    pub(super) fn new(gateway: &Gateway) -> Self {
        let counter =
            |metric: Metric| host::define_metric(MetricKind::Counter, &metric.name(gateway));
        let gauge =
            |name: &str| host::define_metric(MetricKind::Gauge, &metrics::state_gauge(name));
        Self {
            numbers: Cell::default(),
            counters: Metric::all(gateway).into_iter().map(counter).collect(),
            state_gauges: gateway.providers().iter().map(|own| gauge(&own.name)).collect(),
        }
    }
}

impl Store for Envoy {
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        host::shared_data(key)
    }

    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool {
        host::swap_shared_data(key, value, number)
    }
}

impl Host for Envoy {
    fn now_ms(&self) -> u64 {
        host::now_ns() / 1_000_000
    }

    fn unique(&self) -> u64 {
        let number = self.numbers.get().wrapping_add(1);
        self.numbers.set(number);
        // A VM that comes back after a trap counts anew.
        host::now_ns().wrapping_add(number)
    }

    fn count(&self, metric: Metric) {
        if let Some(Some(id)) = self.counters.get(metric.index()) {
            host::increment_metric(*id);
        }
    }

    fn show_state(&self, provider: ProviderId, state: BreakerState) {
        if let Some(Some(id)) = self.state_gauges.get(provider.index()) {
            host::record_metric(*id, state as u64);
        }
    }
}
