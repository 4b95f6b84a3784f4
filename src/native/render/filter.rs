//! An Envoy whose configuration is somebody's own: the sections to put into it.

/// Its template.
pub(super) const TEXT: &str = include_str!("filter.yaml");
