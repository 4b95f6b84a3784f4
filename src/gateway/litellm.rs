//! What is particular to the provider named `litellm`: its defaults.

/// The name that has the defaults below.
pub const NAME: &str = "litellm";

/// What an active check asks for: a path that calls no model.
pub(super) const HEALTH_PATH: &str = "/health/liveliness";

/// Paths that would make LiteLLM call every model at each check.
pub(super) const COSTLY_HEALTH_PATHS: [&str; 2] = ["/health", "/health/"];
