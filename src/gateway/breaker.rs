//! A provider's breaker settings: the provider's table overrides the common table.

use crate::breaker::{MODEL_SLOTS, PROBE_RETRY_AFTER_MS, Settings};
use crate::config::{BreakerFile, ConfigError};

/// How much longer a probe keeps its place than the longest wait for a response: Envoy reports a timeout at the timeout,
/// and its report must find the place still taken.
const PROBE_GRACE_MS: u64 = 5000;

/// A table of breaker settings, and its path in the file.
struct Table<'a> {
    path: &'a str,
    file: Option<&'a BreakerFile>,
}

/// A setting that is a number.
struct NumberSetting {
    name: &'static str,
    read: fn(&BreakerFile) -> Option<u64>,
    default: u64,
    max: u64,
}

const FAILURES: NumberSetting = NumberSetting {
    name: "failures",
    read: |file| file.failures.map(u64::from),
    default: 3,
    max: 1_000_000,
};
const OPEN_SECS: NumberSetting =
    NumberSetting { name: "open_secs", read: |file| file.open_secs, default: 30, max: 86_400 };
const SUCCESSES: NumberSetting = NumberSetting {
    name: "successes",
    read: |file| file.successes.map(u64::from),
    default: 2,
    max: 1_000_000,
};
const MODELS: NumberSetting = NumberSetting {
    name: "models",
    read: |file| file.models.map(u64::from),
    default: 3,
    max: MODEL_SLOTS as u64,
};
const PROBE_BODY_SECS: NumberSetting = NumberSetting {
    name: "probe_body_secs",
    read: |file| file.probe_body_secs,
    default: 5,
    max: 3600,
};

/// Compiles `providers.P.breaker`, whose path is `path`, on top of `[breaker]`; `None` when there is to be no breaker.
/// `timeout_ms` is the longest wait for a response.
pub(super) fn compile(
    path: &str,
    provider: Option<&BreakerFile>,
    common: Option<&BreakerFile>,
    timeout_ms: u64,
) -> Result<Option<Settings>, ConfigError> {
    let tables = [Table { path, file: provider }, Table { path: "breaker", file: common }];
    let failures = FAILURES.pick(&tables)?;
    let open_secs = OPEN_SECS.pick(&tables)?;
    let successes = SUCCESSES.pick(&tables)?;
    let models = MODELS.pick(&tables)?;
    let body_secs = PROBE_BODY_SECS.pick(&tables)?;
    let enabled = tables.iter().find_map(|table| table.file?.enabled).unwrap_or(true);
    let open_ms = open_secs.saturating_mul(1000);
    Ok(enabled.then(|| Settings {
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        open_ms,
        successes: u32::try_from(successes).unwrap_or(u32::MAX),
        probe_ms: timeout_ms.saturating_add(PROBE_GRACE_MS),
        body_ms: body_secs.saturating_mul(1000),
        // An honest client that was refused comes within the time that it was told to wait.
        others_ms: PROBE_RETRY_AFTER_MS.min(open_ms),
        models: u32::try_from(models).unwrap_or(u32::MAX),
    }))
}

impl NumberSetting {
    /// The value of the first table that has the setting.
    fn pick(&self, tables: &[Table<'_>]) -> Result<u64, ConfigError> {
        let found = tables.iter().find_map(|table| Some((table.path, (self.read)(table.file?)?)));
        let Some((path, value)) = found else { return Ok(self.default) };
        ConfigError::unless_within(&format!("{path}.{}", self.name), value, 1, self.max)
    }
}
