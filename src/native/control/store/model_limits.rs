//! The limits that a key has for some models: a column of JSON.

use std::collections::BTreeMap;

use crate::config::LimitsFile;
use crate::limits::{Limits, Terms};

/// Limits by names and patterns of models.
pub type ModelLimits = BTreeMap<String, Limits>;

pub(super) fn to_json(limits: &ModelLimits) -> String {
    let files: BTreeMap<_, _> =
        limits.iter().map(|(name, own)| (name, LimitsFile::from(own))).collect();
    serde_json::to_string(&files).unwrap_or_default()
}

/// Limits that this program cannot read are none.
pub(super) fn from_json(text: &str) -> ModelLimits {
    let files: BTreeMap<String, LimitsFile> = serde_json::from_str(text).unwrap_or_default();
    files.into_iter().filter_map(|(name, own)| Some((name, own.compile("").ok()?))).collect()
}

/// In the order in which the filter looks: names before patterns, and long patterns before short ones.
pub(super) fn terms(limits: ModelLimits) -> Vec<(String, Terms)> {
    let terms = |limits| Terms { limits, known: None };
    let mut all: Vec<_> = limits.into_iter().map(|(name, own)| (name, terms(own))).collect();
    all.sort_by_key(|(name, _)| (name.contains('*'), usize::MAX - name.len()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Budget, Window};

    #[test]
    fn limits_of_models_are_read_as_they_were_written() {
        let budget = Some(Budget { nanos: 1_500_000_000, window: Window::Week, is_strict: true });
        let names = ["*", "gpt-4o", "gpt-*", "claude:*"];
        let limits =
            Limits { rpm: Some(5), max_parallel_requests: Some(0), budget, ..Limits::NONE };
        let all: ModelLimits = names.map(|name| (name.to_owned(), limits)).into();
        assert_eq!(from_json(&to_json(&all)), all);
        assert_eq!(from_json("[]"), ModelLimits::new());
        let order: Vec<_> = terms(all).into_iter().map(|(name, _)| name).collect();
        assert_eq!(order, ["gpt-4o", "claude:*", "gpt-*", "*"]);
    }
}
