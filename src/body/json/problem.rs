//! What is wrong with a byte that cannot follow.

use super::super::error::Problem;
use super::{DEPTH_MAX, JsonScanner, State};

impl JsonScanner {
    #[cold]
    pub(super) fn problem(&self, state: State, byte: u8) -> Problem {
        let opens = matches!(byte, b'{' | b'[');
        match state {
            State::Start => Problem::Expected("a JSON object"),
            State::KeyOrEnd => Problem::Expected("a key or '}'"),
            State::Key => Problem::Expected("a key"),
            State::Colon => Problem::Expected("':'"),
            State::Value if self.at_model => match value_kind(byte) {
                Some(kind) => Problem::ModelNotAString(kind),
                None => Problem::Expected("a value"),
            },
            State::Value | State::ValueOrEnd if opens && self.nesting.depth() == DEPTH_MAX => {
                Problem::TooDeep
            }
            State::Value | State::ValueOrEnd => Problem::Expected("a value"),
            State::CommaOrEnd if self.nesting.in_object() => Problem::Expected("',' or '}'"),
            State::CommaOrEnd => Problem::Expected("',' or ']'"),
            State::Skip(_) | State::TopKey | State::Model => Problem::ControlCharacter,
            State::SkipEscape(_) | State::SkipHex(..) => Problem::InvalidEscape,
            State::Number(_) => Problem::Expected("a digit"),
            State::Literal(..) => Problem::Expected("true, false or null"),
            State::End => Problem::TrailingBytes,
        }
    }
}

/// What begins with this byte, with its article.
fn value_kind(byte: u8) -> Option<&'static str> {
    match byte {
        b'"' => Some("a string"),
        b'{' => Some("an object"),
        b'[' => Some("an array"),
        b't' | b'f' => Some("a boolean"),
        b'-' | b'0'..=b'9' => Some("a number"),
        _ => None,
    }
}
