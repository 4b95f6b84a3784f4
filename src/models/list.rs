//! What a provider answers to `GET /v1/models`: as OpenAI, Anthropic and their likes write it.

use std::fmt;

use hashbrown::HashSet;

use super::token;
use crate::body::{JsonScanner, ScanError};
use crate::request::model::ModelName;

/// The most models of one provider.
pub const MODELS_MAX: usize = 10_000;

/// A model as its provider lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its name there: a valid [`ModelName`].
    pub id: String,
    /// When it was made, in seconds since 1970.
    pub created_secs: Option<u64>,
    /// The most tokens that it reads.
    pub context_window: Option<u64>,
    /// Its name for people: as long as a [`ModelName`] at most, and without control characters.
    pub display_name: Option<String>,
}

/// The fields of an entry that count. From the fourth on they say the context window, and the first
/// of those that says one wins: `LiteLLM`, Groq, `OpenRouter`, vLLM, Mistral.
const FIELDS: [&[u8]; 8] = [
    br#""id""#,
    br#""display_name""#,
    br#""created""#,
    br#""max_input_tokens""#,
    br#""context_window""#,
    br#""context_length""#,
    br#""max_model_len""#,
    br#""max_context_length""#,
];

/// What stands before a document while it is scanned: the scanner reads objects.
const BEFORE: &[u8] = b"{\"\":";

/// Why an answer is no list of models. It says nothing of what stands there instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListError {
    /// It is no JSON.
    NoJson(ScanError),
    /// It is something else than a list.
    NoList,
}

/// Reads a list: `{"data": [...]}`, or the array alone. Returns the models, and how many entries
/// were left out: those without a usable id, with an id that stands there already, and those
/// behind [`MODELS_MAX`].
///
/// # Errors
/// The document is no list of models.
pub fn parse(body: &[u8]) -> Result<(Vec<Listed>, usize), ListError> {
    scan(body).map_err(ListError::NoJson)?;
    let mut entries = list(body).and_then(token::inside).ok_or(ListError::NoList)?;
    let (mut models, mut ids, mut left_out) = (Vec::new(), HashSet::new(), 0_usize);
    while let Some(entry) = token::next(&mut entries) {
        match listed(entry) {
            Some(listed) if models.len() < MODELS_MAX && ids.insert(listed.id.clone()) => {
                models.push(listed);
            }
            _ => left_out = left_out.saturating_add(1),
        }
    }
    Ok((models, left_out))
}

/// Whether a document is JSON, by the rules that hold for requests.
fn scan(body: &[u8]) -> Result<(), ScanError> {
    let mut scanner = JsonScanner::default();
    let whole = [BEFORE, body, b"}"].into_iter().try_for_each(|part| scanner.feed(part));
    whole.and_then(|()| scanner.finish()).map_err(|error| {
        let (before, length) = (BEFORE.len() as u64, body.len() as u64);
        ScanError { offset: error.offset.saturating_sub(before).min(length), ..error }
    })
}

/// The array, where the document is one or holds one as `data`.
fn list(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body;
    let document = token::next(&mut rest)?;
    // The scan takes `[], "": 1` for the inside of an object.
    if !rest.trim_ascii().is_empty() {
        return None;
    }
    let mut list = document;
    if document.first() == Some(&b'{') {
        let mut fields = token::inside(document)?;
        while token::next(&mut fields)? != br#""data""# {
            token::next(&mut fields)?;
        }
        list = token::next(&mut fields)?;
    }
    (list.first() == Some(&b'[')).then_some(list)
}

/// One entry; `None` when it has no usable id.
#[inline(never)]
fn listed(entry: &[u8]) -> Option<Listed> {
    if entry.first() != Some(&b'{') {
        return None;
    }
    let mut fields = token::inside(entry)?;
    let mut listed = Listed::default();
    let mut best = FIELDS.len();
    while let (Some(key), Some(value)) = (token::next(&mut fields), token::next(&mut fields)) {
        match FIELDS.iter().position(|field| *field == key) {
            Some(0) => listed.id = text(value)?,
            Some(1) => listed.display_name = text(value),
            Some(2) => listed.created_secs = token::number(value),
            Some(field) if field < best => {
                if let Some(tokens) = token::number(value) {
                    (best, listed.context_window) = (field, Some(tokens));
                }
            }
            _ => {}
        }
    }
    (!listed.id.is_empty()).then_some(listed)
}

/// A string that can be shown.
#[inline(never)]
fn text(value: &[u8]) -> Option<String> {
    let text: String = serde_json::from_slice(value).ok()?;
    ModelName::check(&text).is_ok().then_some(text)
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no list of models: ")?;
        match self {
            Self::NoJson(error) => error.fmt(f),
            Self::NoList => f.write_str("expected an array, or an object with an array 'data'"),
        }
    }
}

impl std::error::Error for ListError {}

#[cfg(test)]
mod tests;
