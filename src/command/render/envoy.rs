//! Envoy by itself: a whole configuration, as `gaud run` starts it.

use gaud::config::{ConfigError, Gateway};

/// Its template.
pub(super) const TEXT: &str = include_str!("envoy.yaml");

/// Refuses a cluster that nobody would define: this Envoy has no clusters but those of the configuration.
pub(super) fn check(gateway: &Gateway) -> Result<(), ConfigError> {
    match gateway.providers().iter().find(|provider| provider.url.is_none()) {
        None => Ok(()),
        Some(provider) => Err(ConfigError::new(
            format!("providers.{}.cluster", provider.name),
            format!(
                "\"{}\" is a cluster that this Envoy does not have; write url = \"http://…\", or render for the \
                 Envoy that has it, as with --for filter",
                provider.cluster.escape_default()
            ),
        )),
    }
}
