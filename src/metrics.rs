//! The closed list of the gateway's metrics: their number depends on the configuration alone,
//! never on what a client sends.
//!
//! A label stands in the name, as `.label.value`; the rendered configuration has the rules by
//! which Envoy takes it out again (`stats_tags`).

use crate::breaker::{Breaker, Outcome, State};
use crate::config::{Gateway, ProviderId};
use crate::reply::Code;

/// A counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A request has come to an outcome.
    Request(ProviderId, RequestOutcome),
    /// A breaker has changed to this state.
    Transition(ProviderId, BreakerState),
    /// A probe has come to an outcome.
    Probe(ProviderId, Outcome),
    /// An active check has ended, well or not.
    Check(ProviderId, bool),
    /// A provider was asked for its models, and has answered well or not.
    Discovery(ProviderId, bool),
    /// An attempt failed, and the request was sent again.
    Retried(ProviderId),
    /// The gateway refused a request.
    Refused(Code),
    /// A record could not be changed: somebody else was faster, each time.
    Contended,
}

/// What became of a request for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It was sent, with this outcome.
    Sent(Outcome),
    /// The breaker refused it.
    Rejected,
}

/// The states of a breaker, without their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BreakerState {
    Closed = 0,
    Open = 1,
    HalfOpen = 2,
}

/// A metric as a table shows it.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// The labels, in the order in which they stand in Envoy's name.
    pub labels: &'static [&'static str],
    /// What it counts or shows.
    pub meaning: &'static str,
}

/// Every metric.
pub const FAMILIES: [Family; 9] = [
    Family {
        name: "gaud_requests_total",
        labels: &["provider", "outcome"],
        meaning: "requests by `outcome`: `success`, `failure`, `neutral` (the client left, or Envoy \
                  itself was at fault), `rejected` (by the breaker)",
    },
    Family {
        name: "gaud_breaker_transitions_total",
        labels: &["provider", "to"],
        meaning: "changes of a breaker's state, `to` `closed`, `open` or `half_open`",
    },
    Family {
        name: "gaud_probes_total",
        labels: &["provider", "outcome"],
        meaning: "probes of half-open breakers by `outcome`",
    },
    Family {
        name: "gaud_checks_total",
        labels: &["provider", "result"],
        meaning: "active checks by `result`: `passed` or `failed`",
    },
    Family {
        name: "gaud_discoveries_total",
        labels: &["provider", "result"],
        meaning: "questions for a provider's models by `result`: `passed` or `failed`",
    },
    Family {
        name: "gaud_retried_total",
        labels: &["provider"],
        meaning: "attempts that failed and were followed by another, here or elsewhere",
    },
    Family {
        name: "gaud_refused_total",
        labels: &["code"],
        meaning: "requests that the gateway refused, by the error's `code`",
    },
    Family {
        name: "gaud_store_contended_total",
        labels: &[],
        meaning: "changes of a shared record that were given up: workers were in each other's way",
    },
    Family {
        name: "gaud_breaker_state",
        labels: &["provider"],
        meaning: "gauge: 0 closed, 1 open, 2 half-open",
    },
];

/// The labels of all families, each once.
pub fn labels() -> Vec<&'static str> {
    let mut labels: Vec<_> = FAMILIES.iter().flat_map(|family| family.labels).copied().collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

const OUTCOMES: [Outcome; 3] = [Outcome::Success, Outcome::Failure, Outcome::Neutral];
const STATES: [BreakerState; 3] =
    [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];

/// How many counters each provider has, and the place of each kind among them.
const PER_PROVIDER: usize = 15;

impl Metric {
    /// All counters of a gateway, each at its [`index`](Self::index).
    pub fn all(gateway: &Gateway) -> Vec<Self> {
        let mut all = vec![Self::Contended];
        all.extend(Code::ALL.map(Self::Refused));
        for id in gateway.ids() {
            all.extend(OUTCOMES.map(|outcome| Self::Request(id, RequestOutcome::Sent(outcome))));
            all.push(Self::Request(id, RequestOutcome::Rejected));
            all.extend(STATES.map(|state| Self::Transition(id, state)));
            all.extend(OUTCOMES.map(|outcome| Self::Probe(id, outcome)));
            all.extend([true, false].map(|passed| Self::Check(id, passed)));
            all.extend([true, false].map(|passed| Self::Discovery(id, passed)));
            all.push(Self::Retried(id));
        }
        all
    }

    /// Its place in [`all`](Self::all).
    pub fn index(self) -> usize {
        let first = 1_usize.saturating_add(Code::ALL.len());
        let of = |id: ProviderId, kind: usize| {
            id.index().saturating_mul(PER_PROVIDER).saturating_add(first).saturating_add(kind)
        };
        match self {
            Self::Contended => 0,
            Self::Refused(code) => (code as usize).saturating_add(1),
            Self::Request(id, RequestOutcome::Sent(outcome)) => of(id, outcome as usize),
            Self::Request(id, RequestOutcome::Rejected) => of(id, 3),
            Self::Transition(id, state) => of(id, (state as usize).saturating_add(4)),
            Self::Probe(id, outcome) => of(id, (outcome as usize).saturating_add(7)),
            Self::Check(id, passed) => of(id, if passed { 10 } else { 11 }),
            Self::Discovery(id, passed) => of(id, if passed { 12 } else { 13 }),
            Self::Retried(id) => of(id, 14),
        }
    }

    /// Its name in Envoy, labels and all.
    pub fn name(self, gateway: &Gateway) -> String {
        let provider = |id| gateway.provider(id).map_or("", |provider| provider.name.as_str());
        match self {
            Self::Request(id, outcome) => {
                format!(
                    "gaud_requests_total.provider.{}.outcome.{}",
                    provider(id),
                    outcome.as_str()
                )
            }
            Self::Transition(id, to) => {
                format!(
                    "gaud_breaker_transitions_total.provider.{}.to.{}",
                    provider(id),
                    to.as_str()
                )
            }
            Self::Probe(id, outcome) => {
                format!("gaud_probes_total.provider.{}.outcome.{}", provider(id), outcome.as_str())
            }
            Self::Check(id, passed) => {
                format!("gaud_checks_total.provider.{}.result.{}", provider(id), result(passed))
            }
            Self::Discovery(id, passed) => {
                let name = provider(id);
                format!("gaud_discoveries_total.provider.{name}.result.{}", result(passed))
            }
            Self::Retried(id) => format!("gaud_retried_total.provider.{}", provider(id)),
            Self::Refused(code) => format!("gaud_refused_total.code.{}", code.as_str()),
            Self::Contended => "gaud_store_contended_total".to_owned(),
        }
    }
}

fn result(passed: bool) -> &'static str {
    if passed { "passed" } else { "failed" }
}

/// The name of a provider's gauge in Envoy.
pub fn state_gauge(provider: &str) -> String {
    format!("gaud_breaker_state.provider.{provider}")
}

impl Outcome {
    /// As it stands in a label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
        }
    }
}

impl RequestOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sent(outcome) => outcome.as_str(),
            Self::Rejected => "rejected",
        }
    }
}

impl BreakerState {
    /// The state of a breaker.
    pub fn of(breaker: &Breaker) -> Self {
        match breaker.state() {
            State::Closed { .. } => Self::Closed,
            State::Open { .. } => Self::Open,
            State::HalfOpen { .. } => Self::HalfOpen,
        }
    }

    /// As it stands in a label and in `/health`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_counter_stands_at_its_index_under_a_name_of_its_own() {
        let json = br#"{"providers":{"p":{"url":"http://a"},"q":{"url":"http://b"}}}"#;
        let gateway = Gateway::compile(&File::from_json(json).unwrap(), &|_| None).unwrap();
        let all = Metric::all(&gateway);
        let mut names: Vec<_> = all.iter().map(|metric| metric.name(&gateway)).collect();
        for (index, metric) in all.iter().enumerate() {
            assert_eq!(metric.index(), index, "{metric:?}");
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.contains(&"gaud_requests_total.provider.q.outcome.rejected".to_owned()));
    }
}
