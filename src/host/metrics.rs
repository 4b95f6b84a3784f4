//! The closed list of the gateway's metrics: their number depends on the configuration alone,
//! never on what a client sends.
//!
//! A label is part of the name, as `.label.value`; the rendered configuration has the rules by
//! which Envoy takes the label out again (`stats_tags`). Each metric is a row of [`FAMILIES`] and a variant of
//! [`Metric`].

use crate::breaker::{BreakerState, Outcome};
use crate::gateway::{Gateway, Provider};
use crate::reply::Code;
use crate::route::ProviderId;

/// A counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A request has come to an outcome.
    Request(ProviderId, RequestOutcome),
    /// A provider's breaker has changed to this state.
    Transition(ProviderId, BreakerState),
    /// The breaker of a model of this provider has changed to this state.
    ModelTransition(ProviderId, BreakerState),
    /// A probe has come to an outcome.
    Probe(ProviderId, Outcome),
    /// An active check has ended; `true` when the provider answered well.
    Check(ProviderId, bool),
    /// A provider was asked for its models; `true` when the provider answered with a list.
    Discovery(ProviderId, bool),
    /// An attempt failed, and the request was sent again.
    Retried(ProviderId),
    /// A provider refused the gateway's credential.
    CredentialRefused(ProviderId),
    /// The gateway refused a request.
    Refused(Code),
    /// The gateway had no file descriptor, port or memory for a connection to a provider.
    Shortage,
    /// A shared record could not be changed: other workers were faster, each time.
    Contended,
}

/// The outcome of a request for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// The request was sent, with this outcome.
    Sent(Outcome),
    /// The breaker refused the request.
    Rejected,
}

/// A metric as Prometheus shows it.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// The name in Prometheus.
    pub name: &'static str,
    /// The labels, in the order in which Envoy's name has them. `provider` comes first.
    pub labels: &'static [&'static str],
    /// The values of the label that is not `provider`.
    values: Values,
    /// The meaning, for the table of metrics.
    pub meaning: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Values {
    None,
    Of(&'static [&'static str]),
    /// The codes of all errors.
    Codes,
    /// The models that the configuration names.
    Models,
}

const OUTCOMES: Values = Values::Of(&["success", "failure", "neutral"]);
const REQUEST_OUTCOMES: Values = Values::Of(&["success", "failure", "neutral", "rejected"]);
const STATES: Values = Values::Of(&["closed", "open", "half_open"]);
const RESULTS: Values = Values::Of(&["passed", "failed"]);

/// Every metric. The counters come first, in the order of `Metric::parts`; the last three are gauges.
pub const FAMILIES: [Family; 14] = [
    Family {
        name: "gaud_requests_total",
        labels: &["provider", "outcome"],
        values: REQUEST_OUTCOMES,
        meaning: "attempts by `outcome`: `success`, `failure`, `neutral` (the client left, Envoy itself was at \
                  fault, a WebSocket, a 5xx to a request without a model), `rejected` (by a breaker)",
    },
    Family {
        name: "gaud_breaker_transitions_total",
        labels: &["provider", "to"],
        values: STATES,
        meaning: "changes of a provider's breaker, `to` `closed`, `open` or `half_open`",
    },
    Family {
        name: "gaud_model_breaker_transitions_total",
        labels: &["provider", "to"],
        values: STATES,
        meaning: "changes of the breakers of a provider's models, `to` `closed`, `open` or `half_open`",
    },
    Family {
        name: "gaud_probes_total",
        labels: &["provider", "outcome"],
        values: OUTCOMES,
        meaning: "probes of half-open breakers by `outcome`",
    },
    Family {
        name: "gaud_checks_total",
        labels: &["provider", "result"],
        values: RESULTS,
        meaning: "active checks by `result`: `passed` or `failed`",
    },
    Family {
        name: "gaud_discoveries_total",
        labels: &["provider", "result"],
        values: RESULTS,
        meaning: "questions for a provider's models by `result`: `passed` or `failed`",
    },
    Family {
        name: "gaud_retried_total",
        labels: &["provider"],
        values: Values::None,
        meaning: "attempts that failed and were followed by another, here or elsewhere",
    },
    Family {
        name: "gaud_credential_refused_total",
        labels: &["provider"],
        values: Values::None,
        meaning: "answers 401 and 403 to the gateway's own credential",
    },
    Family {
        name: "gaud_refused_total",
        labels: &["code"],
        values: Values::Codes,
        meaning: "requests that the gateway refused, by the error's `code`",
    },
    Family {
        name: "gaud_store_contended_total",
        labels: &[],
        values: Values::None,
        meaning: "changes of a shared record that were given up: workers were in each other's way",
    },
    Family {
        name: "gaud_shortages_total",
        labels: &[],
        values: Values::None,
        meaning: "attempts for which Envoy had no file descriptor, port or memory",
    },
    Family {
        name: "gaud_breaker_state",
        labels: &["provider"],
        values: Values::None,
        meaning: "gauge: a provider's breaker: 0 closed, 1 open, 2 half-open",
    },
    Family {
        name: "gaud_models_not_closed",
        labels: &["provider"],
        values: Values::None,
        meaning: "gauge: how many breakers of a provider's models are open or half-open",
    },
    Family {
        name: "gaud_model_breaker_state",
        labels: &["provider", "model"],
        values: Values::Models,
        meaning: "gauge: the breaker of a model that the configuration names (`.` as `_`): 0 closed, 1 open, \
                  2 half-open",
    },
];

/// How many of [`FAMILIES`] are gauges, which have no counter.
const GAUGES: usize = 3;

/// The labels of all families, each once.
pub fn labels() -> Vec<&'static str> {
    let mut labels: Vec<_> = FAMILIES.iter().flat_map(|family| family.labels).copied().collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The names of all counters in Envoy, labels included, each at its [`Metric::index`].
pub fn counter_names(gateway: &Gateway) -> Vec<String> {
    let families = FAMILIES.iter().take(FAMILIES.len().saturating_sub(GAUGES));
    families.flat_map(|family| family.names(gateway.providers())).collect()
}

/// The name in Envoy of the gauge of a provider's breaker.
pub fn state_gauge(provider: &str) -> String {
    gauge(0).map_or_else(String::new, |family| family.of_provider(provider))
}

/// The name in Envoy of the gauge that counts the models of a provider that are not closed.
pub fn models_gauge(provider: &str) -> String {
    gauge(1).map_or_else(String::new, |family| family.of_provider(provider))
}

/// The name in Envoy of the gauge of a model's breaker. A dot would end the label.
pub fn model_gauge(provider: &str, model: &str) -> String {
    let prefix = gauge(2).map_or_else(String::new, |family| family.of_provider(provider));
    format!("{prefix}.model.{}", model.replace('.', "_"))
}

fn gauge(place: usize) -> Option<Family> {
    let first = FAMILIES.len().saturating_sub(GAUGES);
    FAMILIES.get(first.saturating_add(place)).copied()
}

impl Family {
    fn has_provider(&self) -> bool {
        self.labels.first() == Some(&"provider")
    }

    fn of_provider(&self, provider: &str) -> String {
        format!("{}.provider.{provider}", self.name)
    }

    /// The names of all counters: for each provider, the values of the last label in their order.
    fn names(&self, providers: &[Provider]) -> Vec<String> {
        if !self.has_provider() {
            return self.with_values(self.name);
        }
        let prefixes = providers.iter().map(|provider| self.of_provider(&provider.name));
        prefixes.flat_map(|prefix| self.with_values(&prefix)).collect()
    }

    /// The names that begin with `prefix`, one for each value of the last label.
    fn with_values(&self, prefix: &str) -> Vec<String> {
        let label = self.labels.last().copied().unwrap_or_default();
        let name = |value: &str| format!("{prefix}.{label}.{value}");
        match self.values {
            Values::None | Values::Models => vec![prefix.to_owned()],
            Values::Of(values) => values.iter().map(|value| name(value)).collect(),
            Values::Codes => Code::ALL.iter().map(|code| name(code.as_str())).collect(),
        }
    }

    /// How many counters the family has for each provider, or in all where `provider` is not a label.
    fn size(&self) -> usize {
        match self.values {
            Values::None | Values::Models => 1,
            Values::Of(values) => values.len(),
            Values::Codes => Code::ALL.len(),
        }
    }
}

impl Metric {
    /// The index in [`counter_names`] of a gateway with this number of providers.
    pub fn index(self, providers: usize) -> usize {
        let (row, provider, value) = self.parts();
        let counters = |family: &Family| {
            let times = if family.has_provider() { providers } else { 1 };
            family.size().saturating_mul(times)
        };
        let before = FAMILIES.iter().take(row).map(counters).fold(0, usize::saturating_add);
        let size = FAMILIES.get(row).map_or(1, Family::size);
        let of_provider = provider.map_or(0, |id| id.index().saturating_mul(size));
        before.saturating_add(of_provider).saturating_add(value)
    }

    /// The row of [`FAMILIES`], the provider, and the index among the values of the last label.
    fn parts(self) -> (usize, Option<ProviderId>, usize) {
        match self {
            Self::Request(id, RequestOutcome::Sent(outcome)) => (0, Some(id), outcome as usize),
            Self::Request(id, RequestOutcome::Rejected) => (0, Some(id), 3),
            Self::Transition(id, state) => (1, Some(id), state as usize),
            Self::ModelTransition(id, state) => (2, Some(id), state as usize),
            Self::Probe(id, outcome) => (3, Some(id), outcome as usize),
            Self::Check(id, passed) => (4, Some(id), usize::from(!passed)),
            Self::Discovery(id, passed) => (5, Some(id), usize::from(!passed)),
            Self::Retried(id) => (6, Some(id), 0),
            Self::CredentialRefused(id) => (7, Some(id), 0),
            Self::Refused(code) => (8, None, code as usize),
            Self::Contended => (9, None, 0),
            Self::Shortage => (10, None, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn two_providers() -> Gateway {
        let json = br#"{"providers":{"p":{"url":"http://a"},"q":{"url":"http://b"}}}"#;
        Gateway::compile(&File::from_json(json).unwrap(), &|_| None).unwrap()
    }

    #[test]
    fn every_counter_has_a_name_of_its_own() {
        let mut names = counter_names(&two_providers());
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_metric_finds_its_name() {
        use Outcome::{Failure, Neutral, Success};
        use RequestOutcome::{Rejected, Sent};
        let gateway = two_providers();
        let names = counter_names(&gateway);
        let [p, q] = gateway.ids().collect::<Vec<_>>()[..] else { panic!("two providers") };
        for (metric, name) in [
            (Metric::Request(p, Sent(Success)), "gaud_requests_total.provider.p.outcome.success"),
            (Metric::Request(q, Sent(Failure)), "gaud_requests_total.provider.q.outcome.failure"),
            (Metric::Request(q, Rejected), "gaud_requests_total.provider.q.outcome.rejected"),
            (
                Metric::Transition(q, BreakerState::HalfOpen),
                "gaud_breaker_transitions_total.provider.q.to.half_open",
            ),
            (
                Metric::Transition(p, BreakerState::Closed),
                "gaud_breaker_transitions_total.provider.p.to.closed",
            ),
            (Metric::Probe(p, Neutral), "gaud_probes_total.provider.p.outcome.neutral"),
            (Metric::Check(p, true), "gaud_checks_total.provider.p.result.passed"),
            (Metric::Check(q, false), "gaud_checks_total.provider.q.result.failed"),
            (Metric::Discovery(q, true), "gaud_discoveries_total.provider.q.result.passed"),
            (
                Metric::ModelTransition(q, BreakerState::Open),
                "gaud_model_breaker_transitions_total.provider.q.to.open",
            ),
            (Metric::Retried(p), "gaud_retried_total.provider.p"),
            (Metric::CredentialRefused(q), "gaud_credential_refused_total.provider.q"),
            (Metric::Contended, "gaud_store_contended_total"),
            (Metric::Shortage, "gaud_shortages_total"),
        ] {
            assert_eq!(names[metric.index(2)], name, "{metric:?}");
        }
        for code in Code::ALL {
            let name = format!("gaud_refused_total.code.{}", code.as_str());
            assert_eq!(names[Metric::Refused(code).index(2)], name);
        }
        assert_eq!(state_gauge("p"), "gaud_breaker_state.provider.p");
        assert_eq!(models_gauge("p"), "gaud_models_not_closed.provider.p");
        let name = "gaud_model_breaker_state.provider.p.model.gpt-4_1";
        assert_eq!(model_gauge("p", "gpt-4.1"), name);
    }
}
