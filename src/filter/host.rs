//! Envoy as the core's [`Host`]: shared data, the clock, and metrics by the numbers that Envoy gave them.

use std::cell::Cell;
use std::rc::Rc;

use super::abi::{self, MetricKind};
use super::clock;
use super::ticks::Ticks;
use super::usage::UsageMetrics;
use crate::breaker::{BreakerState, Slot};
use crate::gateway::Gateway;
use crate::health::known_models;
use crate::host::Host;
use crate::host::copies::Copies;
use crate::host::metrics::{self, Metric};
use crate::host::store::Store;
use crate::names::properties;
use crate::room::Client;
use crate::route::ProviderId;
use crate::usage::meter::Journal;
use crate::usage::reader::Outcome;
use crate::usage::{Admission, Settlement, shown};

/// Envoy, as one plugin in one VM sees it. The numbers of metrics are kept: defining a metric again would give it a new
/// number.
#[derive(Debug, Default)]
pub(super) struct EnvoyHost {
    /// How many unique numbers were given out.
    numbers: Cell<u64>,
    providers: usize,
    /// The noted ends when [`Host::has_noted_end`] was asked last.
    noted_ends: Cell<u64>,
    copies: Copies,
    pub(super) ticks: Ticks,
    /// What the names of this worker's requests begin with; empty where nothing is metered.
    worker: String,
    /// Whether what is metered is recorded.
    records: bool,
    /// Whether spans or the access log show what is metered.
    shows: bool,
    /// `None` where nothing is metered.
    usage: Option<UsageMetrics>,
    /// By [`Metric::index`].
    counters: Vec<Option<u32>>,
    /// By the provider's place.
    state_gauges: Vec<Option<u32>>,
    /// By the provider's place.
    models_gauges: Vec<Option<u32>>,
    /// By the provider's place: the gauges of the models that the configuration names.
    model_gauges: Vec<Vec<(Slot, Option<u32>)>>,
}

impl EnvoyHost {
    /// Defines the metrics of a gateway.
    pub(super) fn new(gateway: &Rc<Gateway>) -> Self {
        let counter = |name: String| abi::define_metric(MetricKind::Counter, &name);
        let gauge = |name: String| abi::define_metric(MetricKind::Gauge, &name);
        let names = || gateway.providers().iter().map(|provider| provider.name.as_str());
        let of_models = gateway.ids().zip(names()).map(|(id, provider)| {
            let models = known_models::configured(gateway, id).into_iter();
            models
                .map(|model| (Slot::of(model), gauge(metrics::model_gauge(provider, model))))
                .collect()
        });
        Self {
            providers: gateway.providers().len(),
            worker: if gateway.meters { worker_name() } else { String::new() },
            records: gateway.records,
            shows: gateway.shows,
            usage: gateway.meters.then(|| UsageMetrics::new(gateway)),
            counters: metrics::counter_names(gateway).into_iter().map(counter).collect(),
            state_gauges: names().map(metrics::state_gauge).map(gauge).collect(),
            models_gauges: names().map(metrics::models_gauge).map(gauge).collect(),
            model_gauges: of_models.collect(),
            ..Self::default()
        }
    }
}

/// How many workers of this Envoy have taken a name; in shared data.
const WORKERS: &str = "gaud/usage/workers";

/// A name that no other worker of any Envoy has: the time, and a number within this Envoy.
fn worker_name() -> String {
    let number = loop {
        let (bytes, cas) = abi::shared_data(WORKERS).unzip();
        let last = bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
        let number = last.wrapping_add(1);
        if abi::swap_shared_data(WORKERS, &number.to_le_bytes(), cas) {
            break number;
        }
    };
    format!("{:x}.{number:x}", abi::now_ns())
}

impl Journal for EnvoyHost {
    /// A level that Envoy logs unless it is told otherwise.
    fn write(&self, line: &str) {
        const WARN: u32 = 3;
        if self.records {
            abi::log(WARN, line);
        }
    }

    fn show(&self, admission: &Admission) {
        if self.shows {
            shown::begun(admission, &mut |name, text| _ = abi::set_property(name, text));
        }
    }

    fn tally(&self, settlement: &Settlement, outcome: &Outcome, is_stream: bool) {
        if self.shows {
            shown::ended(settlement, outcome, &mut |name, text| _ = abi::set_property(name, text));
        }
        if let Some(usage) = &self.usage {
            usage.record(self, self.now_ms(), settlement, is_stream);
        }
    }
}

impl Store for EnvoyHost {
    fn load(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        abi::shared_data(key)
    }

    fn swap(&self, key: &str, value: &[u8], number: Option<u32>) -> bool {
        abi::swap_shared_data(key, value, number)
    }
}

impl Host for EnvoyHost {
    fn now_ms(&self) -> u64 {
        clock::now_ns() / 1_000_000
    }

    fn unique(&self) -> u64 {
        let number = self.numbers.get().wrapping_add(1);
        self.numbers.set(number);
        // A VM that comes back after a trap counts from the start.
        clock::now_ns().wrapping_add(number)
    }

    fn request_name(&self, within_worker: &str) -> String {
        format!("{}.{within_worker}", self.worker)
    }

    fn stream(&self) -> u32 {
        clock::stream()
    }

    fn client(&self) -> Client {
        Client::parse(&abi::property(properties::SOURCE_ADDRESS))
    }

    fn set_property(&self, name: &str, text: &str) {
        abi::set_property(name, text);
    }

    fn count(&self, metric: Metric) {
        if let Some(Some(id)) = self.counters.get(metric.index(self.providers)) {
            abi::increment_metric(*id, 1);
        }
    }

    fn counted(&self, metric: Metric) -> Option<u64> {
        abi::metric((*self.counters.get(metric.index(self.providers))?)?)
    }

    fn copies(&self) -> &Copies {
        &self.copies
    }

    fn has_noted_end(&self) -> bool {
        let Some(now) = self.counted(Metric::NotedEnd) else { return true };
        self.noted_ends.replace(now) != now
    }

    fn show_state(&self, provider: ProviderId, state: BreakerState) {
        if let Some(Some(id)) = self.state_gauges.get(provider.index()) {
            abi::record_metric(*id, state as u64);
        }
    }

    fn show_models(&self, provider: ProviderId, models: &[(Slot, BreakerState)]) {
        let not_closed = models.iter().filter(|(_, state)| *state != BreakerState::Closed).count();
        if let Some(Some(id)) = self.models_gauges.get(provider.index()) {
            abi::record_metric(*id, not_closed as u64);
        }
        for (slot, id) in self.model_gauges.get(provider.index()).into_iter().flatten() {
            let state = models.iter().find(|(own, _)| own == slot);
            let state = state.map_or(BreakerState::Closed, |(_, state)| *state);
            if let Some(id) = id {
                abi::record_metric(*id, state as u64);
            }
        }
    }
}
