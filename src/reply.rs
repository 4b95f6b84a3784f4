//! What the gateway answers in a provider's place: errors in the client's own shape.
//!
//! [`Code`] is the closed list of errors, those that Envoy makes included: the README's table and
//! the rendered `local_reply_config` are made from it.

use serde::Serialize;

use crate::body::{BoundaryProblem, Problem, ScanError};
use crate::config::Provider;
use crate::endpoint::Shape;
use crate::model::InvalidModel;

/// An answer of the gateway's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u32,
    /// A JSON document.
    pub body: String,
    /// The header `retry-after`.
    pub retry_after_secs: Option<u64>,
    /// For Envoy's `%RESPONSE_CODE_DETAILS%`: `gaud_` and the error's code.
    pub details: String,
}

impl Reply {
    /// An answer that is no error.
    pub fn document(status: u32, document: &impl Serialize) -> Self {
        Self {
            status,
            body: json(document),
            details: "gaud_own".to_owned(),
            retry_after_secs: None,
        }
    }
}

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

    /// The whole error document, as JSON.
    pub fn document(self, shape: Shape, message: &str, param: Option<&str>) -> String {
        match shape {
            Shape::OpenAi => json(&OpenAiDocument {
                error: OpenAiError {
                    message,
                    kind: if self.status() < 500 {
                        "invalid_request_error"
                    } else {
                        "server_error"
                    },
                    param,
                    code: self.as_str(),
                },
            }),
            Shape::Anthropic => json(&AnthropicDocument {
                kind: "error",
                error: AnthropicError { kind: self.anthropic_type(), message },
            }),
            Shape::Gemini => json(&GeminiDocument {
                error: GeminiError { code: self.status(), message, status: self.google_status() },
            }),
        }
    }

    /// <https://docs.anthropic.com/en/api/errors>
    fn anthropic_type(self) -> &'static str {
        match self.status() {
            404 => "not_found_error",
            413 => "request_too_large",
            400..500 => "invalid_request_error",
            504 => "timeout_error",
            _ => "api_error",
        }
    }

    /// <https://cloud.google.com/apis/design/errors#error_model>
    fn google_status(self) -> &'static str {
        match self.status() {
            404 => "NOT_FOUND",
            400..500 => "INVALID_ARGUMENT",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            _ => "INTERNAL",
        }
    }
}

#[derive(Serialize)]
struct OpenAiDocument<'a> {
    error: OpenAiError<'a>,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: &'a str,
}

#[derive(Serialize)]
struct AnthropicDocument<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    error: AnthropicError<'a>,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct GeminiDocument<'a> {
    error: GeminiError<'a>,
}

#[derive(Serialize)]
struct GeminiError<'a> {
    code: u32,
    message: &'a str,
    status: &'a str,
}

/// These documents are made of strings: none fails.
fn json(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// Why the gateway refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reject {
    /// There is no body where an endpoint needs one.
    EmptyBody,
    /// The body cannot be read.
    Body(ScanError),
    /// The model has no usable name.
    Model(InvalidModel),
    /// This namespace has nothing behind it.
    NamespaceAlone(String),
    /// No provider takes this model.
    ModelNotFound(String),
    /// The request names no model, and there is no default provider.
    NoModel,
    /// More bytes than this were held without finding the model.
    TooLarge(u64),
    /// All requests together hold as much as they may.
    NoRoom,
    /// The body is still encoded.
    Encoded,
    /// The body says that it is a form.
    Form,
    /// The content-type of a form names no boundary that can be read.
    Boundary(BoundaryProblem),
    /// The path or the query names a model that is no UTF-8.
    NotUnicode,
    /// The gateway's list has no such model.
    NotListed(String),
    /// The query names a model too.
    ModelInQuery,
    /// The query names a model twice, or so that two servers could read two.
    ModelsInQuery,
    /// The provider's breaker is open.
    Unavailable {
        /// The provider's name.
        provider: String,
        /// When another try is worth it.
        retry_after_secs: u64,
    },
    /// Every attempt has lost its connection.
    Exhausted,
    /// The first byte of a response did not come in time.
    NoFirstToken,
    /// Nothing more came of a response.
    Stalled,
    /// An error of the provider's that does not end.
    EndlessError,
    /// What came over the hop is not the gateway's own.
    NoRun,
    /// Nobody knows this path.
    UnknownUrl {
        /// The request's method.
        method: String,
        /// The request's path, without its query.
        path: String,
    },
}

impl Reject {
    /// The answer that says so.
    pub fn reply(&self, shape: Shape) -> Reply {
        let code = self.code();
        Reply {
            status: code.status(),
            body: code.document(shape, &self.message(), self.param()),
            details: format!("gaud_{}", code.as_str()),
            retry_after_secs: match self {
                Self::Unavailable { retry_after_secs, .. } => Some(*retry_after_secs),
                Self::NoRoom => Some(1),
                _ => None,
            },
        }
    }

    /// A provider is left alone for so long.
    pub fn unavailable(provider: &Provider, wait_ms: u64) -> Self {
        Self::Unavailable {
            provider: provider.name.clone(),
            retry_after_secs: wait_ms.div_ceil(1000).max(1),
        }
    }

    /// Its place in the list of errors.
    pub fn code(&self) -> Code {
        match self {
            Self::EmptyBody => Code::InvalidJson,
            Self::Body(error) => match error.problem {
                Problem::DuplicateModel => Code::DuplicateModel,
                Problem::ModelNotAString(_) => Code::InvalidType,
                Problem::ModelTooLong | Problem::ModelNotUnicode => Code::InvalidModel,
                Problem::Form(_) => Code::InvalidForm,
                _ => Code::InvalidJson,
            },
            Self::Model(_) | Self::NotUnicode => Code::InvalidModel,
            Self::NamespaceAlone(_) => Code::MissingModel,
            Self::ModelNotFound(_) | Self::NoModel | Self::NotListed(_) => Code::ModelNotFound,
            Self::Boundary(_) => Code::InvalidForm,
            Self::TooLarge(_) => Code::RequestTooLarge,
            Self::NoRoom => Code::GatewayBusy,
            Self::Form => Code::UnsupportedMediaType,
            Self::ModelInQuery | Self::ModelsInQuery => Code::DuplicateModel,
            Self::Encoded => Code::UnsupportedContentEncoding,
            Self::Unavailable { .. } => Code::ProviderUnavailable,
            Self::Exhausted => Code::ProviderUnreachable,
            Self::NoFirstToken | Self::Stalled => Code::ProviderTimeout,
            Self::EndlessError => Code::BadProviderResponse,
            Self::NoRun => Code::GatewayError,
            Self::UnknownUrl { .. } => Code::UnknownUrl,
        }
    }

    fn param(&self) -> Option<&'static str> {
        match self.code() {
            Code::DuplicateModel | Code::InvalidType | Code::InvalidModel => Some("model"),
            Code::MissingModel | Code::ModelNotFound => Some("model"),
            _ => None,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::EmptyBody => {
                "The request has no body; send a JSON object with a 'model'.".to_owned()
            }
            Self::Body(error) => match self.code() {
                Code::InvalidJson => format!("The body is not valid JSON: {error}."),
                Code::InvalidForm => format!("The body is not a valid form: {error}."),
                _ => format!("The body cannot be routed: {error}."),
            },
            Self::Model(problem) => format!("The 'model' {problem}."),
            Self::NamespaceAlone(namespace) => format!(
                "The model '{namespace}' is a namespace with nothing behind it; write a model's \
                 name there."
            ),
            Self::ModelNotFound(model) => {
                format!("The model '{model}' does not exist: no provider of this gateway takes it.")
            }
            Self::NotListed(model) => format!("The model '{model}' is not in this gateway's list."),
            Self::NotUnicode => "The 'model' in the URL is no UTF-8.".to_owned(),
            Self::Boundary(problem) => format!("The form cannot be read: {problem}."),
            Self::NoModel => {
                "The request names no 'model', and this gateway has no default provider.".to_owned()
            }
            Self::TooLarge(limit) => too_large(*limit),
            Self::NoRoom => "Too many requests wait for a 'model' that comes late; send 'model' \
                             before the long parts, or try again."
                .to_owned(),
            Self::Form => "The content-type says that the body is a form; send JSON as \
                           application/json."
                .to_owned(),
            Self::ModelInQuery => {
                "The URL's query names a 'model' too; name it in the body alone.".to_owned()
            }
            Self::ModelsInQuery => {
                "The URL's query names a 'model' twice, or has a ';'; name it once, and write %3B."
                    .to_owned()
            }
            Self::Encoded => "The body is compressed in a way that this gateway does not read; \
                              send it with gzip, or uncompressed."
                .to_owned(),
            Self::Unavailable { provider, retry_after_secs } => format!(
                "The provider '{provider}' fails and is left alone; try again in \
                 {retry_after_secs} s."
            ),
            Self::Exhausted => {
                "No provider answered: each connection was closed before a response.".to_owned()
            }
            Self::NoFirstToken => "The provider sent nothing within first_token_secs.".to_owned(),
            Self::Stalled => "The provider sent nothing more within idle_secs.".to_owned(),
            Self::EndlessError => "The provider's answer is an error without an end.".to_owned(),
            Self::NoRun => "The request is no attempt of this gateway's.".to_owned(),
            Self::UnknownUrl { method, path } => format!("Unknown URL: {method} {path}."),
        }
    }
}

/// The message of [`Code::RequestTooLarge`], whoever says it.
pub fn too_large(limit_bytes: u64) -> String {
    format!(
        "The body's first {limit_bytes} bytes hold no 'model'; send 'model' before the long parts, \
         or raise body_limit_bytes."
    )
}
