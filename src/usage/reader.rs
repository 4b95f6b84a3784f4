//! Reads an answer for its usage, and says when the answer has said all.
//!
//! | answer | has said all |
//! |---|---|
//! | JSON | when the document ends |
//! | events | at `[DONE]`, `message_stop`, `response.completed`, `.incomplete` or `.failed` |
//! | Amazon's frames | at `message_stop`, else at the last byte |
//! | anything else | at its last byte |

use super::amounts::Usage;
use super::facts::Facts;
use super::operation::Operation;
use super::raw::Raw;
use super::record::{Basis, Tier};
use crate::body::Encoding;
use crate::document::{Document, Event, Events, Frames, Word};

/// Where an answer tells no usage, this many bytes of text count as a token.
pub const BYTES_PER_TOKEN: u64 = 4;

/// The most that is kept of a compressed answer, and the most of its plain text.
const COMPRESSED_BYTES_MAX: usize = 1024 * 1024;
const PLAIN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An answer of which some bytes have come.
#[derive(Debug)]
pub struct AnswerUsage {
    body: Body,
    said: Said,
    /// Bytes that are not read as text.
    other_bytes: u64,
}

#[derive(Debug)]
enum Body {
    /// No byte has come but white space.
    Unknown {
        is_events: bool,
    },
    Events(Box<Events<Facts>>),
    Frames(Box<Frames<Facts>>),
    Json(Box<Document<Facts>>),
    /// Kept until it is whole; `None` once it is too long.
    Compressed {
        encoding: Encoding,
        is_events: bool,
        bytes: Option<Vec<u8>>,
    },
    Other,
}

/// What all events have said together.
#[derive(Debug, Default)]
struct Said {
    raw: Raw,
    has_usage: bool,
    has_ended: bool,
    has_error: bool,
    tier: Option<Tier>,
    text_bytes: u64,
    data: u64,
    finish: Word,
}

/// What an answer has used, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub basis: Basis,
    pub usage: Usage,
    pub tier: Tier,
    /// Why the answer ends, as the provider says it.
    pub finish: Word,
}

impl Outcome {
    /// Of an attempt that gave nothing that is paid for.
    pub const FAILED: Self =
        Self { basis: Basis::Failed, usage: Usage::NONE, tier: Tier::Standard, finish: Word::NONE };
}

impl AnswerUsage {
    /// By the headers `content-type` and `content-encoding`.
    pub fn new(content_type: &[u8], encoding: &[u8]) -> Self {
        let is_events = is_stream(content_type);
        let is_plain =
            encoding.trim_ascii().is_empty() || encoding.eq_ignore_ascii_case(b"identity");
        let body = match Encoding::parse(encoding) {
            _ if is_plain && is_type(content_type, FRAMES) => Body::Frames(Box::default()),
            _ if is_plain => Body::Unknown { is_events },
            Some(encoding) => Body::Compressed { encoding, is_events, bytes: Some(Vec::new()) },
            None => Body::Other,
        };
        Self { body, said: Said::default(), other_bytes: 0 }
    }

    /// Whether the answer is a stream of events that is not compressed.
    pub fn is_plain_events(&self) -> bool {
        matches!(self.body, Body::Unknown { is_events: true } | Body::Events(_))
    }

    /// Whether the answer has said all.
    pub fn has_ended(&self) -> bool {
        self.said.has_ended
    }

    pub fn feed(&mut self, mut bytes: &[u8]) {
        if let Body::Unknown { is_events } = self.body {
            bytes = bytes.trim_ascii_start();
            if let Some(first) = bytes.first() {
                self.body = Body::of(is_events, *first);
            }
        }
        let said = &mut self.said;
        match &mut self.body {
            Body::Unknown { .. } => {}
            Body::Events(events) => events.feed(bytes, |event| said.hear(&event)),
            Body::Frames(frames) => frames.feed(bytes, |facts| {
                said.hear(&Event { name: b"", is_done: false, facts });
            }),
            Body::Json(document) => {
                document.feed(bytes);
                said.has_ended = document.is_complete();
            }
            Body::Compressed { bytes: kept, .. } => {
                let total = kept.as_ref().map_or(0, Vec::len).saturating_add(bytes.len());
                match kept {
                    Some(kept) if total <= COMPRESSED_BYTES_MAX => kept.extend_from_slice(bytes),
                    _ => *kept = None,
                }
                self.other_bytes = self.other_bytes.saturating_add(bytes.len() as u64);
            }
            Body::Other => {
                self.other_bytes = self.other_bytes.saturating_add(bytes.len() as u64);
            }
        }
    }

    /// What the answer has used. `is_whole` says that its last byte has come; else it was cut off.
    pub fn outcome(&mut self, operation: Operation, request_bytes: u64, is_whole: bool) -> Outcome {
        if is_whole {
            self.finish();
        }
        if let Body::Json(document) = &self.body {
            self.said.take(document.facts());
        }
        let basis = self.basis(is_whole);
        let usage = match basis {
            Basis::Failed => Usage::NONE,
            Basis::Counted => self.counted(operation),
            _ => self.estimated(operation, request_bytes),
        };
        let Said { tier, finish, .. } = self.said;
        Outcome { basis, usage, tier: tier.unwrap_or_default(), finish }
    }

    fn basis(&self, is_whole: bool) -> Basis {
        let Said { raw, has_usage, has_ended, has_error, text_bytes, .. } = &self.said;
        match is_whole || *has_ended {
            true if *has_usage => Basis::Counted,
            true if !raw.is_empty() => Basis::Partial,
            _ if *has_error && *text_bytes == 0 && raw.is_empty() => Basis::Failed,
            true => Basis::Estimated,
            false => Basis::Partial,
        }
    }

    fn counted(&self, operation: Operation) -> Usage {
        let images = if operation == Operation::Images { self.said.data } else { 0 };
        Usage { images, ..self.said.raw.usage() }
    }

    /// What is known, and an estimate of what is not: text that came after the last usage.
    fn estimated(&self, operation: Operation, request_bytes: u64) -> Usage {
        let mut usage = self.counted(operation);
        if usage.input == 0 {
            usage.input = request_bytes.div_ceil(BYTES_PER_TOKEN);
        }
        if !operation.is_without_output() {
            let bytes = self.said.text_bytes.saturating_add(self.other_bytes);
            usage.output = usage.output.saturating_add(bytes.div_ceil(BYTES_PER_TOKEN));
        }
        usage.bounded()
    }

    fn finish(&mut self) {
        if let Body::Compressed { encoding, is_events, bytes: Some(bytes) } = &mut self.body {
            let plain = encoding.decompress(bytes, PLAIN_BYTES_MAX);
            let is_events = *is_events;
            if let Ok(plain) = plain {
                self.body = Body::Unknown { is_events };
                self.other_bytes = 0;
                self.feed(&plain);
            }
        }
        let said = &mut self.said;
        if let Body::Events(events) = &mut self.body {
            events.finish(|event| said.hear(&event));
        }
    }
}

/// Whether a `content-type` is that of a stream of events.
pub fn is_stream(content_type: &[u8]) -> bool {
    is_type(content_type, b"text/event-stream")
}

/// The type of Amazon's event streams.
const FRAMES: &[u8] = b"application/vnd.amazon.eventstream";

fn is_type(content_type: &[u8], wanted: &[u8]) -> bool {
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(wanted)
}

impl Body {
    fn of(is_events: bool, first: u8) -> Self {
        match first {
            // Some servers send JSON whatever the content-type.
            b'{' | b'[' => Self::Json(Box::default()),
            _ if is_events => Self::Events(Box::default()),
            _ => Self::Other,
        }
    }
}

impl Said {
    fn hear(&mut self, event: &Event<'_, Facts>) {
        let kind = event.facts.kind.as_bytes();
        let is = |name: &[u8]| event.name == name || kind == name;
        self.take(event.facts);
        if is(b"image_generation.completed") || is(b"image_edit.completed") {
            self.data = self.data.saturating_add(1);
        }
        self.has_error |= is(b"error");
        self.has_ended |= event.is_done
            || is(b"message_stop")
            || is(b"response.completed")
            || is(b"response.incomplete")
            || is(b"response.failed");
    }

    fn take(&mut self, facts: &Facts) {
        self.raw.merge(&facts.raw);
        // Responses repeats in later events what its deltas have said.
        let kind = facts.kind.as_bytes();
        let repeats = kind.starts_with(b"response.") && !kind.ends_with(b".delta");
        let text_bytes = if repeats { 0 } else { facts.text_bytes };
        self.text_bytes = match facts.has_usage {
            true => text_bytes,
            false => self.text_bytes.saturating_add(text_bytes),
        };
        self.has_usage |= facts.has_usage;
        self.has_error |= facts.has_error;
        self.tier = facts.tier.or(self.tier);
        if !facts.finish.is_empty() {
            self.finish = facts.finish;
        }
        self.data = self.data.saturating_add(facts.data);
    }
}
