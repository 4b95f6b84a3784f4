//! When a breaker opens and closes.

/// The settings of a provider's breaker, and of the breakers of its models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open a breaker.
    pub failures: u32,
    /// How long a breaker stays open.
    pub open_ms: u64,
    /// Successes in half-open that close a breaker.
    pub successes: u32,
    /// How long a probe keeps its place once its body is whole: longer than any wait for its response.
    pub probe_ms: u64,
    /// How long a probe keeps its place while its body is unfinished.
    pub body_ms: u64,
    /// For how long a probe's place is for other clients when the probe was aborted: at most `open_ms`.
    pub others_ms: u64,
    /// How many models of a provider must be open at once to open the provider.
    pub models: u32,
}
