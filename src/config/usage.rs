//! What is recorded of requests, and what models cost. What the command alone needs is not in the filter, which would grow by
//! the code that reads it.

use serde::{Deserialize, Serialize};

/// Which requests are recorded, and what becomes of the records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageFile {
    /// Which requests are recorded. Default `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter: Option<Metered>,
    /// How long the ledger keeps each attempt; the sums of the days are kept for ever. Default 30.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// A file of prices in LiteLLM's format, in the place of the table that the command has in itself.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_file: Option<String>,
}

/// Which requests are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metered {
    #[default]
    Off,
    All,
}

/// The price of a model, in dollars for a million tokens.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    pub input: f64,
    pub output: f64,
    /// Input from the provider's cache. Default: as any input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<f64>,
    /// Input that the provider writes to its cache. Default: as any input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
}

impl UsageFile {
    pub fn meters_all(&self) -> bool {
        self.meter == Some(Metered::All)
    }

    /// What the filter must know of it.
    #[cfg(not(target_os = "wasi"))]
    pub fn for_filter(&self) -> Option<Self> {
        self.meters_all().then(|| Self { meter: self.meter, ..Self::default() })
    }
}
