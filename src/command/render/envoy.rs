//! Envoy by itself: a whole configuration, as `gaud run` starts it.

use gaud::config::{ConfigError, Gateway, Provider};

/// Its template.
pub(super) const TEXT: &str = include_str!("envoy.yaml");

/// Refuses a cluster that nobody would define: this Envoy has those of the providers with a URL alone.
pub(super) fn check(gateway: &Gateway) -> Result<(), ConfigError> {
    let rendered = |provider: &&Provider| provider.url.is_some();
    let is_there = |name: &str| {
        gateway.providers().iter().filter(rendered).any(|provider| provider.cluster == name)
    };
    match gateway.providers().iter().find(|provider| !is_there(&provider.cluster)) {
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
