//! What a provider answers to `GET /v1/models`: as OpenAI, Anthropic and their likes write it.

use std::fmt;

use hashbrown::HashSet;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{Listed, date};
use crate::model::ModelName;

/// The most models of one provider.
pub const MODELS_MAX: usize = 10_000;

/// Where the context window stands: `LiteLLM`, Groq, `OpenRouter`, vLLM, Mistral. The first wins.
const CONTEXT_WINDOW: [&str; 5] =
    ["max_input_tokens", "context_window", "context_length", "max_model_len", "max_context_length"];

/// Why an answer is no list of models. It says nothing of what stands there instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListError {
    problem: &'static str,
    line: usize,
    column: usize,
}

/// Reads a list: `{"data": [...]}`, or the array alone. Returns the models, and how many entries
/// were left out: those without a usable id, with an id that stands there already, and those
/// behind [`MODELS_MAX`].
///
/// # Errors
/// The document is no list of models.
pub fn parse(body: &[u8]) -> Result<(Vec<Listed>, usize), ListError> {
    let mut list = List::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = match body.trim_ascii_start().first() {
        Some(b'[') => json.deserialize_seq(&mut list),
        _ => json.deserialize_map(&mut list),
    };
    match read.and_then(|()| json.end()) {
        Ok(()) => Ok((list.models, list.left_out)),
        Err(error) => Err(ListError::new(&error)),
    }
}

#[derive(Default)]
struct List {
    models: Vec<Listed>,
    ids: HashSet<String>,
    left_out: usize,
}

impl List {
    fn take(&mut self, entry: &RawValue) {
        let full = self.models.len() >= MODELS_MAX;
        match listed(entry).filter(|listed| !full && self.ids.insert(listed.id.clone())) {
            Some(listed) => self.models.push(listed),
            None => self.left_out = self.left_out.saturating_add(1),
        }
    }
}

impl<'de> Visitor<'de> for &mut List {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut entries: S) -> Result<(), S::Error> {
        while let Some(entry) = entries.next_element()? {
            self.take(entry);
        }
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut document: M) -> Result<(), M::Error> {
        let mut found = false;
        while let Some(key) = document.next_key::<String>()? {
            match key == "data" {
                true => document.next_value_seed(&mut *self)?,
                false => _ = document.next_value::<IgnoredAny>()?,
            }
            found |= key == "data";
        }
        if found { Ok(()) } else { Err(M::Error::custom("no data")) }
    }
}

impl<'de> DeserializeSeed<'de> for &mut List {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, array: D) -> Result<(), D::Error> {
        array.deserialize_seq(self)
    }
}

/// One entry; `None` when it has no usable id.
fn listed(entry: &RawValue) -> Option<Listed> {
    let mut json = serde_json::Deserializer::from_slice(entry.get().as_bytes());
    let listed = json.deserialize_map(Fields).ok()?;
    (!listed.id.is_empty()).then_some(listed)
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut fields: M) -> Result<Listed, M::Error> {
        let mut listed = Listed::default();
        let mut rank = CONTEXT_WINDOW.len();
        while let Some(key) = fields.next_key::<String>()? {
            let value: &RawValue = fields.next_value()?;
            match key.as_str() {
                "id" => listed.id = text(value).unwrap_or_default(),
                "display_name" => listed.display_name = text(value),
                "created" => listed.created_secs = number(value),
                "created_at" => listed.created_secs = text(value).as_deref().and_then(date::parse),
                key => {
                    let own = CONTEXT_WINDOW.iter().position(|name| *name == key);
                    if let (Some(own), Some(tokens)) =
                        (own.filter(|own| *own < rank), number(value))
                    {
                        rank = own;
                        listed.context_window = Some(tokens);
                    }
                }
            }
        }
        Ok(listed)
    }
}

/// A string that can be shown.
fn text(value: &RawValue) -> Option<String> {
    let text: String = serde_json::from_slice(value.get().as_bytes()).ok()?;
    ModelName::check(&text).is_ok().then_some(text)
}

/// A positive integer.
fn number(value: &RawValue) -> Option<u64> {
    value.get().parse().ok().filter(|number| *number > 0)
}

impl ListError {
    fn new(error: &serde_json::Error) -> Self {
        let problem = match error.classify() {
            Category::Data => "expected an array, or an object with an array 'data',",
            Category::Eof => "expected more",
            Category::Syntax | Category::Io => "expected JSON",
        };
        Self { problem, line: error.line(), column: error.column() }
    }
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, line, column } = self;
        write!(f, "no list of models: {problem} at line {line}, column {column}")
    }
}

impl std::error::Error for ListError {}

#[cfg(test)]
mod tests;
