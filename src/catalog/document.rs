//! The list and its entries in the shapes that clients read.

use serde::{Serialize, Serializer};

use super::{Catalog, Entry, date};

/// OpenAI's `GET /v1/models`.
#[derive(Debug, Serialize)]
pub struct OpenAiList<'a> {
    object: &'static str,
    data: Each<'a, OpenAiModel<'a>>,
}

/// OpenAI's `GET /v1/models/{id}`.
#[derive(Debug, Serialize)]
pub struct OpenAiModel<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_input_tokens: Option<u64>,
}

/// Anthropic's `GET /v1/models`, all on one page.
#[derive(Debug, Serialize)]
pub struct AnthropicList<'a> {
    data: Each<'a, AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

/// Anthropic's `GET /v1/models/{id}`.
#[derive(Debug, Serialize)]
pub struct AnthropicModel<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    /// The epoch when it is not known: Anthropic's reference says so.
    created_at: String,
}

/// `GET /api/models`, as chat front ends read it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct ChatList<'a>(Each<'a, ChatModel<'a>>);

#[derive(Debug, Serialize)]
struct ChatModel<'a> {
    id: &'a str,
    name: &'a str,
    provider: &'a str,
    #[serde(rename = "contextWindow")]
    context_window: Option<u64>,
}

/// Entries that are turned into `T` one by one, while they are written.
#[derive(Debug)]
struct Each<'a, T>(&'a [Entry<'a>], fn(&'a Entry<'a>) -> T);

impl<T: Serialize> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

impl Catalog<'_> {
    /// For `GET /v1/models` of an OpenAI client.
    pub fn openai(&self) -> OpenAiList<'_> {
        OpenAiList { object: "list", data: Each(self.entries(), Entry::openai) }
    }

    /// For `GET /v1/models` of an Anthropic client.
    pub fn anthropic(&self) -> AnthropicList<'_> {
        let entries = self.entries();
        AnthropicList {
            data: Each(entries, Entry::anthropic),
            has_more: false,
            first_id: entries.first().map(|entry| &*entry.name),
            last_id: entries.last().map(|entry| &*entry.name),
        }
    }

    /// For `GET /api/models`.
    pub fn chat(&self) -> ChatList<'_> {
        ChatList(Each(self.entries(), Entry::chat))
    }
}

impl Entry<'_> {
    /// For `GET /v1/models/{id}` of an OpenAI client.
    pub fn openai(&self) -> OpenAiModel<'_> {
        OpenAiModel {
            id: &self.name,
            object: "model",
            created: self.created_secs(),
            owned_by: self.provider,
            max_input_tokens: self.context_window(),
        }
    }

    /// For `GET /v1/models/{id}` of an Anthropic client.
    pub fn anthropic(&self) -> AnthropicModel<'_> {
        AnthropicModel {
            kind: "model",
            id: &self.name,
            display_name: self.display_name(),
            created_at: date::format(self.created_secs()),
        }
    }

    fn chat(&self) -> ChatModel<'_> {
        ChatModel {
            id: &self.name,
            name: self.display_name(),
            provider: self.provider,
            context_window: self.context_window(),
        }
    }
}
