//! Finds the top-level `model` of a JSON object while its bytes pass by, and refuses what is no
//! JSON (RFC 8259).
//!
//! ```text
//!            {                key            :           value
//!  Start ────> KeyOrEnd ────────> Colon ────────> Value ────────> CommaOrEnd ──┐
//!                 │  }                              ^    ,  (object) Key <─────┤
//!                 └──────> CommaOrEnd, or End       └──────  (array) Value <───┘
//! ```
//!
//! Nothing is kept but the text of top-level keys and of the model, both bounded; a chunk boundary
//! may fall anywhere. The scan goes on behind the model to the last byte: a second `model` would
//! let the gateway route by one name and the provider serve by the other.
//!
//! What is accepted is what `serde_json` accepts, with the limits of this module on top.
//!
//! ```
//! use gaud::body::JsonScanner;
//!
//! let mut scanner = JsonScanner::default();
//! scanner.feed(br#"{"mod\u0065l": "gpt"#)?;
//! assert!(scanner.model().is_none());
//! scanner.feed(br#"-4o", "messages": []}"#)?;
//! let model = scanner.model().expect("it is complete");
//! assert_eq!((model.value.as_str(), model.start, model.end), ("gpt-4o", 16, 22));
//! scanner.finish()?;
//! # Ok::<(), gaud::body::ScanError>(())
//! ```

mod skip;

use super::error::{Problem, ScanError};
use super::found::FoundModel;
pub use super::limits::{DEPTH_MAX, KEY_BYTES_MAX};
use super::number::Number;
use super::text::{Pushed, Text};
use super::utf8::Utf8;
use crate::request::model::MODEL_BYTES_MAX;
use skip::skip;

/// Reads a JSON object piece by piece.
#[derive(Debug, Default)]
pub struct JsonScanner {
    state: State,
    /// Bytes read so far.
    offset: u64,
    nesting: Nesting,
    utf8: Utf8,
    text: Text,
    /// The top-level key that was read last is `model`.
    at_model: bool,
    /// Where the string that is being decoded begins, behind its quote.
    text_start: u64,
    model: Option<FoundModel>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Start,
    KeyOrEnd,
    Key,
    Colon,
    Value,
    ValueOrEnd,
    CommaOrEnd,
    /// In a string that nobody needs.
    Skip(Role),
    SkipEscape(Role),
    SkipHex(Role, u8),
    /// In a top-level key.
    TopKey,
    /// In the model's value.
    Model,
    Number(Number),
    /// In `true`, `false` or `null`: what is still to come.
    Literal(&'static [u8]),
    End,
}

/// What a skipped string is.
#[derive(Debug, Clone, Copy)]
enum Role {
    Key,
    Value,
}

/// Whether a byte was read, or must be looked at again in the new state.
enum Step {
    Read,
    Again,
}

impl JsonScanner {
    /// Reads the next chunk.
    ///
    /// # Errors
    /// The first thing that is wrong, whatever the chunks; nothing may be fed after it.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), ScanError> {
        let base = self.offset;
        match self.utf8.feed(chunk) {
            Ok(()) => self.read(chunk),
            Err(at) => {
                // What comes before the invalid bytes may be wrong too, and earlier.
                let before = usize::try_from(at).ok().and_then(|at| chunk.get(..=at));
                self.read(before.unwrap_or_default())?;
                let offset = base.saturating_add_signed(at);
                Err(ScanError { problem: Problem::InvalidUtf8, offset })
            }
        }
    }

    /// The model, as soon as its closing quote was read.
    pub fn model(&self) -> Option<&FoundModel> {
        self.model.as_ref()
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the object has ended: only white space may follow.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`Problem::Incomplete`] when its object has not.
    pub fn finish(&self) -> Result<(), ScanError> {
        match self.is_complete() {
            true => Ok(()),
            false => Err(self.error(Problem::Incomplete)),
        }
    }

    fn error(&self, problem: Problem) -> ScanError {
        ScanError { problem, offset: self.offset }
    }

    fn read(&mut self, mut rest: &[u8]) -> Result<(), ScanError> {
        while let Some((&byte, tail)) = rest.split_first() {
            if let State::Skip(_) = self.state {
                let skipped = skip(rest);
                if skipped > 0 {
                    self.offset = self.offset.saturating_add(skipped as u64);
                    rest = rest.get(skipped..).unwrap_or_default();
                    continue;
                }
            }
            if let Step::Read = self.step(byte).map_err(|problem| self.error(problem))? {
                self.offset = self.offset.saturating_add(1);
                rest = tail;
            }
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<Step, Problem> {
        self.state = match self.state {
            State::Skip(role) => match byte {
                b'"' => self.after_string(role),
                b'\\' => State::SkipEscape(role),
                _ => return Err(Problem::ControlCharacter),
            },
            State::SkipEscape(role) => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => State::Skip(role),
                b'u' => State::SkipHex(role, 4),
                _ => return Err(Problem::InvalidEscape),
            },
            State::SkipHex(role, left) => match (byte.is_ascii_hexdigit(), left) {
                (true, 1) => State::Skip(role),
                (true, _) => State::SkipHex(role, left.saturating_sub(1)),
                (false, _) => return Err(Problem::InvalidEscape),
            },
            State::TopKey => self.top_key(byte)?,
            State::Model => self.model_byte(byte)?,
            State::Number(number) => match number.next(byte) {
                Some(next) => State::Number(next),
                None if number.is_whole() => {
                    self.state = State::CommaOrEnd;
                    return Ok(Step::Again);
                }
                None => return Err(Problem::Expected("a digit")),
            },
            State::Literal(left) => match left.split_first() {
                Some((expected, [])) if *expected == byte => State::CommaOrEnd,
                Some((expected, left)) if *expected == byte => State::Literal(left),
                _ => return Err(Problem::Expected("true, false or null")),
            },
            state if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => state,
            state => self.structure(state, byte)?,
        };
        Ok(Step::Read)
    }

    /// Between strings, numbers and literals: a byte that is no white space.
    fn structure(&mut self, state: State, byte: u8) -> Result<State, Problem> {
        Ok(match (state, byte) {
            (State::Start, b'{') => self.open(true)?,
            (State::Start, _) => return Err(Problem::Expected("a JSON object")),
            (State::KeyOrEnd, b'}') | (State::ValueOrEnd, b']') => self.close(),
            (State::KeyOrEnd | State::Key, b'"') if self.nesting.depth == 1 => {
                self.begin_text();
                State::TopKey
            }
            (State::KeyOrEnd | State::Key, b'"') => State::Skip(Role::Key),
            (State::KeyOrEnd, _) => return Err(Problem::Expected("a key or '}'")),
            (State::Key, _) => return Err(Problem::Expected("a key")),
            (State::Colon, b':') => State::Value,
            (State::Colon, _) => return Err(Problem::Expected("':'")),
            (State::Value | State::ValueOrEnd, _) => return self.value(byte),
            (State::CommaOrEnd, b',') if self.nesting.in_object() => State::Key,
            (State::CommaOrEnd, b',') => State::Value,
            (State::CommaOrEnd, b'}') if self.nesting.in_object() => self.close(),
            (State::CommaOrEnd, b']') if !self.nesting.in_object() => self.close(),
            (State::CommaOrEnd, _) if self.nesting.in_object() => {
                return Err(Problem::Expected("',' or '}'"));
            }
            (State::CommaOrEnd, _) => return Err(Problem::Expected("',' or ']'")),
            _ => return Err(Problem::TrailingBytes),
        })
    }

    /// The first byte of a value.
    fn value(&mut self, byte: u8) -> Result<State, Problem> {
        if std::mem::take(&mut self.at_model) {
            return match value_kind(byte) {
                Some("a string") => {
                    self.begin_text();
                    Ok(State::Model)
                }
                Some(kind) => Err(Problem::ModelNotAString(kind)),
                None => Err(Problem::Expected("a value")),
            };
        }
        Ok(match byte {
            b'"' => State::Skip(Role::Value),
            b'{' => self.open(true)?,
            b'[' => self.open(false)?,
            b't' => State::Literal(b"rue"),
            b'f' => State::Literal(b"alse"),
            b'n' => State::Literal(b"ull"),
            _ => State::Number(Number::begin(byte).ok_or(Problem::Expected("a value"))?),
        })
    }

    fn open(&mut self, object: bool) -> Result<State, Problem> {
        self.nesting.push(object)?;
        Ok(if object { State::KeyOrEnd } else { State::ValueOrEnd })
    }

    fn close(&mut self) -> State {
        self.nesting.pop();
        if self.nesting.depth == 0 { State::End } else { State::CommaOrEnd }
    }

    fn after_string(&self, role: Role) -> State {
        match role {
            Role::Key => State::Colon,
            Role::Value => State::CommaOrEnd,
        }
    }

    fn begin_text(&mut self) {
        self.text.clear();
        self.text_start = self.offset.saturating_add(1);
    }

    fn top_key(&mut self, byte: u8) -> Result<State, Problem> {
        if let Pushed::More = self.text.push(byte)? {
            return match self.text.bytes().len() {
                0..=KEY_BYTES_MAX => Ok(State::TopKey),
                _ => Err(Problem::KeyTooLong),
            };
        }
        self.at_model = self.text.bytes() == b"model";
        match self.at_model && self.model.is_some() {
            true => Err(Problem::DuplicateModel),
            false => Ok(State::Colon),
        }
    }

    fn model_byte(&mut self, byte: u8) -> Result<State, Problem> {
        if let Pushed::More = self.text.push(byte)? {
            return match self.text.bytes().len() {
                0..=MODEL_BYTES_MAX => Ok(State::Model),
                _ => Err(Problem::ModelTooLong),
            };
        }
        let value = String::from_utf8(self.text.bytes().to_vec());
        let (Ok(value), false) = (value, self.text.is_broken()) else {
            return Err(Problem::ModelNotUnicode);
        };
        self.model = Some(FoundModel { value, start: self.text_start, end: self.offset });
        Ok(State::CommaOrEnd)
    }
}

/// What begins with this byte, with its article.
fn value_kind(byte: u8) -> Option<&'static str> {
    match byte {
        b'"' => Some("a string"),
        b'{' => Some("an object"),
        b'[' => Some("an array"),
        b't' | b'f' => Some("a boolean"),
        b'n' => Some("null"),
        b'-' | b'0'..=b'9' => Some("a number"),
        _ => None,
    }
}

/// The objects and arrays that are open: a bit each, 1 for an object.
#[derive(Debug, Default)]
struct Nesting {
    objects: u128,
    depth: u32,
}

impl Nesting {
    fn push(&mut self, object: bool) -> Result<(), Problem> {
        if self.depth == DEPTH_MAX {
            return Err(Problem::TooDeep);
        }
        self.objects = (self.objects << 1) | u128::from(object);
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth = self.depth.saturating_sub(1);
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

#[cfg(test)]
mod tests;
