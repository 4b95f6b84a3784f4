//! Takes the event with the usage out of a stream of chat completions: the gateway has asked for it, and the client has not.
//!
//! The event has no choices and a usage. All other bytes pass as they came. An event is held until it is clear that it is
//! another: at its first choice, at data that is not an object, or at its end.
//!
//! | verdict | event | next |
//! |---|---|---|
//! | open | `choices` has something in it; the data is not an object; the object ends, and is not that event; too many bytes | kept |
//! | open | the object ends, without choices and with a usage | removed |
//! | any | the empty line after the event | open |

use memchr::memchr2;

use crate::document::{Document, Reading, Word};

/// Longer than any event with usage alone.
const HELD_BYTES_MAX: usize = 64 * 1024;

const DATA: &[u8] = b"data";

/// A stream of events of which some bytes have come.
#[derive(Debug, Default)]
pub struct ExtraEvent {
    verdict: Verdict,
    /// The bytes of the event, as long as the verdict is open.
    held: Vec<u8>,
    line: Line,
    /// The verdict on the line whose carriage return has come last: a line feed would belong to the line.
    after_return: Option<Verdict>,
    has_begun: bool,
    document: Document<Members>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    Open,
    Kept,
    Removed,
}

/// Where the next byte of a line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Start,
    Comment,
    /// In a name of which these bytes are those of `data`.
    Name(usize),
    Data,
    /// In another field.
    Other,
}

impl ExtraEvent {
    /// Reads the next piece; `end` says that nothing follows. What the client gets in the place of the piece, where that is
    /// not the piece.
    pub fn feed(&mut self, piece: &[u8], end: bool) -> Option<Vec<u8>> {
        let held_before = self.held.len();
        let mut passing = Vec::with_capacity(held_before.saturating_add(piece.len()));
        let mut rest = piece;
        while let Some((byte, _)) = rest.split_first() {
            let size = self.step(*byte, rest, &mut passing);
            rest = rest.get(size..).unwrap_or_default();
        }
        if end && self.verdict == Verdict::Open {
            passing.append(&mut self.held);
        }
        let is_same = held_before == 0 && passing.len() == piece.len();
        (!is_same).then_some(passing)
    }

    /// Reads on in a line; how many bytes that were.
    fn step(&mut self, byte: u8, rest: &[u8], passing: &mut Vec<u8>) -> usize {
        if let (Some(verdict), b'\n') = (self.after_return.take(), byte) {
            let is_held = verdict == Verdict::Open && !self.held.is_empty();
            self.put(
                if verdict == Verdict::Open && !is_held { Verdict::Kept } else { verdict },
                b"\n",
                passing,
            );
            return 1;
        }
        if let b'\r' | b'\n' = byte {
            let verdict = self.verdict;
            self.put(verdict, &[byte], passing);
            self.after_return = (byte == b'\r').then_some(verdict);
            if std::mem::take(&mut self.line) == Line::Start {
                self.end_event(passing);
            }
            return 1;
        }
        self.line = match (self.line, byte) {
            (Line::Start, b':') => Line::Comment,
            (Line::Start, b'd') => Line::Name(1),
            (Line::Name(read), b':') if read == DATA.len() => {
                self.put(self.verdict, b":", passing);
                self.line = Line::Data;
                return 1;
            }
            (Line::Name(read), _) if DATA.get(read) == Some(&byte) => {
                Line::Name(read.saturating_add(1))
            }
            (Line::Start | Line::Name(_), _) => Line::Other,
            (line, _) => line,
        };
        if let Line::Name(_) = self.line {
            self.put(self.verdict, &[byte], passing);
            return 1;
        }
        let size = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let text = rest.get(..size).unwrap_or_default();
        self.put(self.verdict, text, passing);
        if self.line == Line::Data {
            self.read(text, passing);
        }
        size
    }

    fn put(&mut self, verdict: Verdict, bytes: &[u8], passing: &mut Vec<u8>) {
        match verdict {
            // Comments tell that the connection lives.
            Verdict::Open if self.line == Line::Comment && self.held.is_empty() => {
                passing.extend_from_slice(bytes);
            }
            Verdict::Open => {
                self.held.extend_from_slice(bytes);
                if self.held.len() > HELD_BYTES_MAX {
                    self.keep(passing);
                }
            }
            Verdict::Kept => passing.extend_from_slice(bytes),
            Verdict::Removed => {}
        }
    }

    fn keep(&mut self, passing: &mut Vec<u8>) {
        self.verdict = Verdict::Kept;
        passing.append(&mut self.held);
    }

    /// Reads data of an event, which are held already.
    fn read(&mut self, text: &[u8], passing: &mut Vec<u8>) {
        let text = if self.has_begun { text } else { text.trim_ascii_start() };
        let (Some(first), Verdict::Open) = (text.first(), self.verdict) else { return };
        if !std::mem::replace(&mut self.has_begun, true) && *first != b'{' {
            return self.keep(passing);
        }
        self.document.feed(text);
        let Members { has_choices, has_choice, has_usage } = *self.document.facts();
        match self.document.is_complete() {
            _ if has_choice => self.keep(passing),
            true if has_choices && has_usage => {
                self.verdict = Verdict::Removed;
                self.held.clear();
            }
            true => self.keep(passing),
            false => {}
        }
    }

    fn end_event(&mut self, passing: &mut Vec<u8>) {
        passing.append(&mut self.held);
        self.verdict = Verdict::Open;
        self.has_begun = false;
        self.document = Document::default();
    }
}

/// What an event's object has.
#[derive(Debug, Clone, Copy, Default)]
struct Members {
    has_choices: bool,
    has_choice: bool,
    has_usage: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    Root,
    Choices,
    Choice,
    Usage,
    Other,
}

#[derive(Debug, Clone, Copy, Default)]
enum Member {
    #[default]
    Other,
    Choices,
    Usage,
}

impl Reading for Members {
    type Place = Place;
    type Member = Member;
    const DEEP: Place = Place::Other;

    fn inner(place: Place, member: Member, is_object: bool) -> Place {
        match (place, member, is_object) {
            (Place::Outside, _, true) => Place::Root,
            (Place::Root, Member::Choices, false) => Place::Choices,
            (Place::Root, Member::Usage, true) => Place::Usage,
            (Place::Choices, ..) => Place::Choice,
            _ => Place::Other,
        }
    }

    fn is_object(place: Place) -> bool {
        place == Place::Root
    }

    fn is_last(_: Place, depth: usize) -> bool {
        depth == 0
    }

    fn member(place: Place, name: &[u8]) -> Member {
        match name {
            b"choices" if place == Place::Root => Member::Choices,
            b"usage" if place == Place::Root => Member::Usage,
            _ => Member::Other,
        }
    }

    fn value(&mut self, place: Place, _: Member, _: &Word, _: bool) {
        self.has_choice |= place == Place::Choices;
    }

    fn open(&mut self, place: Place) {
        self.has_choices |= place == Place::Choices;
        self.has_choice |= place == Place::Choice;
        self.has_usage |= place == Place::Usage;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// What the client gets of a stream in these pieces.
    fn passed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut extra = ExtraEvent::default();
        let mut passed = Vec::new();
        for piece in pieces {
            match extra.feed(piece, false) {
                Some(changed) => passed.extend(changed),
                None => passed.extend_from_slice(piece),
            }
        }
        passed.extend(extra.feed(b"", true).unwrap_or_default());
        passed
    }

    #[track_caller]
    fn check(stream: &str, expected: &str) {
        let bytes = stream.as_bytes();
        for cut in 0..=bytes.len() {
            let (one, two) = bytes.split_at(cut);
            assert_eq!(String::from_utf8_lossy(&passed([one, two])), expected, "cut at {cut}");
        }
        for size in 1..8 {
            assert_eq!(String::from_utf8_lossy(&passed(bytes.chunks(size))), expected);
        }
    }

    const CHOICE: &str = "data: {\"id\":\"é\",\"choices\":[{\"delta\":{\"content\":\"\\\"choices\\\":[]\"}}],\"usage\":null}\n\n";
    const USAGE: &str =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":2,\"prompt_tokens_details\":{}}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    #[test]
    fn the_event_with_usage_alone_goes() {
        check(&[CHOICE, CHOICE, USAGE, DONE].concat(), &[CHOICE, CHOICE, DONE].concat());
        check(&[USAGE, DONE].concat(), DONE);
        let (usage, choice, done) =
            (USAGE.replace('\n', "\r\n"), CHOICE.replace('\n', "\r\n"), DONE.replace('\n', "\r\n"));
        check(&[&*choice, &usage, &done].concat(), &[&*choice, &done].concat());
        let (usage, choice) = (USAGE.replace('\n', "\r"), CHOICE.replace('\n', "\r"));
        check(&[&*choice, &usage, &choice].concat(), &[&*choice, &choice].concat());
        let two_lines =
            "event: x\nid: 1\ndata:{\"usage\":{},\ndata: \"choices\" : [ ] }\nretry: 1\n\n";
        check(&[two_lines, DONE].concat(), DONE);
        // No empty line after the last event.
        check(&[CHOICE, USAGE.trim_end()].concat(), CHOICE);
    }

    #[test]
    fn every_other_byte_passes() {
        for stream in [
            "",
            "\n\r\n\n",
            ": a comment\n\n",
            ": a comment\ndata: [DONE]",
            "data: {\"choices\":[]}\n\n",
            "data: {\"choices\":[],\"usage\":null}\n\n",
            "data: {\"usage\":{\"prompt_tokens\":2}}\n\n",
            "data: {\"choices\":[{}],\"usage\":{\"prompt_tokens\":2}}\n\n",
            "data: {\"choices\":[1],\"usage\":{}}\n\n",
            "data: {\"a\":{\"choices\":[],\"usage\":{}}}\n\n",
            "data: {\"choices\":[],\"usage\":{\n\n",
            "data: {\"choices\":[],\"usage\"",
            "data: text {\"choices\":[],\"usage\":{}}\n\n",
            "datas: {\"choices\":[],\"usage\":{}}\n\n",
            "dat: {\"choices\":[],\"usage\":{}}\n\ndata\n\n",
            "event: ping\ndata\n\n\u{feff}data: x\n\n",
            "{\"choices\":[],\"usage\":{}}",
        ] {
            check(stream, stream);
        }
        check(&[": x\n", USAGE, DONE].concat(), &[": x\n", DONE].concat());
    }

    #[test]
    fn an_event_waits_for_its_first_choice_and_no_longer() {
        let mut extra = ExtraEvent::default();
        let piece = b"data: {\"id\":1,\"choices\":[";
        assert_eq!(extra.feed(piece, false), Some(Vec::new()));
        assert_eq!(extra.feed(b"{", false), Some([&piece[..], b"{"].concat()));
        assert_eq!(extra.feed(b"}]}\n\n", false), None);
        assert_eq!(extra.feed(b": alive\n", false), None);
    }

    #[test]
    fn an_event_that_is_too_long_for_usage_is_not_held() {
        let mut extra = ExtraEvent::default();
        let long = format!("data: {{\"x\":\"{}", "x".repeat(HELD_BYTES_MAX));
        assert_eq!(extra.feed(long.as_bytes(), false), None);
        assert_eq!(extra.feed(b"\",\"choices\":[],\"usage\":{}}\n\n", false), None);
    }
}
