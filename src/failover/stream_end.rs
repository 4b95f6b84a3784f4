//! Whether a stream of events came to its end.

use memchr::memmem;

use crate::reply::Code;
use crate::request::endpoint::Shape;

/// How streams end, or tell of an error. Each text has a line break, or a quote without a backslash before it: a model's
/// words inside a JSON string cannot have either.
const CHAT_ENDS: &[&[u8]] = &[
    b"\ndata: [DONE]",
    b"\ndata:[DONE]",
    b"\"finish_reason\":\"",
    b"\"finish_reason\": \"",
    b"\"error\":{",
    b"\"error\": {",
];
const MESSAGES_ENDS: &[&[u8]] = &[
    b"\nevent: message_stop",
    b"\"type\":\"message_stop\"",
    b"\"type\": \"message_stop\"",
    b"\nevent: error",
    b"\"error\":{",
    b"\"error\": {",
];
const RESPONSES_ENDS: &[&[u8]] = &[
    b"\"type\":\"response.completed\"",
    b"\"type\": \"response.completed\"",
    b"\"type\":\"response.incomplete\"",
    b"\"type\": \"response.incomplete\"",
    b"\"type\":\"response.failed\"",
    b"\"type\": \"response.failed\"",
    b"\"type\":\"error\"",
    b"\"type\": \"error\"",
    b"\"error\":{",
    b"\"error\": {",
];

/// The length of the longest end, less one.
const TAIL_BYTES: usize = 28;

/// Looks for the last event of a stream.
#[derive(Debug)]
pub struct StreamEnd {
    ends: &'static [&'static [u8]],
    /// The bytes that the next piece may complete to an end.
    tail: Vec<u8>,
    has_ended: bool,
}

impl StreamEnd {
    /// For the streams of a path, without base path and query; `None` where their end is not known.
    pub fn of(path: &str) -> Option<Self> {
        let ends = match path.trim_end_matches('/') {
            "/v1/messages" => MESSAGES_ENDS,
            "/v1/responses" => RESPONSES_ENDS,
            path if path.ends_with("/completions") => CHAT_ENDS,
            _ => return None,
        };
        // The first line has no line break before it.
        Some(Self { ends, tail: vec![b'\n'], has_ended: false })
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        if self.has_ended {
            return;
        }
        self.tail.extend(bytes);
        self.has_ended = self.ends.iter().any(|end| memmem::find(&self.tail, end).is_some());
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
    }

    /// Whether the stream has come to its end.
    pub fn has_ended(&self) -> bool {
        self.has_ended
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
    fn sees_the_end_of_a_stream_wherever_it_is_cut() {
        for (path, text, expected) in [
            ("/v1/chat/completions", "data: {}\n\ndata: [DONE]\n\n", true),
            ("/v1/chat/completions", r#"data: {"choices":[{"finish_reason":"stop"}]}"#, true),
            ("/v1/chat/completions", r#"data: {"choices":[{"finish_reason":null}]}"#, false),
            ("/v1/chat/completions", r#"data: {"content":"data: [DONE]"}"#, false),
            ("/v1/chat/completions", r#"data: {"content":"\"finish_reason\":\"x"}"#, false),
            ("/v1/chat/completions", r#"data: {"content":"\"error\":{}"}"#, false),
            ("/v1/chat/completions", r#"data: {"error":{"code":1}}"#, true),
            ("/openai/deployments/m/chat/completions", "data: [DONE]", true),
            ("/v1/messages", "event: message_stop\ndata: {}", true),
            ("/v1/messages", "data: [DONE]", false),
            ("/v1/responses", r#"data: {"type": "response.incomplete"}"#, true),
            ("/v1/responses", "event: response.output_text.delta\n", false),
        ] {
            for cut in 0..=text.len() {
                let mut stream_end = StreamEnd::of(path).unwrap();
                let (start, rest) = text.as_bytes().split_at(cut);
                stream_end.feed(start);
                stream_end.feed(rest);
                assert_eq!(stream_end.has_ended(), expected, "{text} cut at {cut}");
            }
        }
        assert!(StreamEnd::of("/v1/audio/speech").is_none());
        let ends = [CHAT_ENDS, MESSAGES_ENDS, RESPONSES_ENDS].concat();
        assert_eq!(ends.iter().map(|end| end.len()).max(), Some(TAIL_BYTES + 1));
    }
}
