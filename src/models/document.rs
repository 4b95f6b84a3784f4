//! The list and its entries in the shapes that clients read.
//!
//! One type for all of them: every type that is serialized costs the module code of its own.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Catalog, Entry, date};

/// A document for a client.
#[derive(Debug)]
pub struct Document<'a>(Value<'a>);

/// An object with at most so many fields.
#[derive(Debug)]
pub(super) struct Object<'a>(pub(super) [(&'static str, Value<'a>); 5]);

/// What an object has for a key.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// Nothing, not even the key.
    Absent,
    Null,
    False,
    Number(u64),
    Date(u64),
    Text(&'a str),
    /// Entries that are turned into objects one by one, while they are written.
    List(&'a [Entry<'a>], fn(&'a Entry<'a>) -> Object<'a>),
    /// One entry, likewise.
    One(&'a Entry<'a>, fn(&'a Entry<'a>) -> Object<'a>),
    /// A list with something around it.
    Page(&'a [Entry<'a>], fn(&'a [Entry<'a>]) -> Object<'a>),
}

impl<'a> Value<'a> {
    /// Left out when it is not known.
    pub(super) fn known(number: Option<u64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }

    fn name(entry: Option<&'a Entry<'a>>) -> Self {
        entry.map_or(Self::Null, |entry| Self::Text(&entry.name))
    }
}

impl Serialize for Object<'_> {
    #[inline(never)]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (key, value) in &self.0 {
            if !matches!(value, Value::Absent) {
                object.serialize_entry(key, value)?;
            }
        }
        object.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_unit(),
            Self::False => serializer.serialize_bool(false),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Date(secs) => {
                let date = date::format(*secs);
                serializer.serialize_str(std::str::from_utf8(&date).unwrap_or_default())
            }
            Self::List(entries, object) => serializer.collect_seq(entries.iter().map(object)),
            Self::One(entry, object) => object(entry).serialize(serializer),
            Self::Page(entries, object) => object(entries).serialize(serializer),
        }
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Catalog<'_> {
    /// For `GET /v1/models` of an OpenAI client.
    pub fn openai(&self) -> Document<'_> {
        Document(Value::Page(self.entries(), openai_page))
    }

    /// For `GET /v1/models` of an Anthropic client: all on one page.
    pub fn anthropic(&self) -> Document<'_> {
        Document(Value::Page(self.entries(), anthropic_page))
    }

    /// For `GET /api/models`, as chat front ends read it.
    pub fn chat(&self) -> Document<'_> {
        Document(Value::List(self.entries(), chat))
    }
}

impl Entry<'_> {
    /// For `GET /v1/models/{id}` of an OpenAI client.
    pub fn openai(&self) -> Document<'_> {
        Document(Value::One(self, openai))
    }

    /// For `GET /v1/models/{id}` of an Anthropic client.
    pub fn anthropic(&self) -> Document<'_> {
        Document(Value::One(self, anthropic))
    }
}

fn openai_page<'a>(entries: &'a [Entry<'a>]) -> Object<'a> {
    Object([
        ("object", Value::Text("list")),
        ("data", Value::List(entries, openai)),
        ("", Value::Absent),
        ("", Value::Absent),
        ("", Value::Absent),
    ])
}

fn anthropic_page<'a>(entries: &'a [Entry<'a>]) -> Object<'a> {
    Object([
        ("data", Value::List(entries, anthropic)),
        ("has_more", Value::False),
        ("first_id", Value::name(entries.first())),
        ("last_id", Value::name(entries.last())),
        ("", Value::Absent),
    ])
}

fn openai<'a>(entry: &'a Entry<'a>) -> Object<'a> {
    Object([
        ("id", Value::Text(&entry.name)),
        ("object", Value::Text("model")),
        ("created", Value::Number(entry.created_secs())),
        ("owned_by", Value::Text(entry.provider)),
        ("max_input_tokens", Value::known(entry.context_window())),
    ])
}

fn anthropic<'a>(entry: &'a Entry<'a>) -> Object<'a> {
    Object([
        ("type", Value::Text("model")),
        ("id", Value::Text(&entry.name)),
        ("display_name", Value::Text(entry.display_name())),
        // The epoch when it is not known: Anthropic's reference says so.
        ("created_at", Value::Date(entry.created_secs())),
        ("", Value::Absent),
    ])
}

fn chat<'a>(entry: &'a Entry<'a>) -> Object<'a> {
    Object([
        ("id", Value::Text(&entry.name)),
        ("name", Value::Text(entry.display_name())),
        ("provider", Value::Text(entry.provider)),
        ("contextWindow", entry.context_window().map_or(Value::Null, Value::Number)),
        ("", Value::Absent),
    ])
}
