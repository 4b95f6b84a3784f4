//! What is particular to the provider named `litellm`: its defaults, and the base path of clients who have asked LiteLLM alone.

/// The name that has the defaults below.
pub const NAME: &str = "litellm";

/// The base path below which LiteLLM gets what no rule gives another provider, and below which lists have LiteLLM's own names.
pub const BASE_PATH: &str = "/api/litellm";

/// What an active check asks for: a path that calls no model.
pub(super) const HEALTH_PATH: &str = "/health/liveliness";

/// Paths that would make LiteLLM call every model at each check.
pub(super) const COSTLY_HEALTH_PATHS: [&str; 2] = ["/health", "/health/"];
