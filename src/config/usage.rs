//! What is recorded of requests, and what models cost. The filter reads of this what it needs, in a way that adds no code to
//! the module: see [`super::File::records`].

#[cfg(not(target_os = "wasi"))]
use serde::{Deserialize, Serialize};

/// Which requests are recorded, and what becomes of the records.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageFile {
    /// Which requests are recorded. Default `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter: Option<Metered>,
    /// How long the ledger keeps each attempt; the sums of the days are kept for ever. Default 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// A file of prices in LiteLLM's format, in the place of the table that the command has in itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_file: Option<String>,
    /// Whether answers in JSON say in headers what they have cost. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<bool>,
    /// The space that the disk of the journal must have for requests to be served. Default 33554432.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_free_bytes: Option<u64>,
    /// Set where spans or the access log show what requests use. The command alone says so, to the filter.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub show: Option<&'static str>,
}

/// Which requests are recorded.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metered {
    #[default]
    Off,
    All,
    /// As `all`, but what cannot be recorded is refused. The command alone says so, to the filter.
    #[serde(skip_deserializing)]
    Stopped,
    /// As `all`, and answers say what they have cost. The command alone says so, to the filter.
    #[serde(skip_deserializing)]
    Told,
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

#[cfg(not(target_os = "wasi"))]
impl UsageFile {
    /// What the filter must know of a file with this usage; `shows` says that spans or the access log show what requests use.
    pub fn of_filter(usage: Option<&Self>, shows: bool) -> Option<Self> {
        let own = usage.and_then(Self::for_filter);
        if !shows {
            return own;
        }
        Some(Self { show: Some("all"), ..own.unwrap_or_default() })
    }

    /// What the filter must know of it.
    pub fn for_filter(&self) -> Option<Self> {
        let meter = match self.meter? {
            Metered::Off => return None,
            Metered::All if self.headers == Some(true) => Metered::Told,
            meter => meter,
        };
        Some(Self { meter: Some(meter), ..Self::default() })
    }
}
