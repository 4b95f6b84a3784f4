//! A provider's answer to `GET /v1/models`, in the formats of OpenAI, Anthropic and the servers that follow them.

use std::fmt;
use std::num::NonZeroU64;

use hashbrown::HashSet;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::request::model::ModelName;

/// The most models of one provider.
pub const MODELS_MAX: usize = 10_000;

/// A model as its provider lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The provider's name for the model: a valid [`ModelName`].
    pub id: String,
    /// The model's creation time, in seconds since 1970.
    #[serde(rename = "created", skip_serializing_if = "Option::is_none")]
    pub created_secs: Option<u64>,
    /// The most tokens that the model reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// The model's name for people. The bounds of a [`ModelName`] apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// Why an answer is not a list of models. The reason never quotes the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListError {
    /// The answer is not JSON: the parser's words, with line and column.
    NoJson(String),
    /// The answer is JSON, and not a list.
    NoList,
}

/// A list in an object: OpenAI, Anthropic. Every entry is read separately, so that a bad entry costs no other entry.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, deserialize_with = "or_null")]
    data: Vec<&'a RawValue>,
}

/// Servers in Go write an empty list as `null`.
fn or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<&'de RawValue>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The fields of an entry that count. A field of another type than expected counts as absent.
#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    created: Option<NonZeroU64>,
    /// `LiteLLM`'s name for the context window.
    #[serde(default, deserialize_with = "lenient")]
    max_input_tokens: Option<NonZeroU64>,
    /// Groq's name.
    #[serde(default, deserialize_with = "lenient")]
    context_window: Option<NonZeroU64>,
    /// `OpenRouter`'s name.
    #[serde(default, deserialize_with = "lenient")]
    context_length: Option<NonZeroU64>,
    /// vLLM's name.
    #[serde(default, deserialize_with = "lenient")]
    max_model_len: Option<NonZeroU64>,
    /// Mistral's name.
    #[serde(default, deserialize_with = "lenient")]
    max_context_length: Option<NonZeroU64>,
}

fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let value = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(value.get()).ok())
}

/// Reads a list: `{"data": [...]}`, or a bare array. Returns the models and the number of entries that were left out:
/// entries without a usable id, entries with the id of an earlier entry, and entries after the first [`MODELS_MAX`].
///
/// # Errors
/// The document is not a list of models.
pub fn parse(body: &[u8]) -> Result<(Vec<Listed>, usize), ListError> {
    let (mut models, mut ids, mut left_out) = (Vec::new(), HashSet::new(), 0_usize);
    for entry in entries(body)? {
        match Listed::read(entry) {
            Some(listed) if models.len() < MODELS_MAX && ids.insert(listed.id.clone()) => {
                models.push(listed);
            }
            _ => left_out = left_out.saturating_add(1),
        }
    }
    Ok((models, left_out))
}

fn entries(body: &[u8]) -> Result<Vec<&RawValue>, ListError> {
    let list = if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(body)
    } else {
        serde_json::from_slice::<Page<'_>>(body).map(|page| page.data)
    };
    list.map_err(|error| {
        if error.is_data() { ListError::NoList } else { ListError::NoJson(error.to_string()) }
    })
}

impl Listed {
    /// `None` without a usable id.
    fn read(entry: &RawValue) -> Option<Self> {
        // serde would read an array as the fields in their order.
        let object = entry.get().starts_with('{').then_some(entry)?;
        let entry: Entry = serde_json::from_str(object.get()).ok()?;
        let context_window = entry
            .max_input_tokens
            .or(entry.context_window)
            .or(entry.context_length)
            .or(entry.max_model_len)
            .or(entry.max_context_length);
        Some(Self {
            id: entry.id.and_then(presentable)?,
            created_secs: entry.created.map(NonZeroU64::get),
            context_window: context_window.map(NonZeroU64::get),
            display_name: entry.display_name.and_then(presentable),
        })
    }
}

fn presentable(text: String) -> Option<String> {
    ModelName::check(&text).is_ok().then_some(text)
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no list of models: ")?;
        match self {
            Self::NoJson(problem) => f.write_str(problem),
            Self::NoList => f.write_str("expected an array, or an object with an array 'data'"),
        }
    }
}

impl std::error::Error for ListError {}

#[cfg(test)]
mod tests;
