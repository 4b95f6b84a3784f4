//! The closed list of errors, Envoy's local replies included. The documentation's table of errors and the rendered
//! `local_reply_config` are made from this list.

/// Makes the enum and its table. A row is `Variant(status, code, meaning)`, written as a call so that rustfmt formats the
/// rows.
macro_rules! codes {
    ($($variant:ident($status:literal, $name:literal, $meaning:literal $(,)?)),* $(,)?) => {
        /// Every error that a client can get from the gateway. [`Code::meaning`] describes each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($variant,)*
        }

        impl Code {
            /// All errors, by status.
            pub const ALL: [Self; [$($status),*].len()] = [$(Self::$variant),*];

            fn row(self) -> (u32, &'static str, &'static str) {
                match self {
                    $(Self::$variant => ($status, $name, $meaning),)*
                }
            }
        }
    };
}

codes!(
    InvalidJson(
        400,
        "invalid_json",
        "the body is not a JSON object, or is nested too deeply; the message says what \
         was expected at which byte",
    ),
    InvalidForm(
        400,
        "invalid_form",
        "the body is not a multipart form, or two servers could read it in two ways; the \
         message says what is wrong at which byte",
    ),
    InvalidCompression(
        400,
        "invalid_compression",
        "the body is not whole in the encoding that `content-encoding` names: it is cut, was changed on its way, or is \
         something else",
    ),
    DuplicateModel(
        400,
        "duplicate_model",
        "the request names `model` twice, or in a way that only some servers read: in another case, as `model[]`, with a plus or a \
         bare `%` in a query; send it once, in lower case, escaped",
    ),
    InvalidType(400, "invalid_type", "`model` is neither a string nor `null`"),
    InvalidModel(
        400,
        "invalid_model",
        "`model` is empty, too long, or has control characters or half a surrogate pair",
    ),
    MissingModel(
        400,
        "missing_model",
        "nothing follows the namespace (`litellm:`); write a model there",
    ),
    AmbiguousPath(
        400,
        "ambiguous_path",
        "the path has escapes, dots, empty segments, `;` or other letters' case by which another \
         server could read a path with a model, or leave the API; write it as the message says",
    ),
    UnreadModel(
        400,
        "unread_model",
        "the request names a model where the gateway does not read or change it; the message \
         says what helps",
    ),
    InvalidRequest(400, "invalid_request", "Envoy could not read the HTTP request"),
    InvalidApiKey(
        401,
        "invalid_api_key",
        "no key where one is needed, or a key of Gaud's (`sk-prx-`) that is unknown, malformed, blocked or revoked; such a \
         key never reaches a provider",
    ),
    ExpiredKey(
        401,
        "expired_key",
        "the key's time is over; make another, or set `expires_secs` anew",
    ),
    ModelNotAllowed(
        403,
        "model_not_allowed",
        "the key may not call this model, or the key has a list of models and the path names none that the gateway \
         reads; `GET /v1/models` lists what the key may call",
    ),
    AdminKey(403, "admin_key", "an admin key manages, and calls no models; send a client's key"),
    ModelNotPriced(
        403,
        "model_not_priced",
        "the key or its user has a budget, and the model has no price, or the path is one whose usage is not counted; write \
         the price into `[prices]`, or use a key without a budget",
    ),
    HostNotAllowed(
        403,
        "host_not_allowed",
        "the gateway listens on loopback, and was called by a name that a page of another site may \
         have made; call it by its address or as `localhost`, or add the name to `allow_hosts`",
    ),
    OriginNotAllowed(
        403,
        "origin_not_allowed",
        "a page of another site called the gateway; add its origin to `[cors] allow_origins`",
    ),
    ModelNotFound(
        404,
        "model_not_found",
        "no provider takes the model, or the request names none; begin it with a provider's \
         namespace, or set `default_provider`",
    ),
    UnknownUrl(
        404,
        "unknown_url",
        "no such path here, and no `default_provider` that could know it",
    ),
    MethodNotAllowed(
        405,
        "method_not_allowed",
        "the path has other methods, which the header `allow` names",
    ),
    ModelTimeout(
        408,
        "model_timeout",
        "the model did not come within `model_secs` of the body's first bytes; send `model` before the \
         long parts, or raise the setting",
    ),
    RequestTooLarge(
        413,
        "request_too_large",
        "the model did not come within `body_limit_bytes`, or a compressed body is longer than that, compressed or not; \
         send `model` first, or raise the limit",
    ),
    UnsupportedContentEncoding(
        415,
        "unsupported_content_encoding",
        "a body compressed in a way that the gateway does not read, on a path where it looks for the model; send gzip or \
         deflate, or no encoding",
    ),
    UnsupportedMediaType(
        415,
        "unsupported_media_type",
        "a form where JSON belongs (curl's `-d` sends the body as a form), a charset other than UTF-8, or no media type; send \
         `content-type: application/json`",
    ),
    WebSocketModel(
        426,
        "websocket_model",
        "a WebSocket on `/v1/responses` whose URL names no `model`; use HTTP, write `?model=`, or set \
         `websocket_responses` of the default provider",
    ),
    RateLimitExceeded(
        429,
        "rate_limit_exceeded",
        "the key, or its user, has made as many requests (`rpm`), used as many tokens (`tpm`) or has as many requests under \
         way (`max_parallel_requests`) as allowed, or all providers of the model have; try again after `retry-after` seconds",
    ),
    InsufficientQuota(
        429,
        "insufficient_quota",
        "the budget of the key, or of its user, is used up until its window ends; raise the budget, or wait for \
         `retry-after` seconds",
    ),
    HeadersTooLarge(431, "headers_too_large", "more than 160 KiB or 256 request headers"),
    GatewayError(500, "gateway_error", "the gateway failed; Envoy's log says why"),
    BadProviderResponse(
        502,
        "bad_provider_response",
        "the provider sent something that is not an HTTP response, or more than 160 KiB or 256 headers; \
         as an event of a stream: it ended before its last event",
    ),
    GatewayBusy(
        503,
        "gateway_busy",
        "too many bytes wait for a `model` that comes late (`held_limit_bytes`, `client_share_percent`): send `model` before the \
         long parts, or try again; or too many lists of models are under way to clients that do not read \
         (`lists_limit_bytes`); or Envoy's memory has reached `memory_limit_bytes`",
    ),
    JournalFull(
        503,
        "journal_full",
        "the disk on which the gateway records usage has less than `usage.min_free_bytes` free; free space in its data folder: the \
         gateway looks each second. What is not metered is served",
    ),
    ControlUnavailable(
        503,
        "control_unavailable",
        "the control server, which serves `/admin`, is not there; requests for models are served all the same",
    ),
    KeysUnavailable(
        503,
        "keys_unavailable",
        "the gateway has not had the keys from its control server since it started, or for longer than `stale_after_secs` \
         where `on_stale` is `refuse`; try again",
    ),
    LimitsUnavailable(
        503,
        "limits_unavailable",
        "the service that counts requests and tokens for all gateways did not answer in 0.1 s, and `limits.on_failure` is `refuse`; \
         see that the service and its Redis run, and try again",
    ),
    ProviderCredential(
        503,
        "provider_credential_unavailable",
        "the gateway has no credential for the provider yet, or any more: the issuer gives none, the secret is not there, \
         or Envoy finds no keys for AWS; try again after `retry-after` seconds, and see `gaud status`",
    ),
    ProviderTls(
        503,
        "provider_tls_failed",
        "no TLS connection to the provider; the message says whether its certificate, its name or \
         its port is wrong",
    ),
    ProviderUnavailable(
        503,
        "provider_unavailable",
        "the provider, or the model there, has failed several times in a row, and gets no \
         requests for a while; try again after `retry-after` seconds",
    ),
    ProviderUnreachable(
        503,
        "provider_unreachable",
        "the provider refused or closed the connection before it answered, or its name does not \
         resolve; the message names the provider, of a chain the last one, and the reason",
    ),
    ProviderTimeout(
        504,
        "provider_timeout",
        "the provider did not begin to answer within `timeout_secs`, or began no stream within \
         `first_token_secs`",
    ),
);

impl Code {
    /// The value of `error.code`.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    pub fn status(self) -> u32 {
        self.row().0
    }

    /// The cause and the remedy, for the documentation.
    pub fn meaning(self) -> &'static str {
        self.row().2
    }
}
