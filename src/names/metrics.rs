//! What Envoy's statistics and the filter's metrics share.

/// What the name of each metric begins with; Envoy's rules for labels (`stats_tags`) look for it.
pub const PREFIX: &str = "gaud_";
