//! When a breaker opens and closes.

/// The settings of one breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open the breaker.
    pub failures: u32,
    /// How long the breaker stays open.
    pub open_ms: u64,
    /// Successes in half-open that close the breaker.
    pub successes: u32,
    /// How long a probe keeps its place: longer than any wait for its response.
    pub probe_ms: u64,
}
