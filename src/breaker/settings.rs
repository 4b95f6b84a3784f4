//! When a breaker opens and closes.

use crate::config::{BreakerFile, ConfigError};

/// How much longer than the longest wait for a response a probe has its place.
const PROBE_GRACE_MS: u64 = 5000;

/// The settings of one provider's breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open.
    pub open_ms: u64,
    /// Successes in half-open that close it.
    pub successes: u32,
    /// How long a probe has its place: longer than any wait for its response.
    pub probe_ms: u64,
}

impl Settings {
    /// Compiles `own` on top of `common`; `None` when there is to be no breaker.
    ///
    /// # Errors
    /// A value out of bounds; the path begins with that of the table which has it.
    pub fn compile(
        (own_path, own): (&str, Option<&BreakerFile>),
        common: Option<&BreakerFile>,
        timeout_ms: u64,
    ) -> Result<Option<Self>, ConfigError> {
        let pick = |name: &str, read: fn(&BreakerFile) -> Option<u64>, default, max| {
            let (path, value) = match (own.and_then(read), common.and_then(read)) {
                (Some(value), _) => (own_path, value),
                (None, Some(value)) => ("breaker", value),
                (None, None) => return Ok(default),
            };
            match (1..=max).contains(&value) {
                true => Ok(value),
                false => Err(ConfigError::new(
                    format!("{path}.{name}"),
                    format!("is {value}; write 1 to {max}"),
                )),
            }
        };
        let failures = pick("failures", |file| file.failures.map(u64::from), 3, 1_000_000)?;
        let open_secs = pick("open_secs", |file| file.open_secs, 30, 86_400)?;
        let successes = pick("successes", |file| file.successes.map(u64::from), 2, 1_000_000)?;
        let enabled = |file: &BreakerFile| file.enabled;
        let enabled = own.and_then(enabled).or(common.and_then(enabled)).unwrap_or(true);
        Ok(enabled.then(|| Self {
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
            open_ms: open_secs.saturating_mul(1000),
            successes: u32::try_from(successes).unwrap_or(u32::MAX),
            probe_ms: timeout_ms.saturating_add(PROBE_GRACE_MS),
        }))
    }
}
