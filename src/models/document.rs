//! The catalog and its entries in the formats that clients read.
//!
//! The documents are written out and not derived: three sets of serializers take 4 KB of the module.

use std::fmt::Write;

use super::{Catalog, Entry, date};

/// A document that lists all models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// `GET /v1/models` of an OpenAI client.
    OpenAi,
    /// `GET /v1/models` of an Anthropic client: all models on one page.
    Anthropic,
    /// `GET /api/models`, as chat front ends read the list.
    Chat,
}

impl Catalog<'_> {
    /// The list, as JSON.
    pub fn document(&self, page: Page) -> String {
        let mut out = String::from(match page {
            Page::OpenAi => r#"{"object":"list","data":["#,
            Page::Anthropic => r#"{"data":["#,
            Page::Chat => "[",
        });
        for (index, entry) in self.entries().iter().enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            entry.write(page, &mut out);
        }
        out.push(']');
        if page == Page::Anthropic {
            let id = |entry: Option<&Entry<'_>>| {
                entry.map_or_else(|| "null".to_owned(), |entry| quoted(&entry.name))
            };
            let [first, last] = [self.entries().first(), self.entries().last()].map(id);
            add(&mut out, format_args!(r#","has_more":false,"first_id":{first},"last_id":{last}"#));
        }
        out.push_str(if page == Page::Chat { "" } else { "}" });
        out
    }
}

impl Entry<'_> {
    /// The model alone, as JSON.
    pub fn document(&self, page: Page) -> String {
        let mut out = String::new();
        self.write(page, &mut out);
        out
    }

    fn write(&self, page: Page, out: &mut String) {
        let (id, created) = (quoted(&self.name), self.created_secs());
        let window = self.context_window();
        match page {
            Page::OpenAi => {
                let owner = quoted(&self.provider.name);
                add(
                    out,
                    format_args!(
                        r#"{{"id":{id},"object":"model","created":{created},"owned_by":{owner}"#
                    ),
                );
                if let Some(tokens) = window {
                    add(out, format_args!(r#","max_input_tokens":{tokens}"#));
                }
                out.push('}');
            }
            Page::Anthropic => {
                // The epoch when the time is not known, as Anthropic's reference says.
                let (name, time) = (quoted(self.display_name()), date::format(created));
                add(
                    out,
                    format_args!(
                        r#"{{"type":"model","id":{id},"display_name":{name},"created_at":"{time}"}}"#
                    ),
                );
            }
            Page::Chat => {
                let (name, provider) = (quoted(self.display_name()), quoted(&self.provider.name));
                let window = window.map_or_else(|| "null".to_owned(), |tokens| tokens.to_string());
                add(
                    out,
                    format_args!(
                        r#"{{"id":{id},"name":{name},"provider":{provider},"contextWindow":{window}}}"#
                    ),
                );
            }
        }
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Writing to a text cannot fail.
fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    _ = out.write_fmt(text);
}
