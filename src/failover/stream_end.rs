//! Which event is a stream's last, and the event that the gateway adds where the last is missing.

use super::events::Event;
use crate::reply::Code;
use crate::request::endpoint::Shape;

/// How the streams of an API end, errors aside.
///
/// | API | the last event |
/// |---|---|
/// | chat, completions | `[DONE]`, or a choice with a `finish_reason` |
/// | messages | `message_stop` |
/// | responses | `response.completed`, `response.incomplete` or `response.failed` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// `/v1/chat/completions`, `/v1/completions`, and Azure's.
    Chat,
    /// `/v1/messages`.
    Messages,
    /// `/v1/responses`.
    Responses,
}

impl StreamEnd {
    /// For the streams of a path, without base path and query; `None` where their end is not known.
    pub fn of(path: &str) -> Option<Self> {
        match path.trim_end_matches('/') {
            "/v1/messages" => Some(Self::Messages),
            "/v1/responses" => Some(Self::Responses),
            path if path.ends_with("/completions") => Some(Self::Chat),
            _ => None,
        }
    }

    /// Whether the event ends the stream; an error always does.
    pub fn is_end(self, event: &Event<'_>) -> bool {
        event.is_error()
            || match self {
                Self::Chat => event.is_done || !event.facts.finish.is_empty(),
                Self::Messages => event.is(b"message_stop"),
                Self::Responses => {
                    event.is(b"response.completed") || event.is(b"response.incomplete")
                }
            }
    }
}

/// The last event of a stream that broke off. The empty line before it ends an incomplete event.
pub fn error_event(shape: Shape) -> String {
    let code = Code::BadProviderResponse;
    let document = code.document(shape, "The provider's stream ended before its end.", None);
    match shape {
        Shape::Anthropic => format!("\n\nevent: error\ndata: {document}\n\n"),
        Shape::OpenAi | Shape::Gemini => format!("\n\ndata: {document}\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn paths_whose_streams_have_a_last_event() {
        for (path, expected) in [
            ("/v1/chat/completions", Some(StreamEnd::Chat)),
            ("/openai/deployments/m/chat/completions", Some(StreamEnd::Chat)),
            ("/v1/messages/", Some(StreamEnd::Messages)),
            ("/v1/responses", Some(StreamEnd::Responses)),
            ("/v1/audio/speech", None),
        ] {
            assert_eq!(StreamEnd::of(path), expected, "{path}");
        }
    }
}
