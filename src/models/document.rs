//! The list and its entries in the formats that clients read.

use serde::Serialize;

use super::{Catalog, Entry, date};

/// `GET /v1/models` of an OpenAI client.
#[derive(Serialize)]
struct OpenAiPage<'a> {
    object: &'static str,
    data: Vec<OpenAiModel<'a>>,
}

#[derive(Serialize)]
struct OpenAiModel<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_input_tokens: Option<u64>,
}

/// `GET /v1/models` of an Anthropic client: all models on one page.
#[derive(Serialize)]
struct AnthropicPage<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    r#type: &'static str,
    id: &'a str,
    display_name: &'a str,
    /// The epoch when the time is not known, as Anthropic's reference says.
    created_at: String,
}

/// An entry of `GET /api/models`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChatModel<'a> {
    id: &'a str,
    name: &'a str,
    provider: &'a str,
    context_window: Option<u64>,
}

impl Catalog<'_> {
    /// For `GET /v1/models` of an OpenAI client.
    pub fn openai(&self) -> impl Serialize {
        OpenAiPage { object: "list", data: self.entries().iter().map(OpenAiModel::of).collect() }
    }

    /// For `GET /v1/models` of an Anthropic client.
    pub fn anthropic(&self) -> impl Serialize {
        AnthropicPage {
            data: self.entries().iter().map(AnthropicModel::of).collect(),
            has_more: false,
            first_id: self.entries().first().map(|entry| entry.name.as_ref()),
            last_id: self.entries().last().map(|entry| entry.name.as_ref()),
        }
    }

    /// For `GET /api/models`, as chat front ends read the list.
    pub fn chat(&self) -> impl Serialize {
        self.entries().iter().map(ChatModel::of).collect::<Vec<_>>()
    }
}

impl Entry<'_> {
    /// For `GET /v1/models/{id}` of an OpenAI client.
    pub fn openai(&self) -> impl Serialize {
        OpenAiModel::of(self)
    }

    /// For `GET /v1/models/{id}` of an Anthropic client.
    pub fn anthropic(&self) -> impl Serialize {
        AnthropicModel::of(self)
    }
}

impl<'a> OpenAiModel<'a> {
    fn of(entry: &'a Entry<'_>) -> Self {
        Self {
            id: &entry.name,
            object: "model",
            created: entry.created_secs(),
            owned_by: entry.provider,
            max_input_tokens: entry.context_window(),
        }
    }
}

impl<'a> AnthropicModel<'a> {
    fn of(entry: &'a Entry<'_>) -> Self {
        Self {
            r#type: "model",
            id: &entry.name,
            display_name: entry.display_name(),
            created_at: date::format(entry.created_secs()),
        }
    }
}

impl<'a> ChatModel<'a> {
    fn of(entry: &'a Entry<'_>) -> Self {
        Self {
            id: &entry.name,
            name: entry.display_name(),
            provider: entry.provider,
            context_window: entry.context_window(),
        }
    }
}
