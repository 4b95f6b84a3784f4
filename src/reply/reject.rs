//! Why the gateway refuses a request, and the words for the client.

use super::{Code, Reply};
use crate::body::{BoundaryProblem, DecompressError, Problem, ScanError};
use crate::breaker::{Level, Refusal};
use crate::names::properties::DETAILS_PREFIX;
use crate::request::credentials::GaudKey;
use crate::request::endpoint::reading::Unreadable;
use crate::request::endpoint::{Refused, Shape};
use crate::request::model::InvalidModel;
use crate::room::Bound;

/// Whose limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Key,
    /// The key's, for the model.
    Model,
    User,
    Gateway,
}

/// A limit of a key, of the key's user, or of the gateway, that has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverLimit {
    pub whose: Whose,
    pub kind: LimitKind,
    /// When another try is worth it; `None` for never.
    pub retry_after_secs: Option<u64>,
    /// The status of the answer where a budget is used up.
    pub budget_status: u32,
}

/// Which limit, and what it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    Budget,
    /// Requests a minute.
    Requests(u64),
    /// Tokens a minute.
    Tokens(u64),
    /// Requests at the same time.
    Parallel(u32),
    /// The counter is asked by too many at once.
    Contended,
}

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
    ModelNotFound {
        model: String,
        /// A model of the list that was probably meant.
        near: Option<String>,
    },
    /// The request names no model, and the gateway has no default provider.
    NoModel,
    /// More bytes than this were held without finding the model.
    TooLarge(u64),
    /// The requests of the worker, or of the client, hold as many bytes as allowed, and no other holds more than this request.
    NoRoom(Bound),
    /// The model has not come in time.
    ModelLate,
    /// The lists of models that are under way, or those of the client, are as many bytes as allowed.
    TooManyLists(Bound),
    /// The body has an encoding that the gateway does not read.
    Encoded,
    /// The body cannot be decompressed whole, to at most this number of bytes.
    Compressed(DecompressError, u64),
    /// The body says that it is a form.
    Form,
    /// The content-type of a form names no boundary that can be read.
    Boundary(BoundaryProblem),
    /// The path or the query names a model that is not UTF-8.
    NotUnicode,
    /// The gateway's list has no such model.
    NotListed {
        model: String,
        /// A model of the list that was probably meant.
        near: Option<String>,
    },
    /// The query names a model too.
    ModelInQuery,
    /// The query names a model twice, or so that two servers could read two.
    ModelsInQuery,
    /// The breaker of the provider, or of the model there, is open.
    Unavailable {
        provider: String,
        /// The model, where its breaker refuses the request and not the provider's.
        model: Option<String>,
        /// When another try is worth it.
        retry_after_secs: u64,
    },
    /// Every attempt has lost its connection, the last one that to this provider.
    Exhausted(String),
    /// The first byte of this provider's response did not come in time.
    NoFirstToken(String),
    /// Nothing more came of this provider's response.
    Stalled(String),
    /// The error of this provider does not end.
    EndlessError(String),
    /// A request came over the hop, and the gateway did not send it there.
    NoCrossing,
    /// The request has a key of Gaud's.
    Key(GaudKey),
    /// The time of the key is over.
    ExpiredKey,
    /// The key may not call this model; `None` for a request that names none.
    ModelNotAllowed(Option<String>),
    /// A limit of the key, or of its user, has no room.
    OverLimit(OverLimit),
    /// The provider gets as many requests as its own limits allow.
    ProviderLimit {
        provider: String,
        /// When another try is worth it; `None` for never.
        retry_after_secs: Option<u64>,
    },
    /// The model has no price, and the key or its user has a budget.
    NotPriced { provider: String, model: String },
    /// What the path uses is not counted, and the key or its user has a budget.
    NotCounted,
    /// The keys have not come since Envoy started.
    KeysUnknown,
    /// The keys are too old.
    KeysStale,
    /// What the request uses could not be recorded.
    JournalFull,
    /// The gateway may not be called by this name.
    Host(String),
    /// Pages of this origin may not call the gateway.
    Origin(String),
    /// The content-type is not a media type, or has bytes that are not ASCII.
    ContentType,
    /// The content-type of a JSON body names a charset that is not UTF-8, or several charsets.
    Charset,
    /// The path is refused.
    Path(Refused),
    /// The path has other methods.
    Method {
        method: String,
        /// The methods that there are, as `allow` has them.
        allow: String,
    },
    /// The URL of a WebSocket names no model.
    WebSocketModel,
    /// An object in the body names this model, which would have to be changed or is another than the path's.
    NestedModel(String),
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
            status: match self {
                Self::OverLimit(own) if own.kind == LimitKind::Budget => own.budget_status,
                _ => code.status(),
            },
            body: match self.openai_type() {
                Some(kind) => code.document_of(kind, shape, &self.message(), self.param()),
                None => code.document(shape, &self.message(), self.param()),
            },
            details: format!("{DETAILS_PREFIX}{}", code.as_str()),
            retry_after_secs: match self {
                Self::Unavailable { retry_after_secs, .. } => Some(*retry_after_secs),
                Self::NoRoom(_) | Self::TooManyLists(_) => Some(1),
                Self::KeysUnknown | Self::KeysStale => Some(1),
                Self::JournalFull => Some(10),
                Self::OverLimit(OverLimit { retry_after_secs, .. })
                | Self::ProviderLimit { retry_after_secs, .. } => *retry_after_secs,
                _ => None,
            },
            headers: match self {
                Self::OverLimit(own) if own.is_hopeless() => {
                    vec![("x-should-retry", "false".to_owned())]
                }
                Self::Method { allow, .. } => vec![("allow", allow.clone())],
                _ => Vec::new(),
            },
        }
    }

    /// A breaker refuses a request for a model at a provider.
    pub fn unavailable(provider: &str, model: Option<&str>, refusal: Refusal) -> Self {
        let is_models = matches!(refusal.level, Level::Model(_));
        Self::Unavailable {
            provider: provider.to_owned(),
            model: model.filter(|_| is_models).map(str::to_owned),
            retry_after_secs: refusal.retry_after_ms.div_ceil(1000).max(1),
        }
    }

    /// OpenAI's `type`, where the status does not say it.
    fn openai_type(&self) -> Option<&'static str> {
        let kind = match self {
            Self::OverLimit(OverLimit { kind, .. }) => kind,
            Self::ProviderLimit { .. } => return Some("requests"),
            _ => return None,
        };
        Some(match kind {
            LimitKind::Budget => "insufficient_quota",
            LimitKind::Tokens(_) => "tokens",
            LimitKind::Requests(_) | LimitKind::Parallel(_) | LimitKind::Contended => "requests",
        })
    }

    /// The error's row in the list of errors.
    pub fn code(&self) -> Code {
        match self {
            Self::EmptyBody => Code::InvalidJson,
            Self::Body(error) => match error.problem {
                Problem::DuplicateModel | Problem::ModelInOtherCase => Code::DuplicateModel,
                Problem::ModelNotAString(_) => Code::InvalidType,
                Problem::ModelTooLong | Problem::ModelNotUnicode => Code::InvalidModel,
                Problem::Form(_) => Code::InvalidForm,
                _ => Code::InvalidJson,
            },
            Self::Model(_) | Self::NotUnicode => Code::InvalidModel,
            Self::NamespaceAlone(_) => Code::MissingModel,
            Self::ModelNotFound { .. } | Self::NoModel | Self::NotListed { .. } => {
                Code::ModelNotFound
            }
            Self::Boundary(_) => Code::InvalidForm,
            Self::TooLarge(_) => Code::RequestTooLarge,
            Self::NoRoom(_) | Self::TooManyLists(_) => Code::GatewayBusy,
            Self::ModelLate => Code::ModelTimeout,
            Self::Form => Code::UnsupportedMediaType,
            Self::ModelInQuery | Self::ModelsInQuery => Code::DuplicateModel,
            Self::Encoded => Code::UnsupportedContentEncoding,
            Self::Compressed(DecompressError::TooLong, _) => Code::RequestTooLarge,
            Self::Compressed(..) => Code::InvalidCompression,
            Self::Unavailable { .. } => Code::ProviderUnavailable,
            Self::Exhausted(_) => Code::ProviderUnreachable,
            Self::NoFirstToken(_) | Self::Stalled(_) => Code::ProviderTimeout,
            Self::EndlessError(_) => Code::BadProviderResponse,
            Self::NoCrossing => Code::GatewayError,
            Self::Key(GaudKey::Client) => Code::InvalidApiKey,
            Self::Key(GaudKey::Admin) => Code::AdminKey,
            Self::ExpiredKey => Code::ExpiredKey,
            Self::ModelNotAllowed(_) => Code::ModelNotAllowed,
            Self::OverLimit(OverLimit { kind: LimitKind::Budget, .. }) => Code::InsufficientQuota,
            Self::OverLimit(_) | Self::ProviderLimit { .. } => Code::RateLimitExceeded,
            Self::NotPriced { .. } | Self::NotCounted => Code::ModelNotPriced,
            Self::KeysUnknown | Self::KeysStale => Code::KeysUnavailable,
            Self::JournalFull => Code::JournalFull,
            Self::Host(_) => Code::HostNotAllowed,
            Self::Origin(_) => Code::OriginNotAllowed,
            Self::ContentType | Self::Charset => Code::UnsupportedMediaType,
            Self::Method { .. } | Self::Path(Refused::Method { .. }) => Code::MethodNotAllowed,
            Self::Path(Refused::UnreadModel) | Self::NestedModel(_) => Code::UnreadModel,
            Self::Path(_) => Code::AmbiguousPath,
            Self::WebSocketModel => Code::WebSocketModel,
            Self::UnknownUrl { .. } => Code::UnknownUrl,
        }
    }

    /// The bound that the request has met.
    pub fn bound(&self) -> Option<Bound> {
        match self {
            Self::NoRoom(bound) | Self::TooManyLists(bound) => Some(*bound),
            Self::ModelLate => Some(Bound::Model),
            _ => None,
        }
    }

    fn param(&self) -> Option<&'static str> {
        match self.code() {
            Code::DuplicateModel | Code::InvalidType | Code::InvalidModel => Some("model"),
            Code::MissingModel | Code::ModelNotFound | Code::UnreadModel => Some("model"),
            Code::ModelNotAllowed | Code::ModelNotPriced => Some("model"),
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
                "The model '{namespace}' is a namespace with nothing after it; write a model's \
                 name there."
            ),
            Self::ModelNotFound { model, near } => format!(
                "The model '{model}' does not exist: no provider of this gateway takes it.{} GET /v1/models lists the \
                 models.",
                meant(near.as_deref())
            ),
            Self::NotListed { model, near } => {
                format!(
                    "The model '{model}' is not in this gateway's list.{}",
                    meant(near.as_deref())
                )
            }
            Self::Method { method, allow } => {
                format!("The path does not take {method}; use {}.", allow.replace(", ", " or "))
            }
            Self::NotUnicode => "The 'model' in the URL is not UTF-8.".to_owned(),
            Self::Boundary(problem) => format!("The form cannot be read: {problem}."),
            Self::NoModel => {
                "The request names no 'model', and this gateway has no default provider.".to_owned()
            }
            Self::TooLarge(limit) => too_large(*limit),
            Self::NoRoom(Bound::ClientShare) => {
                "The requests of this address wait with too many bytes for a 'model' that comes \
                 late; send 'model' before the long parts, or try again."
                    .to_owned()
            }
            Self::NoRoom(_) => "Too many bytes wait for a 'model' that comes late; send 'model' \
                                before the long parts, or try again."
                .to_owned(),
            Self::TooManyLists(_) => "Too many lists of this gateway are on their way to clients \
                                      that have not read them; try again."
                .to_owned(),
            Self::ModelLate => "The 'model' did not come in time; send 'model' before the long \
                                parts."
                .to_owned(),
            Self::JournalFull => "The gateway records what requests use, and its disk is full; free space on the \
                                  disk of the gateway's data folder, and requests are served again within seconds."
                .to_owned(),
            Self::Form => "The content-type says that the body is a form; send JSON as \
                           application/json."
                .to_owned(),
            Self::ModelInQuery => {
                "The URL's query names a 'model' too; name it in the body alone.".to_owned()
            }
            Self::ModelsInQuery => {
                "The URL's query names a 'model' in a way that servers read differently; name it once, as 'model=', \
                 and escape what is not a letter or a digit: %2B for '+', %20 for a space."
                    .to_owned()
            }
            Self::Encoded => "The body is compressed in a way that this gateway does not read; \
                              send it with gzip or deflate, or uncompressed."
                .to_owned(),
            Self::Compressed(DecompressError::Cut, _) => {
                "The compressed body is cut: it ends before its end.".to_owned()
            }
            Self::Compressed(DecompressError::Broken, _) => {
                "The body is not what content-encoding says, or has more after its \
                                                             end, or was changed on its way."
                    .to_owned()
            }
            Self::Compressed(DecompressError::TooLong, limit) => format!(
                "The body is compressed and has more than {limit} bytes; send it uncompressed with 'model' first, or raise \
                 body_limit_bytes."
            ),
            Self::Unavailable { provider, model: None, retry_after_secs } => format!(
                "The provider '{provider}' has failed several times in a row; try again in \
                 {retry_after_secs} s."
            ),
            Self::Key(GaudKey::Client) => "The API key is not valid.".to_owned(),
            Self::Key(GaudKey::Admin) => {
                "An admin key manages, and calls no models; send a client's key.".to_owned()
            }
            Self::ExpiredKey => "The API key has expired.".to_owned(),
            Self::ModelNotAllowed(Some(model)) => format!(
                "This API key may not call the model '{model}'. GET /v1/models lists the models that it may call."
            ),
            Self::ModelNotAllowed(None) => {
                "This API key may call some models alone, and the request names none that the gateway reads."
                    .to_owned()
            }
            Self::OverLimit(own) => own.message(),
            Self::ProviderLimit { provider, retry_after_secs } => {
                let again = again(*retry_after_secs);
                format!("The provider '{provider}' gets as many requests as its limits allow{again}.")
            }
            Self::NotPriced { provider, model } => format!(
                "The model '{model}' of the provider '{provider}' has no price, and this API key has a budget; write the \
                 price into [prices.\"{provider}/{model}\"]."
            ),
            Self::NotCounted => {
                "The gateway does not count what this path uses, and this API key has a budget; use a key without one."
                    .to_owned()
            }
            Self::KeysUnknown => {
                "The gateway does not know the API keys yet; try again.".to_owned()
            }
            Self::KeysStale => "The gateway has not heard of changes of API keys for too long; try again."
                .to_owned(),
            Self::Host(host) => format!(
                "This gateway may not be called as '{host}': call it by its address or as localhost, or add the name to \
                 allow_hosts."
            ),
            Self::Origin(origin) => format!(
                "Pages of '{origin}' may not call this gateway: add the origin to allow_origins of [cors]."
            ),
            Self::Unavailable { provider, model: Some(model), retry_after_secs } => format!(
                "The model '{model}' of the provider '{provider}' has failed several times in a row; \
                 try again in {retry_after_secs} s."
            ),
            Self::Exhausted(provider) => {
                format!("The provider '{provider}' cannot be reached: each connection was closed before a response.")
            }
            Self::NoFirstToken(provider) => {
                format!("The provider '{provider}' sent nothing within first_token_secs.")
            }
            Self::Stalled(provider) => {
                format!("The provider '{provider}' sent nothing more within idle_secs.")
            }
            Self::EndlessError(provider) => {
                format!("The provider '{provider}' answers with an error without an end.")
            }
            Self::NoCrossing => "The request is not an attempt of this gateway's.".to_owned(),
            Self::ContentType => "The content-type is not a media type in ASCII, or has a space before it; send \
                                  application/json."
                .to_owned(),
            Self::Charset => "The content-type names a charset other than UTF-8; send \
                              application/json without a charset."
                .to_owned(),
            Self::Path(refused) => path_message(refused),
            Self::WebSocketModel => "The WebSocket's URL names no 'model'; use HTTP, or write \
                                     ?model= into the URL."
                .to_owned(),
            Self::NestedModel(model) => format!(
                "An object in the body names the model '{model}', which this gateway does not \
                 change there; write a name that needs no change: the one that the provider knows."
            ),
            Self::UnknownUrl { method, path } => format!("Unknown URL: {method} {path}."),
        }
    }
}

impl OverLimit {
    /// Whether another try within minutes is of no use.
    fn is_hopeless(self) -> bool {
        self.kind == LimitKind::Budget || self.retry_after_secs.is_none()
    }

    fn message(self) -> String {
        let whose = match self.whose {
            Whose::Key => "This API key",
            Whose::Model => "This API key with this model",
            Whose::User => "The user of this API key",
            Whose::Gateway => "All clients together",
        };
        let again = again(self.retry_after_secs);
        match self.kind {
            LimitKind::Budget => format!("{whose} has used up its budget{again}."),
            LimitKind::Requests(rpm) => format!("{whose} may make {rpm} requests a minute{again}."),
            LimitKind::Tokens(tpm) => format!("{whose} may use {tpm} tokens a minute{again}."),
            LimitKind::Parallel(most) => {
                format!("{whose} may have {most} requests under way at once{again}.")
            }
            LimitKind::Contended => format!("{whose} has too many requests at once{again}."),
        }
    }
}

fn again(retry_after_secs: Option<u64>) -> String {
    retry_after_secs.map(|secs| format!("; try again in {secs} s")).unwrap_or_default()
}

fn meant(near: Option<&str>) -> String {
    near.map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default()
}

fn path_message(refused: &Refused) -> String {
    match refused {
        Refused::OutsideBasePaths => "The path is below none of the base paths.".to_owned(),
        Refused::Method { allow } => format!("The path takes {allow}."),
        Refused::ReadAs(path) => format!(
            "Another server could read the path as {path}, which names a model; write it exactly so."
        ),
        Refused::TwoModels => "Another server could read another model in the path; write the \
                               name without dots as segments, '//', ';', '?', '#', '%25' and '\\'."
            .to_owned(),
        Refused::LeavesApi => "Another server could read a path outside the API; write the path \
                               without '..' and '%2E'."
            .to_owned(),
        Refused::Path(Unreadable::Control) => {
            "The path has a control character; leave it out.".to_owned()
        }
        Refused::Path(Unreadable::AboveRoot) => {
            "The path leads above its root; write it without '..'.".to_owned()
        }
        Refused::Path(Unreadable::TooMany) => {
            "The path can be read in too many ways; write it with fewer escapes.".to_owned()
        }
        Refused::UnreadModel => "The request names a model where this gateway does not read it; \
                                 the documentation lists the paths that it routes."
            .to_owned(),
    }
}

/// The message of [`Code::RequestTooLarge`]: the filter's, and that of Envoy's local reply.
pub fn too_large(limit_bytes: u64) -> String {
    format!(
        "The body's first {limit_bytes} bytes hold no 'model'; send 'model' before the long parts, \
         or raise body_limit_bytes."
    )
}
