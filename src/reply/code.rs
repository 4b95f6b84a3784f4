//! The closed list of errors, those that Envoy makes included: the README's table and the rendered
//! `local_reply_config` are made from it.

/// Every error that a client can get from the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is described by `meaning`
pub enum Code {
    InvalidJson,
    InvalidForm,
    DuplicateModel,
    InvalidType,
    InvalidModel,
    MissingModel,
    InvalidRequest,
    ModelNotFound,
    UnknownUrl,
    RequestTooLarge,
    UnsupportedContentEncoding,
    UnsupportedMediaType,
    HeadersTooLarge,
    GatewayError,
    BadProviderResponse,
    GatewayBusy,
    ProviderUnavailable,
    ProviderUnreachable,
    ProviderTimeout,
}

impl Code {
    /// All of them, by status.
    pub const ALL: [Self; 19] = [
        Self::InvalidJson,
        Self::InvalidForm,
        Self::DuplicateModel,
        Self::InvalidType,
        Self::InvalidModel,
        Self::MissingModel,
        Self::InvalidRequest,
        Self::ModelNotFound,
        Self::UnknownUrl,
        Self::RequestTooLarge,
        Self::UnsupportedContentEncoding,
        Self::UnsupportedMediaType,
        Self::HeadersTooLarge,
        Self::GatewayError,
        Self::BadProviderResponse,
        Self::GatewayBusy,
        Self::ProviderUnavailable,
        Self::ProviderUnreachable,
        Self::ProviderTimeout,
    ];

    /// As it stands in `error.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidForm => "invalid_form",
            Self::DuplicateModel => "duplicate_model",
            Self::InvalidType => "invalid_type",
            Self::InvalidModel => "invalid_model",
            Self::MissingModel => "missing_model",
            Self::InvalidRequest => "invalid_request",
            Self::ModelNotFound => "model_not_found",
            Self::UnknownUrl => "unknown_url",
            Self::RequestTooLarge => "request_too_large",
            Self::UnsupportedContentEncoding => "unsupported_content_encoding",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::HeadersTooLarge => "headers_too_large",
            Self::GatewayError => "gateway_error",
            Self::GatewayBusy => "gateway_busy",
            Self::BadProviderResponse => "bad_provider_response",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::ProviderUnreachable => "provider_unreachable",
            Self::ProviderTimeout => "provider_timeout",
        }
    }

    /// HTTP status.
    pub fn status(self) -> u32 {
        match self {
            Self::ModelNotFound | Self::UnknownUrl => 404,
            Self::RequestTooLarge => 413,
            Self::UnsupportedContentEncoding | Self::UnsupportedMediaType => 415,
            Self::HeadersTooLarge => 431,
            Self::GatewayError => 500,
            Self::BadProviderResponse => 502,
            Self::GatewayBusy | Self::ProviderUnavailable | Self::ProviderUnreachable => 503,
            Self::ProviderTimeout => 504,
            _ => 400,
        }
    }

    /// What has happened and what helps: a row of the README's table.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::InvalidJson => {
                "the body is no JSON object, or one that is nested too deeply; the message says \
                 what was expected at which byte"
            }
            Self::InvalidForm => {
                "the body is no multipart form, or one that two servers could read in two ways; the \
                 message says what is wrong at which byte"
            }
            Self::DuplicateModel => {
                "the body or the query names `model` twice, or both do; send it once"
            }
            Self::InvalidType => "`model` is no string",
            Self::InvalidModel => {
                "`model` is empty, too long, or has control characters or half a surrogate pair"
            }
            Self::MissingModel => "nothing behind the namespace (`litellm:`); write a model there",
            Self::InvalidRequest => "Envoy could not read the HTTP request",
            Self::ModelNotFound => {
                "no provider takes the model, or the request names none; begin it with a \
                 provider's namespace, or set `default_provider`"
            }
            Self::UnknownUrl => "no such path here, and no `default_provider` that could know it",
            Self::RequestTooLarge => {
                "the model did not come within `body_limit_bytes`; send `model` first, or raise \
                 the limit"
            }
            Self::UnsupportedContentEncoding => {
                "a compressed body that Envoy did not decompress; send gzip, or no encoding"
            }
            Self::UnsupportedMediaType => {
                "a form where JSON belongs (`curl -d` says so by itself); send `content-type: \
                 application/json`"
            }
            Self::HeadersTooLarge => "more than 60 KiB or 100 request headers",
            Self::GatewayError => "the gateway failed; Envoy's log says why",
            Self::GatewayBusy => {
                "too many requests wait for a `model` that comes late; send `model` before the \
                 long parts, or try again"
            }
            Self::BadProviderResponse => {
                "the provider sent something that is no HTTP response; as an event of a stream: it \
                 ended before its last event"
            }
            Self::ProviderUnavailable => {
                "the provider has failed several times in a row and is left alone for a while; try \
                 again after `retry-after` seconds"
            }
            Self::ProviderUnreachable => {
                "the provider refused or closed the connection before it answered, or its name \
                 does not resolve; of a chain: the last one"
            }
            Self::ProviderTimeout => {
                "the provider did not begin to answer within `timeout_secs`, or sent no body within \
                 `first_token_secs`"
            }
        }
    }
}
