//! What Envoy's statistics and the filter's metrics share.

/// What the name of a metric begins with; Envoy's rules for labels (`stats_tags`) look for it.
pub const PREFIX: &str = "gaud_";

/// The same for metrics with OpenTelemetry's names.
pub const OTEL_PREFIX: &str = "gen_ai_";
