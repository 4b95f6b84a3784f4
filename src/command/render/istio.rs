//! Istio: EnvoyFilter resources.

use gaud::config::{ConfigError, Gateway};

/// Its template.
pub(super) const TEXT: &str = include_str!("istio.yaml");

/// What this form cannot carry.
pub(super) fn check(_: &Gateway) -> Result<(), ConfigError> {
    Ok(())
}
