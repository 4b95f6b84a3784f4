//! Whether a JSON request asks for a stream, and for the stream's usage; and the edit that asks for the usage.
//!
//! | the request has | the edit |
//! |---|---|
//! | no `"stream": true` | none: the answer says its usage |
//! | no `stream_options` | one member more, at the start of the object |
//! | `"stream_options": null` | an object in the place of `null` |
//! | an object without `include_usage` | one member more in the object |
//! | `"include_usage": false` or `null` | `true` in the place of that |
//! | `"include_usage": true` | none: the client asks for the usage |
//! | one of these names twice, in another case or with escapes; a value of another type | none: servers differ in what they read |
//!
//! The [`JsonScanner`](super::JsonScanner), which reads the same bytes, refuses what is not JSON.

use memchr::memchr2;

use super::Edit;

const STREAM: &[u8] = b"stream";
const OPTIONS: &[u8] = b"stream_options";
const INCLUDE_USAGE: &[u8] = b"include_usage";

/// Longer than each name that is looked for.
const NAME_BYTES: usize = 16;

/// Reads a request piece by piece.
#[derive(Debug, Default)]
pub struct StreamOptions {
    /// The offset after the last chunk.
    end: u64,
    depth: u32,
    token: Token,
    /// The next text is the name of a member that is read.
    expects_name: bool,
    name: Name,
    /// Whose value comes next.
    member: Member,
    is_in_options: bool,
    /// After the brace that opens the request.
    start: u64,
    stream: Option<bool>,
    options: Options,
    /// Servers may differ in what they read.
    is_unsure: bool,
    is_whole: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Token {
    #[default]
    Between,
    Text,
    /// After a backslash in a text.
    Escape,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Member {
    #[default]
    Other,
    Stream,
    Options,
    IncludeUsage,
}

/// What `stream_options` has said, and where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Options {
    #[default]
    Absent,
    Null(u64),
    /// An object without `include_usage`, from after its brace.
    Object {
        start: u64,
        is_empty: bool,
    },
    /// `include_usage` is not true.
    No(u64, u64),
    Yes,
}

/// The first bytes of a name, as it is written.
#[derive(Debug, Clone, Copy, Default)]
struct Name {
    bytes: [u8; NAME_BYTES],
    length: usize,
    has_escape: bool,
}

/// What the edit writes.
const TEXTS: [&str; 5] = [
    "\"stream_options\":{\"include_usage\":true},",
    "{\"include_usage\":true}",
    "\"include_usage\":true,",
    "\"include_usage\":true",
    "true",
];

/// The edit that asks for the usage, in few bytes: the hop's header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageQuestion {
    text: usize,
    start: u64,
    end: u64,
}

impl UsageQuestion {
    /// `None` for numbers that no edit has.
    pub fn of_numbers([text, start, end]: [u64; 3]) -> Option<Self> {
        let text = usize::try_from(text).ok().filter(|text| *text < TEXTS.len())?;
        Some(Self { text, start, end })
    }

    /// The edit as numbers.
    pub fn numbers(self) -> [u64; 3] {
        [self.text as u64, self.start, self.end]
    }

    pub fn edit(self) -> Edit {
        let with = TEXTS.get(self.text).copied().unwrap_or_default();
        Edit { start: self.start, end: self.end, with: with.into() }
    }
}

impl StreamOptions {
    /// Reads the next chunk.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.end = self.end.saturating_add(chunk.len() as u64);
        let mut rest = chunk;
        while let Some((byte, after)) = rest.split_first() {
            rest = match self.token {
                Token::Between => {
                    self.between(*byte, self.end.saturating_sub(rest.len() as u64));
                    after
                }
                Token::Text => self.text(rest),
                Token::Escape => {
                    self.token = Token::Text;
                    after
                }
            };
        }
    }

    /// Whether the request asks for a stream, as far as it has come.
    pub fn is_stream(&self) -> bool {
        self.stream == Some(true)
    }

    /// The edit that asks for the usage, where the request is to ask for the usage and does not.
    pub fn question(&self) -> Option<UsageQuestion> {
        if !self.is_whole || self.is_unsure || self.stream != Some(true) {
            return None;
        }
        let (text, start, end) = match self.options {
            Options::Absent => (0, self.start, self.start),
            Options::Null(at) => (1, at, at.saturating_add(4)),
            Options::Object { start, is_empty: false } => (2, start, start),
            Options::Object { start, is_empty: true } => (3, start, start),
            Options::No(start, end) => (4, start, end),
            Options::Yes => return None,
        };
        Some(UsageQuestion { text, start, end })
    }

    fn between(&mut self, byte: u8, at: u64) {
        match byte {
            b'{' | b'[' => self.open(byte == b'{', at),
            b'}' | b']' => self.close(),
            b',' => self.expects_name = self.is_read(),
            b':' => self.expects_name = false,
            b'"' => {
                self.token = Token::Text;
                self.name = Name::default();
                if !self.expects_name {
                    self.value(byte, at);
                }
            }
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => self.value(byte, at),
        }
    }

    /// Whether the members of the innermost object are read.
    fn is_read(&self) -> bool {
        self.depth == 1 || (self.depth == 2 && self.is_in_options)
    }

    /// The member whose value begins.
    fn take_member(&mut self) -> Member {
        let member = std::mem::take(&mut self.member);
        if self.is_read() { member } else { Member::Other }
    }

    fn open(&mut self, is_object: bool, at: u64) {
        let member = self.take_member();
        let start = at.saturating_add(1);
        self.depth = self.depth.saturating_add(1);
        self.expects_name = false;
        match (member, is_object) {
            _ if self.depth == 1 => (self.start, self.expects_name) = (start, true),
            (Member::Other, _) => {}
            (Member::Options, true) => {
                self.options = Options::Object { start, is_empty: true };
                (self.is_in_options, self.expects_name) = (true, true);
            }
            _ => self.is_unsure = true,
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.expects_name = false;
        self.is_in_options &= self.depth > 1;
        self.is_whole |= self.depth == 0;
    }

    /// A text, a number or a literal begins; of the last, `byte` is the first byte.
    fn value(&mut self, byte: u8, at: u64) {
        match (self.take_member(), byte) {
            (Member::Other, _) => {}
            (Member::Stream, b't') => self.stream = Some(true),
            (Member::Stream, b'f' | b'n') => self.stream = Some(false),
            (Member::Options, b'n') => self.options = Options::Null(at),
            (Member::IncludeUsage, b't') => self.options = Options::Yes,
            (Member::IncludeUsage, b'f') => self.options = Options::No(at, at.saturating_add(5)),
            (Member::IncludeUsage, b'n') => self.options = Options::No(at, at.saturating_add(4)),
            _ => self.is_unsure = true,
        }
    }

    fn text<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
        let (text, rest) = bytes.split_at(end);
        if self.expects_name {
            self.name.extend(text);
        }
        let Some((byte, after)) = rest.split_first() else { return rest };
        if *byte == b'"' {
            self.token = Token::Between;
            if self.expects_name {
                self.end_name();
            }
        } else {
            self.token = Token::Escape;
            self.name.has_escape = true;
        }
        after
    }

    fn end_name(&mut self) {
        let name = self.name;
        if let Options::Object { is_empty, .. } = &mut self.options
            && self.is_in_options
        {
            *is_empty = false;
        }
        let is = |wanted: &[u8]| name.as_bytes().eq_ignore_ascii_case(wanted);
        let (member, wanted, is_repeated) = match self.is_in_options {
            false if is(STREAM) => (Member::Stream, STREAM, self.stream.is_some()),
            false if is(OPTIONS) => (Member::Options, OPTIONS, self.options != Options::Absent),
            true if is(INCLUDE_USAGE) => {
                let is_repeated = !matches!(self.options, Options::Object { .. });
                (Member::IncludeUsage, INCLUDE_USAGE, is_repeated)
            }
            _ => (Member::Other, name.as_bytes(), false),
        };
        self.member = member;
        self.is_unsure |= is_repeated || name.has_escape || name.as_bytes() != wanted;
    }
}

impl Name {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn extend(&mut self, text: &[u8]) {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        for (place, byte) in room.iter_mut().zip(text) {
            *place = *byte;
            self.length = self.length.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(body: &str, size: usize) -> StreamOptions {
        let mut options = StreamOptions::default();
        body.as_bytes().chunks(size.max(1)).for_each(|chunk| options.feed(chunk));
        options
    }

    /// The body with the question, and what the question is as numbers.
    fn asking(body: &str) -> Option<String> {
        let question = read(body, body.len()).question();
        for size in 1..body.len() {
            assert_eq!(read(body, size).question(), question, "{body} in pieces of {size}");
        }
        let question = question?;
        assert_eq!(UsageQuestion::of_numbers(question.numbers()), Some(question));
        Some(String::from_utf8(question.edit().apply(body.into())).unwrap())
    }

    #[test]
    fn a_stream_is_asked_for_its_usage() {
        for (body, expected) in [
            (
                r#" {"model":"m","stream":true}"#,
                r#" {"stream_options":{"include_usage":true},"model":"m","stream":true}"#,
            ),
            (
                r#"{"stream" : true , "stream_options" : null}"#,
                r#"{"stream" : true , "stream_options" : {"include_usage":true}}"#,
            ),
            (
                r#"{"stream_options":{ },"stream":true}"#,
                r#"{"stream_options":{"include_usage":true },"stream":true}"#,
            ),
            (
                r#"{"stream_options":{"x":{"include_usage":true}},"stream":true}"#,
                r#"{"stream_options":{"include_usage":true,"x":{"include_usage":true}},"stream":true}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"x":[1,{}],"include_usage":false,"y":"a\"b"}}"#,
                r#"{"stream":true,"stream_options":{"x":[1,{}],"include_usage":true,"y":"a\"b"}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":null}}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"messages":[{"content":"\"stream\":false,\\","stream":false}],"stream":true,"n":{"stream_options":{}}}"#,
                r#"{"stream_options":{"include_usage":true},"messages":[{"content":"\"stream\":false,\\","stream":false}],"stream":true,"n":{"stream_options":{}}}"#,
            ),
        ] {
            serde_json::from_str::<serde_json::Value>(expected).unwrap();
            assert_eq!(asking(body).as_deref(), Some(expected));
        }
    }

    #[test]
    fn nothing_else_is_asked() {
        for body in [
            r#"{"model":"m"}"#,
            r#"{"stream":false}"#,
            r#"{"stream":null}"#,
            r#"{"stream":"true"}"#,
            r#"{"stream":1}"#,
            r#"{"messages":[{"stream":true}]}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            r#"{"stream_options":{"include_usage":true,"x":1},"stream":true}"#,
            // Servers differ.
            r#"{"stream":true,"stream":true}"#,
            r#"{"stream":true,"Stream":false}"#,
            r#"{"stream":true,"str\u0065am":false}"#,
            r#"{"stream":true,"stream_options":null,"stream_options":null}"#,
            r#"{"stream":true,"Stream_options":null}"#,
            r#"{"stream":true,"stream_options":[]}"#,
            r#"{"stream":true,"stream_options":"x"}"#,
            r#"{"stream":true,"stream_options":{"include_usage":false,"include_usage":false}}"#,
            r#"{"stream":true,"stream_options":{"Include_usage":true}}"#,
            r#"{"stream":true,"stream_options":{"include_usage":1}}"#,
            r#"{"stream":true,"stream_options":{"include_usage":{}}}"#,
            r#"{"stream":{}}"#,
            // Not whole.
            r#"{"stream":true"#,
            "",
        ] {
            assert_eq!(asking(body), None, "{body}");
        }
        assert_eq!(UsageQuestion::of_numbers([5, 0, 0]), None);
    }
}
