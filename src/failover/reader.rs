//! Reads the body of a 200: what it begins with, and whether a stream has come to its end.
//!
//! | the body | it begins with an answer, or with an error |
//! |---|---|
//! | events | at the first event; comments and pings say nothing |
//! | JSON | when its first object is whole, or is longer than [`OBJECT_BYTES_MAX`] |
//! | anything else | at its first byte: it is an answer |

use super::document::Document;
use super::events::{Event, Events};
use super::fault::Fault;
use super::stream_end::StreamEnd;

/// A longer object is an answer, unless an error has come in it.
pub const OBJECT_BYTES_MAX: usize = 4 * 1024;

/// The most that is kept to know what an error is. A body that has said nothing within it is an answer.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What a body can be, by its content-type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Content {
    /// `text/event-stream`.
    Events,
    /// `application/json`, or lines of it.
    Json,
    /// Anything else, or compressed.
    #[default]
    Other,
}

/// What a body begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    Answer,
    Error(Fault),
}

/// A body of which some bytes have come.
#[derive(Debug)]
pub struct AnswerReader {
    body: Body,
    heard: Heard,
}

#[derive(Debug)]
enum Body {
    /// No byte that says which, besides white space: some servers send that to keep the connection open.
    Unknown(Content),
    Events(Box<Events>),
    Json(Box<Document>),
    Other,
}

impl Content {
    /// Whether the content-type is JSON, or lines of it.
    pub fn of(content_type: &[u8]) -> Self {
        let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
        match media_type.trim_ascii().to_ascii_lowercase().as_slice() {
            b"text/event-stream" => Self::Events,
            b"application/x-ndjson" | b"application/jsonl" => Self::Json,
            media_type if media_type.ends_with(b"json") => Self::Json,
            _ => Self::Other,
        }
    }
}

impl AnswerReader {
    /// `stream_end` is where the stream's last event is looked for.
    pub fn new(content: Content, stream_end: Option<StreamEnd>) -> Self {
        let heard = Heard { stream_end, ..Heard::default() };
        Self { body: Body::Unknown(content), heard }
    }

    /// What the body begins with; `None` until it has said so.
    pub fn opening(&self) -> Option<Opening> {
        self.heard.opening
    }

    /// Whether further bytes can say more.
    pub fn reads_on(&self) -> bool {
        self.heard.opening.is_none() || self.is_cut()
    }

    /// Whether a stream that ended now would lack its last event.
    pub fn is_cut(&self) -> bool {
        self.heard.stream_end.is_some() && !self.heard.has_ended
    }

    /// Whether the body is, or may be, a stream of events.
    pub fn is_of_events(&self) -> bool {
        matches!(self.body, Body::Unknown(Content::Events) | Body::Events(_))
    }

    /// Whether nothing but white space has come.
    pub fn is_empty(&self) -> bool {
        matches!(self.body, Body::Unknown(_))
    }

    /// The fault of an error, the first or the last event of the body.
    pub fn fault(&self) -> Option<Fault> {
        self.heard.fault
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        if !self.reads_on() {
            return;
        }
        let (Self { body, heard }, mut bytes) = (self, bytes);
        heard.keep(bytes);
        if let Body::Unknown(content) = body {
            bytes = bytes.trim_ascii_start();
            if let Some(first) = bytes.first() {
                *body = Body::of(*content, *first);
            }
        }
        match body {
            Body::Unknown(_) => {}
            Body::Events(events) => events.feed(bytes, |event| heard.hear(&event)),
            Body::Json(document) => {
                document.feed(bytes);
                heard.look(document);
            }
            Body::Other => heard.opening = Some(Opening::Answer),
        }
        heard.decide();
    }

    /// The body has ended.
    pub fn finish(&mut self) {
        let Self { body, heard } = self;
        match body {
            Body::Events(events) => events.finish(|event| heard.hear(&event)),
            Body::Json(document) if document.facts().has_error => heard.hear_document(document),
            Body::Unknown(_) | Body::Json(_) | Body::Other => {}
        }
        heard.decide();
    }
}

impl Body {
    fn of(content: Content, first: u8) -> Self {
        match (content, first) {
            (Content::Other, _) => Self::Other,
            // Some servers send errors as JSON, whatever the content-type.
            (_, b'{' | b'[') => Self::Json(Box::default()),
            (Content::Events, _) => Self::Events(Box::default()),
            (Content::Json, _) => Self::Other,
        }
    }
}

/// What the body has said.
#[derive(Debug, Default)]
struct Heard {
    stream_end: Option<StreamEnd>,
    opening: Option<Opening>,
    has_ended: bool,
    fault: Option<Fault>,
    /// The bytes before the opening was known, up to [`TEXT_BYTES_MAX`].
    text: Vec<u8>,
}

impl Heard {
    fn keep(&mut self, bytes: &[u8]) {
        if self.opening.is_none() {
            let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
            self.text.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    fn hear(&mut self, event: &Event<'_>) {
        let is_over = self.has_ended || (self.opening.is_some() && self.stream_end.is_none());
        if is_over || event.is_ping() {
            return;
        }
        if event.is_error() {
            self.fault = Some(Fault::of(event.facts, &self.text));
        }
        self.has_ended = self.stream_end.is_some_and(|end| end.is_end(event));
        let opening = self.fault.map_or(Opening::Answer, Opening::Error);
        self.opening = self.opening.or(Some(opening));
    }

    /// Looks at a document that may not be whole yet.
    fn look(&mut self, document: &Document) {
        let is_long = self.text.len() >= OBJECT_BYTES_MAX && !document.facts().has_error;
        if document.is_complete() {
            self.hear_document(document);
        } else if is_long {
            self.opening = self.opening.or(Some(Opening::Answer));
        } else if self.text.len() >= TEXT_BYTES_MAX {
            self.hear_document(document);
        }
    }

    fn hear_document(&mut self, document: &Document) {
        self.hear(&Event { name: b"", is_done: false, facts: document.facts() });
    }

    /// Bytes after which a body without an error in it is an answer.
    fn decide(&mut self) {
        if self.text.len() >= TEXT_BYTES_MAX {
            self.opening = self.opening.or(Some(Opening::Answer));
        }
        if self.opening.is_some() {
            self.text = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const ANSWER: Option<Opening> = Some(Opening::Answer);
    const FAILED: Option<Opening> = Some(Opening::Error(Fault::Provider));
    const LIMITED: Option<Opening> = Some(Opening::Error(Fault::Limit));
    const REFUSED: Option<Opening> = Some(Opening::Error(Fault::Client));

    fn read(content: Content, stream_end: Option<StreamEnd>, pieces: &[&[u8]]) -> AnswerReader {
        let mut reader = AnswerReader::new(content, stream_end);
        pieces.iter().for_each(|piece| reader.feed(piece));
        reader.finish();
        reader
    }

    #[test]
    fn what_a_body_begins_with_however_it_is_cut() {
        for (content, text, expected) in [
            (Content::Events, "data: {\"choices\":[]}\n\n", ANSWER),
            (Content::Events, "event: message_start\ndata: {}\n\n", ANSWER),
            (
                Content::Events,
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
                FAILED,
            ),
            (Content::Events, "data: {\"error\":{\"message\":\"x\"}}\n\n", FAILED),
            (Content::Events, "data: {\"error\":{\"code\":429}}\r\rdata: [DONE]\r\r", LIMITED),
            (
                Content::Events,
                "event: response.failed\ndata: {\"response\":{\"error\":{\"code\":\"server_error\"}}}\n\n",
                FAILED,
            ),
            (Content::Events, "data: {\"choices\":[{\"finish_reason\":\"error\"}]}\n\n", FAILED),
            (
                Content::Events,
                ": wait\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\ndata: {\"error\":\"x\"}\n\n",
                FAILED,
            ),
            (Content::Events, ": wait\n\n:\n\n", None),
            (Content::Events, "{\"error\":{\"type\":\"invalid_request_error\"}}", REFUSED),
            (Content::Json, "\n\n{\"error\":{\"type\":\"server_error\"}}", FAILED),
            (Content::Json, "[{\"error\":{\"code\":503}}]", FAILED),
            (Content::Json, "{\"error\":\"overloaded\"}\n{\"done\":true}", FAILED),
            (Content::Json, "{\"error\":{\"type\":\"server_error\"", FAILED),
            (Content::Json, "{\"id\":\"x\",\"error\":null}", ANSWER),
            (Content::Json, "{\"id\":\"x\"}\n{\"error\":\"x\"}", ANSWER),
            (Content::Json, "{\"id\":\"x", None),
            (Content::Json, " \n", None),
            (Content::Json, "text", ANSWER),
            (Content::Other, "{\"error\":{\"code\":503}}", ANSWER),
        ] {
            for cut in 0..=text.len() {
                let (start, end) = text.as_bytes().split_at(cut);
                let opening = read(content, None, &[start, end]).opening();
                assert_eq!(opening, expected, "{text:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn whether_a_stream_has_its_last_event_however_it_is_cut() {
        use StreamEnd::{Chat, Messages, Responses};
        for (end, text, is_cut) in [
            (Chat, "data: {}\n\ndata: [DONE]\n\n", false),
            (Chat, "data: {}\n\ndata:  [DONE]\n\n", false),
            (Chat, "data:[DONE]", false),
            (Chat, "data: {\"choices\":[{\"finish_reason\" : \"stop\"}]}\r\r", false),
            (Chat, "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}", false),
            (Chat, "data: {\"choices\":[{\"finish_reason\":\"stop\"", true),
            (Chat, "data: {\"choices\":[{\"finish_reason\":\"\"}]}\n\n", true),
            (Chat, "data: {\"choices\":[{\"finish_reason\":null}]}\n\n", true),
            (Chat, "data: {\"content\":\"data: [DONE]\"}\n\n", true),
            (Chat, "data: {\"content\":\"\\\"finish_reason\\\":\\\"x\"}\n\n", true),
            (Chat, "data: {\"choices\":[{\"delta\":{\"finish_reason\":\"stop\"}}]}\n\n", true),
            (Chat, "data: {}\n\ndata: {\"error\":{\"code\":1}}\n\n", false),
            (Chat, ": data: [DONE]\n\n", true),
            (Chat, "{\"choices\":[{\"finish_reason\":\"stop\"}]}", false),
            (Messages, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", false),
            (Messages, "data: {\"type\": \"message_stop\"}\n\n", false),
            (Messages, "event: message_delta\ndata: {\"text\":\"message_stop\"}\n\n", true),
            (Messages, "event: error\ndata: {}\n\n", false),
            (Messages, "data: [DONE]\n\n", true),
            (Responses, "data: {\"type\": \"response.incomplete\"}\n\n", false),
            (Responses, "event: response.failed\ndata: {}\n\n", false),
            (Responses, "event: response.output_text.delta\ndata: {}\n\n", true),
        ] {
            for cut in 0..=text.len() {
                let (start, rest) = text.as_bytes().split_at(cut);
                let reader = read(Content::Events, Some(end), &[start, rest]);
                assert_eq!(reader.is_cut(), is_cut, "{text:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn an_error_at_the_end_of_a_stream_has_a_fault() {
        let text = b"data: {}\n\ndata: {\"error\":{\"type\":\"overloaded_error\"}}\n\n";
        let reader = read(Content::Events, Some(StreamEnd::Chat), &[text]);
        assert_eq!((reader.opening(), reader.fault()), (ANSWER, Some(Fault::Provider)));
        assert!(!reader.reads_on());
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let feed = |content, start: &[u8], fill: &[u8]| {
            let mut reader = AnswerReader::new(content, None);
            reader.feed(start);
            let mut fed = start.len();
            while reader.opening().is_none() {
                reader.feed(fill);
                fed += fill.len();
                assert!(reader.heard.text.len() <= TEXT_BYTES_MAX);
            }
            (reader.opening(), fed)
        };
        assert_eq!(feed(Content::Json, b"{\"id\":\"", &[b'x'; 64]).0, ANSWER);
        assert!(feed(Content::Json, b"{\"id\":\"", &[b'x'; 64]).1 <= OBJECT_BYTES_MAX + 64);
        assert_eq!(
            feed(Content::Json, b"{\"error\":{\"code\":500,\"m\":\"", &[b'x'; 64]).0,
            FAILED
        );
        assert_eq!(feed(Content::Events, b"data: \"", &[b'x'; 64]).0, ANSWER);
        assert_eq!(feed(Content::Events, b":", b": a comment\n\n").0, ANSWER);
    }

    #[test]
    fn a_content_type_says_what_a_body_can_be() {
        for (content_type, expected) in [
            ("text/event-stream", Content::Events),
            ("Text/Event-Stream; charset=utf-8", Content::Events),
            ("application/json", Content::Json),
            ("application/problem+json ; charset=utf-8", Content::Json),
            ("application/x-ndjson", Content::Json),
            ("audio/mpeg", Content::Other),
            ("", Content::Other),
        ] {
            assert_eq!(Content::of(content_type.as_bytes()), expected, "{content_type}");
        }
    }
}
