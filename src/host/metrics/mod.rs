//! The closed list of the gateway's metrics: the configuration alone decides how many there are, never what a client sends.
//!
//! A label is part of the name, as `.label.value`; the rendered configuration has the rules by which Envoy takes the label
//! out again (`stats_tags`). A counter is one row of `counters!`, a gauge one row of `GAUGES`.

mod family;
mod label;
#[cfg(test)]
mod tests;
pub mod usage;

use crate::breaker::{BreakerState, Outcome};
use crate::gateway::Gateway;
use crate::reply::Code;
use crate::room::Bound;
use crate::route::ProviderId;
pub use family::Family;
use family::Values;
use label::{Label, Place};

/// Makes [`Metric`] and the families of its counters. A row is `Variant(parts) "name" [labels] "meaning"`. The part that is
/// not the provider is the value of the last label.
macro_rules! counters {
    ($($variant:ident$(($($part:ident: $type:ty),*))? $name:literal [$($label:literal),*] $meaning:literal;)*) => {
        /// A counter. Its family has the meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)] // A family's `meaning` describes each.
        pub enum Metric {
            $($variant$(($($type),*))?,)*
        }

        enum Row {
            $($variant,)*
        }

        /// The families of all counters, in the order of their rows.
        const COUNTERS: &[Family] = &[
            $(Family {
                name: $name,
                labels: &[$($label),*],
                values: Values::last(&[$($(<$type as Label>::VALUES),*)?]),
                meaning: $meaning,
            },)*
        ];

        impl Metric {
            fn place(self) -> Place {
                match self {
                    $(Self::$variant$(($($part),*))? => {
                        Place::of(Row::$variant as usize)$($(.with($part))*)?
                    })*
                }
            }
        }
    };
}

counters! {
    Request(provider: ProviderId, outcome: RequestOutcome) "gaud_requests_total" ["provider", "outcome"]
        "attempts by `outcome`: `success`, `failure`, `neutral` (the client left, Envoy itself was at fault, a \
         WebSocket, a 5xx to a request without a model), `rejected` (by a breaker)";
    Transition(provider: ProviderId, to: BreakerState) "gaud_breaker_transitions_total" ["provider", "to"]
        "changes of a provider's breaker, `to` `closed`, `open` or `half_open`";
    ModelTransition(provider: ProviderId, to: BreakerState) "gaud_model_breaker_transitions_total" ["provider", "to"]
        "changes of the breakers of a provider's models, `to` `closed`, `open` or `half_open`";
    Probe(provider: ProviderId, outcome: Outcome) "gaud_probes_total" ["provider", "outcome"]
        "probes of half-open breakers by `outcome`";
    Check(provider: ProviderId, passed: bool) "gaud_checks_total" ["provider", "result"]
        "active checks by `result`: `passed` or `failed`";
    Discovery(provider: ProviderId, passed: bool) "gaud_discoveries_total" ["provider", "result"]
        "questions for a provider's models by `result`: `passed` or `failed`";
    Retried(provider: ProviderId) "gaud_retried_total" ["provider"]
        "attempts that failed and were followed by another, here or elsewhere";
    CredentialRefused(provider: ProviderId) "gaud_credential_refused_total" ["provider"]
        "answers 401 and 403 to the gateway's own credential";
    Refused(code: Code) "gaud_refused_total" ["code"]
        "requests that the gateway refused, by the error's `code`";
    Bound(bound: Bound) "gaud_bounds_total" ["bound"]
        "requests that met a bound of what all requests share, by the setting that is the `bound`";
    Contended "gaud_store_contended_total" []
        "changes of a shared record that were given up: workers were in each other's way";
    Shortage "gaud_shortages_total" []
        "attempts for which Envoy had no file descriptor, port or memory";
    Record(provider: ProviderId) "gaud_breaker_records_total" ["provider"]
        "changes of what the workers share about a provider's breakers; each worker reads that again when this has grown";
    FeedTaken "gaud_feed_taken_total" []
        "answers of the control server about keys and prices that the workers share now; each worker reads these again when \
         this has grown";
    NotedEnd "gaud_noted_ends_total" []
        "requests that ended with a status from 400 on, as another protocol, or with one of Envoy's response flags";
}

/// The outcome of a request for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// The request was sent, with this outcome.
    Sent(Outcome),
    /// The breaker refused the request.
    Rejected,
}

const STATE: Family = Family {
    name: "gaud_breaker_state",
    labels: &["provider"],
    values: Values::None,
    meaning: "gauge: a provider's breaker: 0 closed, 1 open, 2 half-open",
};

const MODELS: Family = Family {
    name: "gaud_models_not_closed",
    labels: &["provider"],
    values: Values::None,
    meaning: "gauge: how many breakers of a provider's models are open or half-open",
};

const MODEL_STATE: Family = Family {
    name: "gaud_model_breaker_state",
    labels: &["provider", "model"],
    values: Values::Models,
    meaning: "gauge: the breaker of a model that the configuration names (`.` as `_`): 0 closed, 1 open, 2 half-open",
};

/// The name in Envoy of the counter [`Metric::NotedEnd`], which has no labels.
pub const NOTED_ENDS: &str = "gaud_noted_ends_total";

/// The families of all gauges.
const GAUGES: &[Family] = &[STATE, MODELS, MODEL_STATE];

/// All families, counters first, and those of usage last.
pub fn families() -> impl Iterator<Item = &'static Family> {
    COUNTERS.iter().chain(GAUGES).chain(usage::FAMILIES)
}

/// The labels of all families, each once; of those of usage only where usage is metered.
pub fn labels(meters: bool) -> Vec<&'static str> {
    let usage = if meters { usage::FAMILIES } else { &[] };
    let families = COUNTERS.iter().chain(GAUGES).chain(usage);
    let mut labels: Vec<_> = families.flat_map(|family| family.labels).copied().collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The names of all counters in Envoy, labels included, each at its [`Metric::index`].
pub fn counter_names(gateway: &Gateway) -> Vec<String> {
    COUNTERS.iter().flat_map(|family| family.names(gateway.providers())).collect()
}

/// The name in Envoy of the gauge of a provider's breaker.
pub fn state_gauge(provider: &str) -> String {
    STATE.of_provider(provider)
}

/// The name in Envoy of the gauge that counts the models of a provider that are not closed.
pub fn models_gauge(provider: &str) -> String {
    MODELS.of_provider(provider)
}

/// The name in Envoy of the gauge of a model's breaker. A dot would end the label.
pub fn model_gauge(provider: &str, model: &str) -> String {
    format!("{}.model.{}", MODEL_STATE.of_provider(provider), model.replace('.', "_"))
}

impl Metric {
    /// The index in [`counter_names`] of a gateway with this number of providers.
    pub fn index(self, providers: usize) -> usize {
        let Place { row, provider, value } = self.place();
        let before = COUNTERS.iter().take(row).map(|family| family.count(providers));
        let size = COUNTERS.get(row).map_or(1, Family::size);
        let of_provider = provider.map_or(0, |id| id.index().saturating_mul(size));
        before.fold(0, usize::saturating_add).saturating_add(of_provider).saturating_add(value)
    }
}
