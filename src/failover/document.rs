//! What a JSON document says of itself: its type, how it finished, and its error. Read as its bytes come, in a fixed
//! amount of memory.
//!
//! The document is a provider's: its grammar is not checked. Only an object is read, or the first object of a list.
//!
//! | place | members that are read |
//! |---|---|
//! | the object | `type`, `object`, `code`, `error`, `choices`, `response` |
//! | `error`, of the object or of its `response` | `type`, `code`, `status` |
//! | each of `choices` | `finish_reason` |

use memchr::memchr2;

/// Longer than each word that is looked for; a longer word is cut.
const WORD_BYTES: usize = 40;

/// Deeper than each place that is read.
const PLACES_MAX: usize = 6;

/// The first bytes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    bytes: [u8; WORD_BYTES],
    length: usize,
}

impl Default for Word {
    fn default() -> Self {
        Self { bytes: [0; WORD_BYTES], length: 0 }
    }
}

impl Word {
    /// The text, as far as it was kept.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn extend(&mut self, text: &[u8]) {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        for (place, byte) in room.iter_mut().zip(text) {
            *place = *byte;
            self.length = self.length.saturating_add(1);
        }
    }
}

/// What was read so far. A word is empty where it is absent, `null`, `false`, `0` or an empty string.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// `type`.
    pub kind: Word,
    /// `object`.
    pub object: Word,
    /// A `finish_reason`.
    pub finish: Word,
    /// `code` of the error, else of the object.
    pub code: Word,
    /// `type` of the error.
    pub error_kind: Word,
    /// `status` of the error.
    pub status: Word,
    /// There is an error that says anything.
    pub has_error: bool,
}

/// A document of which some bytes have come.
#[derive(Debug, Default)]
pub struct Document {
    facts: Facts,
    /// Where the next byte is: the innermost of `depth` places, as far as they are kept.
    places: [Place; PLACES_MAX],
    depth: usize,
    /// The member whose value comes next.
    member: Member,
    /// The next text is a member's name.
    expects_name: bool,
    token: Token,
    /// The name, text or literal that is being read.
    word: Word,
    is_complete: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    List,
    Root,
    Error,
    Choices,
    Choice,
    Response,
    OtherObject,
    OtherList,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Member {
    #[default]
    Other,
    Type,
    Object,
    Code,
    Status,
    Error,
    Choices,
    Finish,
    Response,
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

impl Document {
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether the object has ended: what follows is not read.
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
                    self.word.extend(&[*byte]);
                    self.token = Token::Text;
                    after
                }
                Token::Literal => self.literal(*byte, rest, after),
            };
        }
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'{' => self.open(true),
            b'[' => self.open(false),
            b'}' | b']' => self.close(),
            b'"' => self.begin(Token::Text),
            b',' => self.expects_name = self.place().is_object(),
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

    /// Reads a text up to its end or up to a backslash. Escapes stay as they are: no word that is looked for needs one.
    fn text<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
        let (text, rest) = bytes.split_at(end);
        self.word.extend(text);
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

    fn literal<'a>(&mut self, byte: u8, rest: &'a [u8], after: &'a [u8]) -> &'a [u8] {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-') {
            self.word.extend(&[byte]);
            return after;
        }
        self.token = Token::Between;
        if !matches!(self.word.as_bytes(), b"null" | b"false" | b"0") {
            self.note(false);
        }
        rest
    }

    fn end_text(&mut self) {
        if self.expects_name {
            self.member = self.place().member(self.word.as_bytes());
        } else if !self.word.is_empty() {
            self.note(true);
        }
    }

    /// Notes the value that was read.
    fn note(&mut self, is_text: bool) {
        let (place, word) = (self.place(), self.word);
        let facts = &mut self.facts;
        facts.has_error |= place == Place::Error || self.member == Member::Error;
        match (place, self.member) {
            (Place::Root, Member::Type) => facts.kind = word,
            (Place::Root, Member::Object) => facts.object = word,
            (Place::Root | Place::Error, Member::Code) => facts.code = word,
            (Place::Error, Member::Type) => facts.error_kind = word,
            (Place::Error, Member::Status) => facts.status = word,
            (Place::Choice, Member::Finish) if is_text => facts.finish = word,
            _ => {}
        }
    }

    fn open(&mut self, is_object: bool) {
        let (place, member) = (self.place(), self.member);
        let inner = match (place, member, is_object) {
            (Place::Outside, _, false) => Place::List,
            (Place::Outside | Place::List, _, true) => Place::Root,
            (Place::Root | Place::Response, Member::Error, true) => Place::Error,
            (Place::Root, Member::Choices, false) => Place::Choices,
            (Place::Choices, _, true) => Place::Choice,
            (Place::Root, Member::Response, true) => Place::Response,
            (_, _, true) => Place::OtherObject,
            (_, _, false) => Place::OtherList,
        };
        if let Some(place) = self.places.get_mut(self.depth) {
            *place = inner;
        }
        self.depth = self.depth.saturating_add(1);
        self.expects_name = self.place().is_object();
        self.member = Member::Other;
    }

    fn close(&mut self) {
        self.is_complete = self.place() == Place::Root;
        self.depth = self.depth.saturating_sub(1);
        self.expects_name = false;
        self.member = Member::Other;
    }

    fn place(&self) -> Place {
        match self.depth.checked_sub(1) {
            None => Place::Outside,
            Some(at) => self.places.get(at).copied().unwrap_or(Place::OtherList),
        }
    }
}

impl Place {
    fn is_object(self) -> bool {
        use Place::{Choice, Error, OtherObject, Response, Root};
        matches!(self, Root | Error | Choice | Response | OtherObject)
    }

    fn member(self, name: &[u8]) -> Member {
        match (self, name) {
            (Self::Root | Self::Error, b"type") => Member::Type,
            (Self::Root | Self::Error, b"code") => Member::Code,
            (Self::Root, b"object") => Member::Object,
            (Self::Root, b"choices") => Member::Choices,
            (Self::Root, b"response") => Member::Response,
            (Self::Root | Self::Response, b"error") => Member::Error,
            (Self::Error, b"status") => Member::Status,
            (Self::Choice, b"finish_reason") => Member::Finish,
            _ => Member::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(text: &str) -> Document {
        let mut document = Document::default();
        document.feed(text.as_bytes());
        document
    }

    /// Type, object, finish, code, the error's type, status.
    fn words(facts: &Facts) -> [&str; 6] {
        [&facts.kind, &facts.object, &facts.finish, &facts.code, &facts.error_kind, &facts.status]
            .map(|word| std::str::from_utf8(word.as_bytes()).unwrap())
    }

    #[test]
    fn reads_what_a_document_says_of_itself_however_it_is_cut() {
        for (text, expected, has_error) in [
            (r#"{"type":"message_stop"}"#, ["message_stop", "", "", "", "", ""], false),
            (
                r#"{"choices" : [ {"delta":{"finish_reason":"x"},"finish_reason" : "stop"} ]}"#,
                ["", "", "stop", "", "", ""],
                false,
            ),
            (
                r#"{"choices":[{"finish_reason":"stop"},{"finish_reason":null}]}"#,
                ["", "", "stop", "", "", ""],
                false,
            ),
            (r#"{"choices":[{"finish_reason":""}],"error":null}"#, [""; 6], false),
            (
                r#"{"error":{"message":"a \"code\":\"b\"","type":"t","code":529,"status":"S"}}"#,
                ["", "", "", "529", "t", "S"],
                true,
            ),
            (
                r#"[{"error":{"code":503}}, {"error":{"code":1}}]"#,
                ["", "", "", "503", "", ""],
                true,
            ),
            (
                r#"{"type":"response.failed","response":{"error":{"code":"c"},"type":"no"}}"#,
                ["response.failed", "", "", "c", "", ""],
                true,
            ),
            (r#"{"error":"a text"}"#, [""; 6], true),
            (r#"{"error":{"code":null,"message":null,"param":null}}"#, [""; 6], false),
            (r#"{"error":{}}"#, [""; 6], false),
            (r#"{"usage":{"error":{"code":"c"}}}"#, [""; 6], false),
            (
                r#"{"a":[[[[[[[[{"type":"no"}]]]]]]]],"type":"yes"}"#,
                ["yes", "", "", "", "", ""],
                false,
            ),
            (r#"{"object":"error","code":400}"#, ["", "error", "", "400", "", ""], false),
        ] {
            for cut in 0..=text.len() {
                let (start, end) = text.as_bytes().split_at(cut);
                let mut document = Document::default();
                document.feed(start);
                document.feed(end);
                let facts = document.facts();
                assert_eq!((words(facts), facts.has_error), (expected, has_error), "{text} {cut}");
                assert!(document.is_complete(), "{text}");
            }
        }
    }

    #[test]
    fn a_document_without_its_end_is_not_complete() {
        for text in ["", "[", "{", r#"{"a":"}"#, r#"{"a":{}"#, r#"{"a":"\"}"#, "nonsense"] {
            assert!(!read(text).is_complete(), "{text}");
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        let document = read(&format!(r#"{{"type":"{}","{}":1}}"#, "x".repeat(99), "y".repeat(99)));
        assert_eq!(document.facts().kind.as_bytes(), "x".repeat(WORD_BYTES).as_bytes());
    }
}
