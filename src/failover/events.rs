//! Server-sent events, read as their bytes come (<https://html.spec.whatwg.org/multipage/server-sent-events.html>, section
//! 9.2.6), in a fixed amount of memory: of an event's data, only what [`Document`] keeps.

use memchr::{memchr2, memchr3};

use super::document::{Document, Facts, Word};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An event that has come whole.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// What `event:` says.
    pub name: &'a [u8],
    /// The data is `[DONE]`.
    pub is_done: bool,
    /// What the data says of itself.
    pub facts: &'a Facts,
}

impl Event<'_> {
    /// Whether the event, or its data, says that it is of this type.
    pub fn is(&self, kind: &[u8]) -> bool {
        self.name == kind || self.facts.kind.as_bytes() == kind
    }

    /// Whether the event says that the provider has failed.
    pub fn is_error(&self) -> bool {
        self.facts.has_error
            || self.is(b"error")
            || self.is(b"response.failed")
            || self.facts.object.as_bytes() == b"error"
            || self.facts.finish.as_bytes() == b"error"
    }

    /// Whether the event only keeps the connection open.
    pub fn is_ping(&self) -> bool {
        self.is(b"ping") || self.is(b"keepalive")
    }
}

/// A stream of events of which some bytes have come.
#[derive(Debug, Default)]
pub struct Events {
    at: At,
    /// The name of the line's field.
    field: Word,
    /// The last byte was a carriage return: a line feed would belong to it.
    after_return: bool,
    is_past_first_line: bool,
    name: Word,
    has_data: bool,
    /// The first bytes of the data.
    data: Word,
    document: Document,
}

/// Where the next byte of a line is.
#[derive(Debug, Clone, Copy, Default)]
enum At {
    #[default]
    Name,
    /// After the colon, where a space does not count.
    Space(Field),
    Value(Field),
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Data,
    Event,
    /// Another, or a comment.
    Other,
}

impl Events {
    /// Reads the next piece; `heard` is called for each event that ends in the piece.
    pub fn feed(&mut self, bytes: &[u8], mut heard: impl FnMut(Event<'_>)) {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            let after_return = std::mem::take(&mut self.after_return);
            rest = match (byte, self.at) {
                (b'\n', _) if after_return => after,
                (b'\r' | b'\n', _) => {
                    self.after_return = *byte == b'\r';
                    self.end_line(&mut heard);
                    after
                }
                (b':', At::Name) => {
                    self.at = At::Space(self.begin_value());
                    after
                }
                (_, At::Name) => {
                    let end = memchr3(b':', b'\r', b'\n', rest).unwrap_or(rest.len());
                    let (name, rest) = rest.split_at(end);
                    self.field.extend(name);
                    rest
                }
                (b' ', At::Space(field)) => {
                    self.at = At::Value(field);
                    after
                }
                (_, At::Space(field) | At::Value(field)) => {
                    let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    let (value, rest) = rest.split_at(end);
                    self.at = At::Value(field);
                    self.value(field, value);
                    rest
                }
            };
        }
    }

    /// The stream has ended. An event without the empty line after it counts if its data is whole: providers leave the
    /// line out after their last event.
    pub fn finish(&mut self, mut heard: impl FnMut(Event<'_>)) {
        self.end_line(&mut heard);
        if !self.has_data || self.is_done() || self.document.is_complete() {
            self.end_event(&mut heard);
        }
    }

    fn begin_value(&mut self) -> Field {
        let name = self.field.as_bytes();
        let name = match self.is_past_first_line {
            true => name,
            false => name.strip_prefix(BYTE_ORDER_MARK).unwrap_or(name),
        };
        let field = match name {
            b"data" => Field::Data,
            b"event" => Field::Event,
            _ => Field::Other,
        };
        match field {
            Field::Data if self.has_data => self.value(Field::Data, b"\n"),
            Field::Data => self.has_data = true,
            Field::Event => self.name = Word::default(),
            Field::Other => {}
        }
        field
    }

    fn value(&mut self, field: Field, value: &[u8]) {
        match field {
            Field::Data => {
                self.data.extend(value);
                self.document.feed(value);
            }
            Field::Event => self.name.extend(value),
            Field::Other => {}
        }
    }

    fn end_line(&mut self, heard: &mut impl FnMut(Event<'_>)) {
        match self.at {
            At::Name if self.field.is_empty() => self.end_event(heard),
            // A field without a colon has an empty value.
            At::Name => _ = self.begin_value(),
            At::Space(_) | At::Value(_) => {}
        }
        self.at = At::Name;
        self.field = Word::default();
        self.is_past_first_line = true;
    }

    fn end_event(&mut self, heard: &mut impl FnMut(Event<'_>)) {
        if self.has_data || !self.name.is_empty() {
            let (name, facts) = (self.name.as_bytes(), self.document.facts());
            heard(Event { name, is_done: self.is_done(), facts });
            self.name = Word::default();
            self.has_data = false;
            self.data = Word::default();
            self.document = Document::default();
        }
    }

    fn is_done(&self) -> bool {
        self.data.as_bytes().trim_ascii() == b"[DONE]"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Name and type of each event; `!` is `[DONE]`.
    fn heard(pieces: &[&[u8]]) -> Vec<String> {
        let mut all = Vec::new();
        let mut note = |event: Event<'_>| {
            let kind = String::from_utf8_lossy(event.facts.kind.as_bytes()).into_owned();
            let done = if event.is_done { "!" } else { "" };
            all.push(format!("{}/{kind}{done}", String::from_utf8_lossy(event.name)));
        };
        let mut events = Events::default();
        pieces.iter().for_each(|piece| events.feed(piece, &mut note));
        events.finish(&mut note);
        all
    }

    const STREAMS: [(&str, &[&str]); 14] = [
        ("data: {\"type\":\"a\"}\n\ndata: {\"type\":\"b\"}\n\n", &["/a", "/b"]),
        ("data:{\"type\":\"a\"}\n\n", &["/a"]),
        ("data:  {\"type\":\"a\"}\n\n", &["/a"]),
        (": comment\n\n:\n\nevent: ping\ndata: {}\n\n", &["ping/"]),
        ("event: x\nevent: y\nid: 7\nretry: 1\ndata: [DONE]\n\n", &["y/!"]),
        ("data:[DONE]\n\n", &["/!"]),
        ("data: \"[DONE]\"\n\n", &["/"]),
        ("data: {\"type\":\ndata: \"a\"}\n\n", &["/a"]),
        ("data\n\nevent\n\n", &["/"]),
        ("\u{feff}data: [DONE]\n\n", &["/!"]),
        ("data: {}\n\n\u{feff}data: [DONE]\n\n", &["/"]),
        ("data: {\"type\":\"a\"}", &["/a"]),
        ("event: a\n\nevent: b", &["a/", "b/"]),
        ("data: {\"type\":\"a\"", &[]),
    ];

    #[test]
    fn reads_events_with_every_end_of_line_wherever_they_are_cut() {
        for (text, expected) in STREAMS {
            for end_of_line in ["\n", "\r", "\r\n"] {
                let text = text.replace('\n', end_of_line);
                let bytes = text.as_bytes();
                for first in 0..=bytes.len() {
                    for second in first..=bytes.len() {
                        let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                        assert_eq!(heard(&pieces), expected, "{text:?} {first} {second}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_carriage_return_at_the_end_of_a_piece_is_one_end_of_a_line() {
        assert_eq!(heard(&[b"data: 1\r", b"\ndata: 2\r", b"\n\r", b"\n"]), ["/"]);
        assert_eq!(heard(&[b"data: 1\r", b"\r", b"data: 2\r\r"]), ["/", "/"]);
    }
}
