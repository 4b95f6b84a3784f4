//! What a request asks for: the gateway itself, a model, or something for the default provider.
//!
//! The provider's credential goes with what the table of endpoints knows, and only where every reading of the path
//! ([`reading`]) says the same:
//!
//! | the path as sent | another reading of it | |
//! |---|---|---|
//! | names a model | the same model, or nothing of the API that names one | passes |
//! | | another model | refused |
//! | is of the API and names none | a path that names a model, or is not of the API | refused |
//! | is not of the API | a path that names a model | refused |
//! | | anything else | passes, with the client's own credential |

pub mod examples;
pub mod pattern;
pub mod reading;
pub mod table;

use std::ops::Range;

use crate::request::escape::unescaped;
use pattern::{Case, Fit, fit};
use reading::readings;
use table::{Family, GEMINI_VERSIONS, Meaning, OPENAI_ROOTS, ROWS, Row};

/// The methods that are passed on.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What a method and a path mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// What the request asks for.
    pub endpoint: Endpoint,
    /// The shape of the errors that the client understands.
    pub shape: Shape,
}

/// What a request can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// The gateway answers the request. The range is the place of a model's name in the path; empty without a name.
    Local(LocalEndpoint, Range<usize>),
    /// The request names a model.
    Model(ModelIn),
    /// A known path that names no model: the default provider gets the request, with the provider's credential.
    NoModel,
    /// Any other path: the default provider gets the request, with the client's own credential.
    Unknown,
    /// The request is not passed on.
    Refused(Refused),
}

/// Why a request is not passed on, whatever its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The path is not below a base path.
    OutsideBasePaths,
    /// The method is unknown, or the path has other methods.
    Method {
        /// The path's methods, as the header `allow` lists them.
        allow: String,
    },
    /// Another server could read this row of the table, and the row names a model.
    ReadAs(&'static str),
    /// Another server could read another model.
    TwoModels,
    /// Another server could read a path that is not of the API.
    LeavesApi,
    /// The gateway cannot list all readings of the path.
    Path(reading::Unreadable),
    /// The request names a model where the gateway does not read it.
    UnreadModel,
}

/// What the gateway answers in place of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalEndpoint {
    /// `/healthz`: the process runs.
    Liveness,
    /// `/readyz`: the gateway is configured and can serve.
    Readiness,
    /// `/health`: how the providers are.
    Health,
    /// `GET /v1/models`: all models of all providers.
    Models,
    /// `GET /v1/models/{model}`: one model.
    Model,
    /// `GET /api/models`: all models, as chat front ends read them.
    FrontEndModels,
    /// `POST /api/models`: asks the providers for their models again.
    Refresh,
}

/// Where a request names its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelIn {
    /// In the body.
    Body(ModelBody),
    /// In the path, at this place. A body that names a model as well gets the same model.
    Path(Range<usize>, Option<ModelBody>),
    /// `model` in the query.
    Query,
    /// `model` in the query, or in the first message of a WebSocket.
    QueryOrMessage,
    /// In objects of the body.
    Nested,
}

/// A body that names a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelBody {
    /// The body may be `multipart/form-data`; else the body is a JSON object.
    pub is_form: bool,
    /// The request may have no body, and the body no model.
    pub is_optional: bool,
    /// The request makes nothing that lasts, so the gateway may send the request twice.
    pub repeats: bool,
    /// A prefix that the model's name may have: `models/`.
    pub resource: &'static str,
    /// Objects in the body may name the model again.
    pub is_nested: bool,
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
    /// The name of the shape in Envoy's configuration and in the tables of the documentation.
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
    /// One closing slash makes no difference: a server that answers such a path with a redirect would make the client
    /// send the model with its namespace.
    pub fn classify(method: &[u8], path: &str, base_paths: &[String]) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let found = Found::first(ROWS, path, Case::Exact, |row| row.takes(method));
        let shape = found.as_ref().map_or(Shape::OpenAi, |found| found.row.shape);
        let endpoint = match found {
            Some(found) if found.is_certain() && is_passed(method) => found.endpoint(),
            found => match refused(method, path, found.as_ref(), base_paths) {
                Some(refused) => Endpoint::Refused(refused),
                None => found.map_or(Endpoint::Unknown, Found::endpoint),
            },
        };
        Self { endpoint, shape }
    }
}

/// A row that fits a path.
struct Found {
    row: &'static Row,
    model: Option<Range<usize>>,
}

impl Found {
    fn first(
        rows: &'static [Row],
        path: &str,
        case: Case,
        is_meant: impl Fn(&Row) -> bool,
    ) -> Option<Self> {
        let mut rows = rows.iter().filter(|row| is_meant(row));
        rows.find_map(|row| fit_row(row, path, case).map(|Fit { model }| Self { row, model }))
    }

    /// Whether the row leaves nothing of the path to the client, or no provider sees the path.
    fn is_certain(&self) -> bool {
        matches!(self.row.meaning, Meaning::Local(_)) || !self.row.path.contains(['{', '*'])
    }

    fn endpoint(self) -> Endpoint {
        let place = self.model.unwrap_or_default();
        match self.row.meaning {
            Meaning::Local(local) => Endpoint::Local(local, place),
            Meaning::Body(body) => Endpoint::Model(ModelIn::Body(body)),
            Meaning::Path(body) => Endpoint::Model(ModelIn::Path(place, Some(body))),
            Meaning::PathAlone => Endpoint::Model(ModelIn::Path(place, None)),
            Meaning::Query => Endpoint::Model(ModelIn::Query),
            Meaning::QueryOrMessage => Endpoint::Model(ModelIn::QueryOrMessage),
            Meaning::Nested => Endpoint::Model(ModelIn::Nested),
            Meaning::Unreadable => Endpoint::Refused(Refused::UnreadModel),
            Meaning::NoModel => Endpoint::NoModel,
        }
    }

    /// The model as it is written in `path`.
    fn model<'a>(&self, path: &'a str) -> &'a str {
        self.model.clone().and_then(|place| path.get(place)).unwrap_or_default()
    }
}

fn is_passed(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.as_bytes() == method && *known != "OPTIONS")
}

/// Why a request is not passed on.
fn refused(
    method: &[u8],
    path: &str,
    found: Option<&Found>,
    base_paths: &[String],
) -> Option<Refused> {
    if !METHODS.iter().any(|known| known.as_bytes() == method) {
        return Some(Refused::Method { allow: METHODS.join(", ") });
    }
    // A preflight of a known path is for the gateway, which answers preflights only where `[cors]` is set.
    if method == b"OPTIONS" && ROWS.iter().any(|row| fit_row(row, path, Case::Exact).is_some()) {
        return Some(Refused::Method { allow: allowed(path) });
    }
    // A row for every method is only for the methods that no row with a model has.
    let is_open = found.is_none_or(|found| found.row.method.is_empty());
    let names_model = |row: &Row| row.meaning.names_model() && !row.method.is_empty();
    if is_open && Found::first(ROWS, path, Case::Exact, names_model).is_some() {
        return Some(Refused::Method { allow: allowed(path) });
    }
    match readings(path) {
        Err(why) => Some(Refused::Path(why)),
        Ok(all) => all.iter().find_map(|one| read_otherwise(method, path, one, found, base_paths)),
    }
}

/// The methods that the table has for a path; all methods where a row is for every method.
fn allowed(path: &str) -> String {
    let fits = |row: &&Row| fit_row(row, path, Case::Exact).is_some();
    let rows: Vec<_> = ROWS.iter().filter(fits).collect();
    let names_model = rows.iter().any(|row| row.meaning.names_model());
    let is_for_others = |row: &Row| {
        row.method.is_empty() && matches!(row.meaning, Meaning::NoModel | Meaning::Unreadable)
    };
    let has = |method: &&str| {
        let mut rows = rows.iter().filter(|row| !(names_model && is_for_others(row)));
        *method != "OPTIONS" && rows.any(|row| row.takes(method.as_bytes()))
    };
    METHODS.into_iter().filter(has).collect::<Vec<_>>().join(", ")
}

/// Why the gateway refuses a request that a server could read as `reading`.
fn read_otherwise(
    method: &[u8],
    path: &str,
    reading: &str,
    found: Option<&Found>,
    base_paths: &[String],
) -> Option<Refused> {
    let closed = reading.strip_suffix('/').unwrap_or(reading);
    let is_sure =
        found.is_some_and(|found| !found.row.method.is_empty() || found.row.meaning.names_model());
    let is_meant = |row: &Row| row.meaning.names_model() && (!is_sure || row.takes(method));
    let bases = base_paths.iter().filter(|base| !base.is_empty());
    let below = bases.filter_map(|base| Case::Ignored.strip_prefix(closed, base));
    for text in std::iter::once(closed).chain(below) {
        let Some(other) = first_reading(text, is_meant) else { continue };
        match found {
            Some(found) if std::ptr::eq(found.row, other.row) => {
                let decoded = |model| String::from_utf8_lossy(&unescaped(model)).into_owned();
                let (model, as_read) = (other.model(text), decoded(found.model(path)));
                if model != as_read && decoded(model) != as_read {
                    return Some(Refused::TwoModels);
                }
            }
            Some(found) if found.row.meaning.names_model() => return Some(Refused::TwoModels),
            _ => return Some(Refused::ReadAs(other.row.path)),
        }
    }
    let has_key = |row: &Row| row.meaning.has_key();
    let leaves = found.is_some_and(|found| found.row.meaning.has_key())
        && Found::first(ROWS, closed, Case::Ignored, has_key).is_none();
    leaves.then_some(Refused::LeavesApi)
}

/// The first row that a server could read. The server may do without the version in the path.
fn first_reading(text: &str, is_meant: impl Fn(&Row) -> bool) -> Option<Found> {
    Found::first(ROWS, text, Case::Ignored, &is_meant).or_else(|| {
        let mut rows = ROWS.iter().filter(|row| is_meant(row));
        rows.find_map(|row| {
            let Fit { model } = fit(row.bare()?, text, Case::Ignored)?;
            Some(Found { row, model })
        })
    })
}

/// Compares a path with a row, below each root of the row's family.
pub fn fit_row(row: &Row, path: &str, case: Case) -> Option<Fit> {
    let found = fit(row.path, path, case);
    let (roots, version): (&[&str], _) = match row.family {
        _ if found.is_some() => return found,
        Family::Alone => return None,
        Family::OpenAi => (&OPENAI_ROOTS, "/v1"),
        Family::Gemini => (&GEMINI_VERSIONS, "/v1beta"),
    };
    let (root, below) = roots.iter().find_map(|root| {
        let below = case.strip_prefix(path, root).filter(|below| below.starts_with('/'))?;
        Some((root, below))
    })?;
    let bare = row.path.strip_prefix(version)?;
    let versioned = || fit(row.path, below, case).filter(|_| row.family == Family::OpenAi);
    let Fit { model } = fit(bare, below, case).or_else(versioned)?;
    let shift = |at: usize| at.saturating_add(root.len());
    Some(Fit { model: model.map(|place| shift(place.start)..shift(place.end)) })
}

impl Endpoint {
    /// Whether the request names a model and makes nothing that lasts, so that the gateway may send the request twice.
    pub fn may_repeat(&self) -> bool {
        match self {
            Self::Model(ModelIn::Body(body) | ModelIn::Path(_, Some(body))) => body.repeats,
            _ => false,
        }
    }

    /// Whether the provider's own credential goes with the request.
    pub fn is_api(&self) -> bool {
        matches!(self, Self::Model(_) | Self::NoModel)
    }
}

/// The paths that a request may mean below `base_paths` (longest first). Each begins with a slash.
pub fn below_bases<'a>(path: &'a str, base_paths: &'a [String]) -> impl Iterator<Item = &'a str> {
    let below = base_paths.iter().filter_map(move |base| path.strip_prefix(base.as_str()));
    below.filter(|below| below.starts_with('/'))
}

/// The path with `/v1` in front, if a known endpoint was written without its version: LiteLLM accepts such paths.
pub fn with_version(path: &str) -> Option<String> {
    let (plain, query) = path.split_at_checked(path.find('?').unwrap_or(path.len()))?;
    let plain = plain.strip_suffix('/').unwrap_or(plain);
    if plain.starts_with("/v1") || ROWS.iter().any(|row| fit_row(row, plain, Case::Exact).is_some())
    {
        return None;
    }
    let models = [LocalEndpoint::Models, LocalEndpoint::Model].map(Meaning::Local);
    let is_meant = |row: &&Row| row.meaning.names_model() || models.contains(&row.meaning);
    let fits = |row: &Row| row.bare().is_some_and(|bare| fit(bare, plain, Case::Exact).is_some());
    let slash =
        if path.get(plain.len()..).is_some_and(|rest| rest.starts_with('/')) { "/" } else { "" };
    ROWS.iter().filter(is_meant).any(fits).then(|| ["/v1", plain, slash, query].concat())
}

#[cfg(test)]
mod tests;
