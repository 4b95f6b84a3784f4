//! What a request asks for: the gateway itself, a model, or something for the default provider.

pub mod pattern;
pub mod table;

use std::ops::Range;

use crate::request::escape::without_query;
use pattern::fit;
use table::{Meaning, ROWS, Row};

/// What a method and a path mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// What it asks for.
    pub endpoint: Endpoint,
    /// The shape of its errors.
    pub shape: Shape,
}

/// One of the things that a request can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// The gateway answers itself; a model's name in the path stands there.
    Local(LocalEndpoint, Range<usize>),
    /// The request names a model.
    Model(ModelIn),
    /// A known path that names none: the default provider gets it with the provider's credential.
    NoModel,
    /// Anything else: the default provider gets it with the client's own.
    Unknown,
    /// What another server could read otherwise than the gateway: it is not passed on.
    Refused,
}

/// What the gateway answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalEndpoint {
    /// `/healthz`: the process lives.
    Liveness,
    /// `/readyz`: it is configured and can serve.
    Readiness,
    /// `/health`: how the providers are.
    Health,
    /// `GET /v1/models`: all models of all providers.
    Models,
    /// `GET /v1/models/{model}`: one of them.
    Model,
    /// `GET /api/models`: all models, as chat front ends read them.
    FrontEndModels,
    /// `POST /api/models`: asks the providers anew.
    Refresh,
}

/// Where a request names its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelIn {
    /// In the body.
    Body(ModelBody),
    /// In the path, there. A body that names one as well is made the same.
    Path(Range<usize>, Option<ModelBody>),
    /// `model` in the query.
    Query,
}

/// A body that names a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelBody {
    /// It may be `multipart/form-data`; else it is a JSON object.
    pub is_form: bool,
    /// There may be none.
    pub is_optional: bool,
    /// It makes nothing that lasts: it can be sent twice.
    pub repeats: bool,
}

/// The shape of an endpoint's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// <https://platform.openai.com/docs/guides/error-codes>
    OpenAi,
    /// <https://docs.anthropic.com/en/api/errors>
    Anthropic,
    /// <https://cloud.google.com/apis/design/errors>
    Gemini,
}

impl Shape {
    /// Its name there.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

impl Classified {
    /// Classifies a request by its method and its path, without base path and query.
    ///
    /// A closing slash makes no difference: servers that redirect it would see the model
    /// unstripped.
    pub fn classify(method: &[u8], path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_method = |row: &Row| row.method.is_empty() || row.method.as_bytes() == method;
        let known = ROWS.iter().filter(|row| is_method(row));
        let found = known.filter_map(|row| Some((row, fit(row.path, path)?.model))).next();
        let shape = found.as_ref().map_or(Shape::OpenAi, |(row, _)| row.shape);
        // It would be answered with the provider's credential in it (RFC 9110, section 9.3.8).
        let endpoint = match (method, found) {
            (b"TRACE", _) => Endpoint::Refused,
            (_, Some((row, place))) => Endpoint::known(row.meaning, path, place),
            (_, None) if is_ambiguous(path) => Endpoint::Refused,
            (_, None) => Endpoint::Unknown,
        };
        Self { endpoint, shape }
    }
}

impl Endpoint {
    fn known(meaning: Meaning, path: &str, place: Option<Range<usize>>) -> Self {
        let place = place.unwrap_or_default();
        // In a model's name a slash may be escaped.
        let is_refused = match path.get(place.clone()) {
            Some(model) if !model.is_empty() => is_ambiguous_model(model),
            _ => is_ambiguous(path),
        };
        let optional = ModelBody { is_form: true, is_optional: true, repeats: true };
        match meaning {
            Meaning::Local(local) => Self::Local(local, place),
            _ if is_refused => Self::Refused,
            Meaning::Body(body) => Self::Model(ModelIn::Body(body)),
            Meaning::Path => Self::Model(ModelIn::Path(place, Some(optional))),
            Meaning::PathAlone => Self::Model(ModelIn::Path(place, None)),
            Meaning::Query => Self::Model(ModelIn::Query),
            Meaning::NoModel if hides_an_endpoint(path) => Self::Refused,
            Meaning::NoModel => Self::NoModel,
        }
    }

    /// Whether it names a model and makes nothing that lasts: it can be sent twice.
    pub fn may_repeat(&self) -> bool {
        match self {
            Self::Model(ModelIn::Body(body)) => body.repeats,
            Self::Model(ModelIn::Path(..)) => true,
            _ => false,
        }
    }

    /// Whether the provider's own credential goes with it.
    pub fn is_api(&self) -> bool {
        matches!(self, Self::Model(_) | Self::NoModel)
    }
}

/// Whether a server that decodes escaped slashes, as most do, would see another path.
fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["%2f", "%5c", "%25", "\\"].iter().any(|escape| lower.contains(escape))
}

/// Whether a server that decodes more, or leaves off what is behind a `;`, could see a path with a model.
fn hides_an_endpoint(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let is_gemini = lower.starts_with("/v1beta/models/");
    ["%20", "%23", "%3b", "%3f", ";"].iter().any(|escape| lower.contains(escape))
        || (is_gemini && lower.contains("%3a"))
}

/// The same for a model's name in a path, which may have slashes but leads nowhere else.
fn is_ambiguous_model(model: &str) -> bool {
    let lower = model.to_ascii_lowercase().replace("%2f", "/");
    is_ambiguous(&lower) || lower.split('/').any(|segment| matches!(segment, "" | "." | ".."))
}

/// Takes off the longest of `base_paths` (longest first) that stands before `path`; `None` when
/// none does. The rest begins with a slash.
pub fn strip_base<'a>(path: &'a str, base_paths: &[String]) -> Option<&'a str> {
    base_paths
        .iter()
        .find_map(|base| path.strip_prefix(base.as_str()).filter(|rest| rest.starts_with('/')))
}

/// The path of a known endpoint that was written without its `/v1`, as LiteLLM's clients may.
pub fn with_version(method: &[u8], path: &str) -> Option<String> {
    if path.starts_with("/v1") {
        return None;
    }
    let versioned = format!("/v1{path}");
    let names_model = matches!(
        Classified::classify(method, without_query(&versioned)).endpoint,
        Endpoint::Model(_) | Endpoint::Local(LocalEndpoint::Models | LocalEndpoint::Model, _)
    );
    names_model.then_some(versioned)
}

#[cfg(test)]
mod tests;
