//! A JSON document of a provider, walked byte by byte. Its grammar is not checked.

use std::fmt::Debug;

use memchr::memchr2;

use super::word::Word;

/// Deeper than each place that is read.
const PLACES_MAX: usize = 8;

/// Which places of a document matter, and what is kept of them.
pub trait Reading: Default {
    /// An object or a list, by what it means. The default is outside of all.
    type Place: Copy + Default + PartialEq + Debug;
    /// A member of an object, by its name. The default matters not.
    type Member: Copy + Default + Debug;
    /// A place that is too deep to matter.
    const DEEP: Self::Place;

    /// The place that begins at a member of a place.
    fn inner(place: Self::Place, member: Self::Member, is_object: bool) -> Self::Place;

    fn is_object(place: Self::Place) -> bool;

    /// Whether the document is read when this place ends, and `depth` places are open then.
    fn is_last(place: Self::Place, depth: usize) -> bool;

    fn member(place: Self::Place, name: &[u8]) -> Self::Member;

    /// A text that is not empty, or a literal, at a member of a place; of an object that the literal closes as well.
    fn value(&mut self, place: Self::Place, member: Self::Member, word: &Word, is_text: bool);

    /// A piece of a text at a member. A text comes in several pieces.
    fn piece(&mut self, _member: Self::Member, _bytes: usize) {}

    /// A place begins.
    fn open(&mut self, _place: Self::Place) {}

    /// A place has ended.
    fn close(&mut self, _place: Self::Place) {}
}

/// A document of which some bytes have come.
#[derive(Debug, Default)]
pub struct Document<R: Reading> {
    facts: R,
    /// Where the next byte is: the innermost of `depth` places, as far as they are kept.
    places: [R::Place; PLACES_MAX],
    depth: usize,
    /// The member whose value comes next.
    member: R::Member,
    /// The next text is a member's name.
    expects_name: bool,
    token: Token,
    /// The name, text or literal that is being read.
    word: Word,
    is_complete: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Token {
    #[default]
    Between,
    Text,
    /// After a backslash in a text.
    Escape,
    /// A number, `true`, `false` or `null`.
    Literal,
}

impl<R: Reading> Document<R> {
    pub fn facts(&self) -> &R {
        &self.facts
    }

    /// Whether the document has ended: what follows is not read.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let (Some((byte, after)), false) = (rest.split_first(), self.is_complete) {
            rest = match self.token {
                Token::Between => {
                    self.between(*byte);
                    after
                }
                Token::Text => self.text(rest),
                Token::Escape => {
                    self.extend(&[*byte]);
                    self.token = Token::Text;
                    after
                }
                Token::Literal => self.literal(rest),
            };
        }
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'{' => self.open(true),
            b'[' => self.open(false),
            b'}' | b']' => self.close(),
            b'"' => self.begin(Token::Text),
            b',' => self.expects_name = R::is_object(self.place()),
            b':' => self.expects_name = false,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.begin(Token::Literal);
                self.word.extend(&[byte]);
            }
            _ => {}
        }
    }

    fn begin(&mut self, token: Token) {
        self.token = token;
        self.word = Word::default();
    }

    fn extend(&mut self, text: &[u8]) {
        self.word.extend(text);
        if !self.expects_name {
            self.facts.piece(self.member, text.len());
        }
    }

    /// Reads a text up to its end or up to a backslash. Escapes stay as they are: no word that is looked for needs one.
    fn text<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
        let (text, rest) = bytes.split_at(end);
        self.extend(text);
        match rest.split_first() {
            Some((b'"', after)) => {
                self.token = Token::Between;
                self.end_text();
                after
            }
            Some((_, after)) => {
                self.word.extend(b"\\");
                self.token = Token::Escape;
                after
            }
            None => rest,
        }
    }

    fn literal<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let goes_on =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
        let end = bytes.iter().position(|byte| !goes_on(byte)).unwrap_or(bytes.len());
        let (literal, rest) = bytes.split_at(end);
        self.word.extend(literal);
        if !rest.is_empty() {
            self.token = Token::Between;
            self.note(false);
        }
        rest
    }

    fn end_text(&mut self) {
        if self.expects_name {
            self.member = R::member(self.place(), self.word.as_bytes());
        } else if !self.word.is_empty() {
            self.note(true);
        }
    }

    fn note(&mut self, is_text: bool) {
        let place = self.place();
        self.facts.value(place, self.member, &self.word, is_text);
    }

    fn open(&mut self, is_object: bool) {
        let inner = R::inner(self.place(), self.member, is_object);
        if let Some(place) = self.places.get_mut(self.depth) {
            *place = inner;
        }
        self.depth = self.depth.saturating_add(1);
        self.expects_name = R::is_object(self.place());
        self.member = R::Member::default();
        let place = self.place();
        self.facts.open(place);
    }

    fn close(&mut self) {
        let place = self.place();
        self.depth = self.depth.saturating_sub(1);
        self.is_complete = R::is_last(place, self.depth);
        self.expects_name = false;
        self.member = R::Member::default();
        self.facts.close(place);
    }

    fn place(&self) -> R::Place {
        match self.depth.checked_sub(1) {
            None => R::Place::default(),
            Some(at) => self.places.get(at).copied().unwrap_or(R::DEEP),
        }
    }
}
