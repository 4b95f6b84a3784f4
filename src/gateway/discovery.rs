//! How a provider's models are discovered, compiled.

use super::litellm;
use crate::config::{ConfigError, File, ProviderFile};

/// How often models are discovered, unless the file says otherwise.
const INTERVAL_SECS: u64 = 300;

/// How a provider's models are discovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The key of the [`DiscoveryState`](crate::models::discovery::DiscoveryState) in shared data.
    pub key: String,
    /// The key of the last good list in shared data.
    pub list_key: String,
    /// The time between two questions.
    pub interval_ms: u64,
}

impl Discovery {
    /// For a provider at `place`; `None` without discovery. LiteLLM is asked unless the file says
    /// otherwise.
    pub(super) fn compile(
        name: &str,
        place: &str,
        file: &ProviderFile,
        common: &File,
    ) -> Result<Option<Self>, ConfigError> {
        let secs = common.discover_interval_secs.unwrap_or(INTERVAL_SECS);
        let secs = ConfigError::unless_within("discover_interval_secs", secs, 1, 86_400)?;
        let interval_ms = secs.saturating_mul(1000);
        Ok(file.discover_models.unwrap_or(name == litellm::NAME).then(|| Self {
            key: format!("gaud/discovery/{name}/{place}"),
            list_key: format!("gaud/models/{name}/{place}"),
            interval_ms,
        }))
    }
}
