//! Properties that the filter reads from Envoy or sets for Envoy's configuration.
//!
//! The parts of a path are divided by NUL (proxy-wasm ABI 0.2.1).

/// Set for a stream: the shape of the client's errors, as [`crate::request::endpoint::Shape::as_str`] names it.
/// Envoy's local replies read the property as `filter_state["wasm.gaud_shape"]`.
pub const SHAPE: &str = "gaud_shape";

/// Set for a stream where spans or the access log show them: what [`crate::usage::shown`] says of the request. Each is a
/// name of Envoy's filter state, below [`FILTER_STATE_PREFIX`].
pub const SPAN: &str = "gaud_span";
pub const OPERATION: &str = "gaud_operation";
pub const MODEL: &str = "gaud_sent";
pub const ASKED: &str = "gaud_asked";
pub const PROVIDER: &str = "gaud_provider";
pub const KEY: &str = "gaud_key_id";
pub const USER: &str = "gaud_user";
pub const REQUEST: &str = "gaud_request";
pub const ATTEMPT: &str = "gaud_number";
pub const INPUT_TOKENS: &str = "gaud_input";
pub const OUTPUT_TOKENS: &str = "gaud_output";
pub const CACHED_TOKENS: &str = "gaud_cached";
pub const FINISH_REASON: &str = "gaud_finish";
pub const ERROR: &str = "gaud_error";

/// Set for a stream where rates are shared, each followed by one of [`SHARED_OWNERS`]: the name under which the rate limit
/// service counts a request, looks whether tokens are left, and counts tokens.
pub const SHARED_REQUESTS: &str = "gaud_requests_";
pub const SHARED_TOKENS: &str = "gaud_tokens_";
pub const SHARED_USED: &str = "gaud_used_";

/// Follows the name of such a property: how much the service adds.
pub const SHARED_HITS: &str = "_hits";

/// Whose limits: a key's, those of a key for a model, a user's.
pub const SHARED_OWNERS: [&str; 3] = ["key", "model", "user"];

/// What the rate limit filter says in [`RESPONSE_CODE_DETAILS`] where a rate is used up, and where the service does not answer.
pub const RATE_LIMITED: &str = "request_rate_limited";
pub const RATE_LIMITER_ERROR: &str = "rate_limiter_error";

/// The prefix under which Envoy's filter state holds properties that a wasm filter sets.
pub const FILTER_STATE_PREFIX: &str = "wasm.";

/// What the codes in [`RESPONSE_CODE_DETAILS`] begin with when the filter itself answered.
pub const DETAILS_PREFIX: &str = "gaud_";

/// Envoy's sentence about how a response came about.
pub const RESPONSE_CODE_DETAILS: &str = "response\0code_details";

/// The status of the response that has begun: 64 bits, little-endian.
pub const RESPONSE_CODE: &str = "response\0code";

/// The address of the client, with its port; from `x-forwarded-for` where one of `trusted_proxies` says it.
pub const SOURCE_ADDRESS: &str = "source\0address";

/// Envoy's response flags: 64 bits, little-endian.
pub const RESPONSE_FLAGS: &str = "response\0flags";

/// The `root_id` of the filter's plugin.
pub const ROOT_ID: &str = "plugin_root_id";
