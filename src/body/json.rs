//! Finds the top-level `model` of a JSON object while its bytes pass by, and refuses what is not
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
//! may fall anywhere. The scan goes on after the model to the last byte: a second `model` would
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

mod escapes;
mod machine;
mod nesting;
mod problem;
mod string;
mod text;
mod window;

use super::block::WIDTH;
use super::error::{Problem, ScanError};
use super::found::FoundModel;
pub use super::limits::{DEPTH_MAX, KEY_BYTES_MAX};
use super::number::Number;
use super::text::Text;
use super::utf8::Utf8;
use nesting::Nesting;

/// Reads a JSON object piece by piece.
#[derive(Debug, Default)]
pub struct JsonScanner {
    state: State,
    /// Offset of the byte after the chunk that is being read, or was read last.
    end: u64,
    nesting: Nesting,
    utf8: Utf8,
    text: Text,
    /// The top-level key that was read last is `model`.
    at_model: bool,
    /// `model` is `null`, which does not name a model; a second `model` is refused all the same.
    has_null_model: bool,
    /// Offset of the byte after the quote that opens the text.
    text_start: u64,
    model: Option<FoundModel>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    KeyOrEnd,
    Key,
    Colon,
    Value,
    ValueOrEnd,
    CommaOrEnd,
    /// In a string that nothing is read of.
    Skip(Role),
    SkipEscape(Role),
    /// In a `\uXXXX`, and how many digits are still to come.
    SkipHex(Role, u8),
    /// In a top-level key.
    TopKey,
    /// In the model's value.
    Model,
    Number(Number),
    /// In `true`, `false` or `null`, and how many of its bytes have been read.
    Literal(Literal, u8),
    End,
}

/// What a skipped string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Key,
    Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Literal {
    True,
    False,
    Null,
}

/// A state, and the bytes that are to be read in it.
type Next<'a> = Result<(State, &'a [u8]), ScanError>;

impl JsonScanner {
    /// Reads the next chunk.
    ///
    /// # Errors
    /// The first thing that is wrong, whatever the chunks; nothing may be fed after it.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), ScanError> {
        let base = self.end;
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
        self.end
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
            false => Err(self.error(Problem::Incomplete, &[])),
        }
    }

    fn read(&mut self, chunk: &[u8]) -> Result<(), ScanError> {
        self.end = self.end.saturating_add(chunk.len() as u64);
        let (mut state, mut rest) = (self.state, chunk);
        let mut windows_from = rest.len();
        while let Some(byte) = rest.first() {
            let (next, left) = match state {
                State::Skip(role) => string::skip(role, rest),
                State::TopKey | State::Model => self.text(state, rest)?,
                State::Number(number) => machine::number(number, rest),
                State::Literal(literal, read) => machine::literal(literal, read, rest),
                State::SkipEscape(_) | State::SkipHex(..) => machine::escape(state, rest),
                _ => self.tokens(state, rest, &mut windows_from)?,
            };
            if left.len() == rest.len() && state == next {
                return Err(self.error(self.problem(state, *byte), rest));
            }
            (state, rest) = (next, left);
        }
        self.state = state;
        Ok(())
    }

    /// No window is tried while more than `windows_from` bytes are left.
    fn tokens<'a>(&mut self, state: State, rest: &'a [u8], windows_from: &mut usize) -> Next<'a> {
        if self.nesting.depth() > 0 && !self.at_model && rest.len() <= *windows_from {
            let has_model = self.has_model_key();
            let read = window::read(rest, state, &mut self.nesting, has_model);
            if let Some(text) = read.model {
                self.found_model(rest, text)?;
            }
            if read.bytes > 0 {
                return Ok((read.state, rest.get(read.bytes..).unwrap_or_default()));
            }
            if read.is_refused {
                // At each of the window's tokens the next window would be refused for the same.
                *windows_from = rest.len().saturating_sub(WIDTH);
            }
        }
        Ok(self.structure(state, rest))
    }

    /// Whether `model` has been read as a key, with its value.
    fn has_model_key(&self) -> bool {
        self.model.is_some() || self.has_null_model
    }

    /// Where `rest`, the end of the chunk, begins.
    fn offset_of(&self, rest: &[u8]) -> u64 {
        self.end.saturating_sub(rest.len() as u64)
    }

    /// `problem` is with the first byte of `rest`.
    fn error(&self, problem: Problem, rest: &[u8]) -> ScanError {
        ScanError { problem, offset: self.offset_of(rest) }
    }
}

#[cfg(test)]
mod tests;
