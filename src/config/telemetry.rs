//! What others see of requests: spans, and lines of a log.

use serde::{Deserialize, Serialize};

/// Where spans of requests go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracingFile {
    /// The collector's URL, for OTLP over HTTP. Without a path: `/v1/traces`.
    pub otlp: String,
    /// How many of the traces that begin here are sampled. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_percent: Option<f64>,
    /// The `service.name` of the spans. Default `gaud`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
}

/// Where the lines about requests go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessLogFile {
    /// A file, or `stdout`.
    pub path: String,
}
