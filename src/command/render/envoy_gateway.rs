//! Envoy Gateway: its resources.

use gaud::config::{ConfigError, Gateway};

/// Its template.
pub(super) const TEXT: &str = include_str!("envoy-gateway.yaml");

/// Where the pod's Envoy finds the filter.
pub(super) const MODULE: &str = "/etc/gaud/gaud.wasm";

/// What this form cannot carry.
pub(super) fn check(_: &Gateway) -> Result<(), ConfigError> {
    Ok(())
}
