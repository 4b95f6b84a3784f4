//! What a provider's response says: an answer, or a reason to ask again, or somebody else.
//!
//! | `response.code_details` | status | kind |
//! |---|---|---|
//! | `via_upstream` | 2xx | good |
//! | | 400, 413 | may be that the context is too long: its body says |
//! | | 429 | failed: `429` |
//! | | 5xx | failed: `5xx` |
//! | | any other | the client's |
//! | a timeout of Envoy's | | failed: `timeout` |
//! | refused, reset, or no address | | failed: `connection` |
//! | any other: our own | | the client's |

use crate::config::RetryOn;
use crate::endpoint::Shape;
use crate::reply::Code;

/// The head of a response.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u32,
    /// Envoy's `response.code_details`.
    pub details: &'a [u8],
    /// `retry-after`, in seconds.
    pub retry_after_secs: Option<u64>,
    /// `content-type: text/event-stream`, of no length that was said before.
    pub is_open_stream: bool,
    /// The body is compressed: nothing is read in it.
    pub is_encoded: bool,
    /// There is no body.
    pub end: bool,
}

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An answer.
    Good,
    /// An error that may be about the length of the context.
    MayBeTooLong,
    /// No answer, for this reason.
    Failed(RetryOn),
    /// For the client, as it is.
    Other,
}

/// Reads a head by the table above.
pub fn classify(answer: &Answer<'_>) -> Kind {
    if answer.details == b"via_upstream" {
        return match answer.status {
            200..300 => Kind::Good,
            400 | 413 if !answer.is_encoded => Kind::MayBeTooLong,
            429 => Kind::Failed(RetryOn::RateLimited),
            500.. => Kind::Failed(RetryOn::ServerError),
            _ => Kind::Other,
        };
    }
    let begins = |prefix: &[u8]| answer.details.starts_with(prefix);
    match answer.details {
        b"response_timeout" | b"stream_idle_timeout" | b"max_duration_timeout" => {
            Kind::Failed(RetryOn::Timeout)
        }
        b"no_healthy_upstream" | b"cluster_not_found" => Kind::Failed(RetryOn::Connection),
        _ if begins(b"upstream_per_try_") => Kind::Failed(RetryOn::Timeout),
        _ if begins(b"upstream_reset_before_response_started") => Kind::Failed(RetryOn::Connection),
        _ => Kind::Other,
    }
}

/// The time of a `retry-after` or a `retry-after-ms`; a date is none.
pub fn retry_after_secs(seconds: &[u8], milliseconds: &[u8]) -> Option<u64> {
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<u64>().ok();
    number(seconds).or_else(|| number(milliseconds).map(|ms| ms.div_ceil(1000)))
}

/// How providers say that a request is too long: OpenAI's code, LiteLLM's exception, Anthropic's
/// message, vLLM's and OpenAI's, Gemini's.
const TOO_LONG: [&[u8]; 5] = [
    b"context_length_exceeded",
    b"ContextWindowExceeded",
    b"prompt is too long",
    b"maximum context length",
    b"exceeds the maximum number of tokens",
];

/// How they say that its content is refused: nobody else is to be asked then.
const REFUSED: [&[u8]; 3] =
    [b"content_policy_violation", b"content_filter", b"ContentPolicyViolation"];

/// Whether an error's body says that the context is too long.
pub fn is_context_length(body: &[u8]) -> bool {
    let says = |words: &&[u8]| contains(body, words);
    TOO_LONG.iter().any(says) && !REFUSED.iter().any(says)
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// How streams end, or tell of an error. A line break, or a quote without a backslash before it, is
/// never a part of what a model has written.
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

/// The longest of them, less one.
const TAIL_BYTES: usize = 28;

/// Looks out for the end of a stream.
#[derive(Debug)]
pub struct Watch {
    ends: &'static [&'static [u8]],
    /// What the next piece may complete.
    tail: Vec<u8>,
    has_ended: bool,
}

impl Watch {
    /// For the streams of a path, without base path and query; `None` where their end is not known.
    pub fn of(path: &str) -> Option<Self> {
        let ends = match path.trim_end_matches('/') {
            "/v1/messages" => MESSAGES_ENDS,
            "/v1/responses" => RESPONSES_ENDS,
            path if path.ends_with("/completions") => CHAT_ENDS,
            _ => return None,
        };
        // The first line has none before it.
        Some(Self { ends, tail: vec![b'\n'], has_ended: false })
    }

    /// Reads a piece.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.has_ended {
            return;
        }
        self.tail.extend(bytes);
        self.has_ended = self.ends.iter().any(|end| contains(&self.tail, end));
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
    }

    /// Whether the stream has come to its end.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }
}

/// The last event of a stream that broke off: what was left of an event is ended first.
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
    fn classifies_by_the_table() {
        let kind = |status, details: &'static str| {
            classify(&Answer { status, details: details.as_bytes(), ..Answer::default() })
        };
        for (status, expected) in [
            (200, Kind::Good),
            (204, Kind::Good),
            (302, Kind::Other),
            (400, Kind::MayBeTooLong),
            (401, Kind::Other),
            (404, Kind::Other),
            (413, Kind::MayBeTooLong),
            (429, Kind::Failed(RetryOn::RateLimited)),
            (500, Kind::Failed(RetryOn::ServerError)),
            (529, Kind::Failed(RetryOn::ServerError)),
        ] {
            assert_eq!(kind(status, "via_upstream"), expected, "{status}");
        }
        for (details, expected) in [
            ("upstream_per_try_timeout", Kind::Failed(RetryOn::Timeout)),
            ("stream_idle_timeout", Kind::Failed(RetryOn::Timeout)),
            ("no_healthy_upstream", Kind::Failed(RetryOn::Connection)),
            (
                "upstream_reset_before_response_started{connection_termination}",
                Kind::Failed(RetryOn::Connection),
            ),
            ("request_payload_too_large", Kind::Other),
            ("gaud_provider_unavailable", Kind::Other),
        ] {
            assert_eq!(kind(503, details), expected, "{details}");
        }
        let encoded =
            Answer { status: 400, details: b"via_upstream", is_encoded: true, ..Answer::default() };
        assert_eq!(classify(&encoded), Kind::Other);
    }

    #[test]
    fn reads_how_long_to_wait() {
        for (seconds, milliseconds, expected) in [
            ("3", "", Some(3)),
            ("", "1200", Some(2)),
            ("3", "9000", Some(3)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", "", None),
            ("-1", "", None),
            ("", "", None),
        ] {
            let seen = retry_after_secs(seconds.as_bytes(), milliseconds.as_bytes());
            assert_eq!(seen, expected, "{seconds} {milliseconds}");
        }
    }

    #[test]
    fn knows_errors_about_the_context() {
        for (body, expected) in [
            (r#"{"error":{"code":"context_length_exceeded"}}"#, true),
            (r#"{"error":{"message":"prompt is too long: 9 tokens > 8"}}"#, true),
            (r#"{"error":{"code":"content_filter"}}"#, false),
            (r#"{"error":{"code":"content_filter","message":"maximum context length"}}"#, false),
            (r#"{"error":{"code":"invalid_model"}}"#, false),
            ("", false),
        ] {
            assert_eq!(is_context_length(body.as_bytes()), expected, "{body}");
        }
    }

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
                let mut watch = Watch::of(path).unwrap();
                let (start, rest) = text.as_bytes().split_at(cut);
                watch.feed(start);
                watch.feed(rest);
                assert_eq!(watch.has_ended(), expected, "{text} cut at {cut}");
            }
        }
        assert!(Watch::of("/v1/audio/speech").is_none());
        let ends = [CHAT_ENDS, MESSAGES_ENDS, RESPONSES_ENDS].concat();
        assert_eq!(ends.iter().map(|end| end.len()).max(), Some(TAIL_BYTES + 1));
    }
}
