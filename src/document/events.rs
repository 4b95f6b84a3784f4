//! Server-sent events, read as their bytes come (<https://html.spec.whatwg.org/multipage/server-sent-events.html>, section
//! 9.2.6), in a fixed amount of memory: of an event's data, only what its [`Reading`] keeps.

use memchr::{memchr2, memchr3};

use super::walk::{Document, Reading};
use super::word::Word;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An event that has come whole.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a, R> {
    /// What `event:` says.
    pub name: &'a [u8],
    /// The data is `[DONE]`.
    pub is_done: bool,
    /// What was read of the data.
    pub facts: &'a R,
}

/// A stream of events of which some bytes have come.
#[derive(Debug, Default)]
pub struct Events<R: Reading> {
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
    document: Document<R>,
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

impl<R: Reading> Events<R> {
    /// Reads the next piece; `heard` is called for each event that ends in the piece.
    pub fn feed(&mut self, bytes: &[u8], mut heard: impl FnMut(Event<'_, R>)) {
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
    pub fn finish(&mut self, mut heard: impl FnMut(Event<'_, R>)) {
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

    fn end_line(&mut self, heard: &mut impl FnMut(Event<'_, R>)) {
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

    fn end_event(&mut self, heard: &mut impl FnMut(Event<'_, R>)) {
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
