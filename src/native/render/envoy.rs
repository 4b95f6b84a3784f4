//! Envoy alone: a whole configuration, with which `gaud run` starts Envoy.

use crate::config::ConfigError;
use crate::gateway::Gateway;

use super::cluster;

/// Its template.
pub(super) const TEXT: &str = include_str!("envoy.yaml");

/// Refuses a provider without a URL: this Envoy has no clusters but those of the providers with a URL.
pub(super) fn check(gateway: &Gateway) -> Result<(), ConfigError> {
    match cluster::elsewhere(gateway).next() {
        None => Ok(()),
        Some(provider) => Err(ConfigError::new(
            format!("providers.{}.cluster", provider.name),
            format!(
                "is \"{}\", which an Envoy with this configuration alone would not have; write a url in its \
                 place, or render for the Envoy that has it: `gaud render --for filter`, istio or envoy-gateway",
                provider.cluster.escape_default()
            ),
        )),
    }
}
