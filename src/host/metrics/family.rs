//! A metric with its labels, and the names of its counters in Envoy.

use crate::gateway::Provider;
use crate::reply::Code;

/// A metric as Prometheus shows it.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// The name in Prometheus.
    pub name: &'static str,
    /// The labels, in the order in which Envoy's name has them. `provider` comes first.
    pub labels: &'static [&'static str],
    /// The values of the label that is not `provider`.
    pub(super) values: Values,
    /// The meaning, for the table of metrics.
    pub meaning: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Values {
    None,
    Of(&'static [&'static str]),
    /// The codes of all errors.
    Codes,
    /// The models that the configuration names.
    Models,
}

impl Values {
    pub(super) const fn last(all: &[Self]) -> Self {
        match all {
            [.., last] => *last,
            [] => Self::None,
        }
    }
}

impl Family {
    fn has_provider(&self) -> bool {
        self.labels.first() == Some(&"provider")
    }

    pub(super) fn of_provider(&self, provider: &str) -> String {
        format!("{}.provider.{provider}", self.name)
    }

    /// The names of all counters: for each provider, the values of the last label in their order.
    pub(super) fn names(&self, providers: &[Provider]) -> Vec<String> {
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
    pub(super) fn size(&self) -> usize {
        match self.values {
            Values::None | Values::Models => 1,
            Values::Of(values) => values.len(),
            Values::Codes => Code::ALL.len(),
        }
    }

    /// How many counters the family has in a gateway with this number of providers.
    pub(super) fn count(&self, providers: usize) -> usize {
        let times = if self.has_provider() { providers } else { 1 };
        self.size().saturating_mul(times)
    }
}
