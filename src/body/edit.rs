//! The splice: the model's bytes alone change, every other byte arrives as it was sent.

use super::json::FoundModel;

/// Replaces the bytes `start..end` of the body by `with`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where the replaced bytes begin, counted from the body's first byte.
    pub start: u64,
    /// Where they end.
    pub end: u64,
    /// What stands there instead.
    pub with: Vec<u8>,
}

impl Edit {
    /// Writes `name` in the place of the model that was found: between its quotes, escaped as
    /// JSON wants it.
    pub fn json_model(found: &FoundModel, name: &str) -> Self {
        let quoted = serde_json::to_string(name).unwrap_or_default();
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Self {
            start: found.start,
            end: found.end,
            with: inner.unwrap_or_default().as_bytes().to_vec(),
        }
    }

    /// The body's length after the edit.
    pub fn resized(&self, length: u64) -> u64 {
        let removed = self.end.saturating_sub(self.start);
        length.saturating_sub(removed).saturating_add(self.with.len() as u64)
    }
}
