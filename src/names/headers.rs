//! Headers that the filter and Envoy exchange.
//!
//! Envoy removes each header with [`PREFIX`] or [`ENVOY_PREFIX`] from a client's request before any filter runs,
//! so these headers always come from the gateway.

/// What the gateway's headers begin with.
pub const PREFIX: &str = "x-gaud-";

/// What the headers that control Envoy begin with.
pub const ENVOY_PREFIX: &str = "x-envoy-";

/// Request: the cluster that the route sends the request to. Removed before a provider sees the request.
pub const CLUSTER: &str = "x-gaud-cluster";

/// Request: comes from one of `trusted_proxies`.
pub const TRUSTED: &str = "x-gaud-trusted";

/// Request, over the hop: a [`crate::session::hop::Crossing`].
pub const CROSSING: &str = "x-gaud-crossing";

/// Request, to the control server: the path of the pages, as clients call it.
pub const PAGES: &str = "x-gaud-pages";

/// Response, to the client: the provider that answered.
pub const PROVIDER: &str = "x-gaud-provider";

/// Response, to the client: the number of attempts. Every response of an attempt has this header, so Envoy's router
/// retries a response without it: Envoy itself made that response.
pub const ATTEMPTS: &str = "x-gaud-attempts";

/// Response, to Envoy's router: send the request again.
pub const RETRY: &str = "x-gaud-retry";

/// Response, to Envoy's router: the seconds to wait before the next attempt.
pub const RETRY_WAIT_SECS: &str = "x-gaud-wait";

/// Request, to Envoy's router: the longest wait until the response begins, in milliseconds.
pub const ENVOY_TRY_TIMEOUT_MS: &str = "x-envoy-upstream-rq-per-try-timeout-ms";

/// Request, to Envoy's router: the number of further attempts.
pub const ENVOY_RETRIES_MAX: &str = "x-envoy-max-retries";

/// What an answer has cost, in dollars.
pub const COST: &str = "x-gaud-cost";

/// What the key has spent in the window of its budget, in dollars.
pub const KEY_SPEND: &str = "x-gaud-key-spend";
