//! Why the gateway refuses a request, and the words for the client.

use super::{Code, Reply};
use crate::body::{BoundaryProblem, Problem, ScanError};
use crate::names::properties::DETAILS_PREFIX;
use crate::request::endpoint::Shape;
use crate::request::model::InvalidModel;

/// Why the gateway refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reject {
    /// An endpoint that needs a body got none.
    EmptyBody,
    /// The body cannot be read.
    Body(ScanError),
    /// The model has no usable name.
    Model(InvalidModel),
    /// The model is this namespace, without a model's name after it.
    NamespaceAlone(String),
    /// No provider takes this model.
    ModelNotFound(String),
    /// The request names no model, and the gateway has no default provider.
    NoModel,
    /// More bytes than this were held without finding the model.
    TooLarge(u64),
    /// All requests together hold as many bytes as allowed.
    NoRoom,
    /// The body is still encoded.
    Encoded,
    /// The body says that it is a form.
    Form,
    /// The content-type of a form names no boundary that can be read.
    Boundary(BoundaryProblem),
    /// The path or the query names a model that is not UTF-8.
    NotUnicode,
    /// The gateway's list has no such model.
    NotListed(String),
    /// The query names a model too.
    ModelInQuery,
    /// The query names a model twice, or so that two servers could read two.
    ModelsInQuery,
    /// The provider's breaker is open.
    Unavailable {
        provider: String,
        /// The wait until the breaker admits requests again.
        retry_after_secs: u64,
    },
    /// Every attempt has lost its connection.
    Exhausted,
    /// The first byte of a response did not come in time.
    NoFirstToken,
    /// Nothing more came of a response.
    Stalled,
    /// The provider's error does not end.
    EndlessError,
    /// A request came over the hop, and the gateway did not send it there.
    NoCrossing,
    /// The path is not an endpoint, and the gateway has no default provider.
    UnknownUrl {
        method: String,
        /// The request's path, without its query.
        path: String,
    },
}

impl Reject {
    /// The answer to the client.
    pub fn reply(&self, shape: Shape) -> Reply {
        let code = self.code();
        Reply {
            status: code.status(),
            body: code.document(shape, &self.message(), self.param()),
            details: format!("{DETAILS_PREFIX}{}", code.as_str()),
            retry_after_secs: match self {
                Self::Unavailable { retry_after_secs, .. } => Some(*retry_after_secs),
                Self::NoRoom => Some(1),
                _ => None,
            },
        }
    }

    /// The breaker of a provider is open, for `wait_ms` more.
    pub fn unavailable(provider: &str, wait_ms: u64) -> Self {
        Self::Unavailable {
            provider: provider.to_owned(),
            retry_after_secs: wait_ms.div_ceil(1000).max(1),
        }
    }

    /// The error's row in the list of errors.
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
            Self::NoCrossing => Code::GatewayError,
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
            Self::NoCrossing => "The request is no attempt of this gateway's.".to_owned(),
            Self::UnknownUrl { method, path } => format!("Unknown URL: {method} {path}."),
        }
    }
}

/// The message of [`Code::RequestTooLarge`]: the filter's, and that of Envoy's local reply.
pub fn too_large(limit_bytes: u64) -> String {
    format!(
        "The body's first {limit_bytes} bytes hold no 'model'; send 'model' before the long parts, \
         or raise body_limit_bytes."
    )
}
