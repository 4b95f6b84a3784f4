//! The user's own Envoy: the sections for its configuration.

/// Its template.
pub(super) const TEXT: &str = include_str!("filter.yaml");
