//! Finds the `model` field of a `multipart/form-data` body (RFC 7578) while its bytes pass by.
//!
//! ```text
//!            --b              CRLF           empty line
//!  Preamble ─────> Delimiter ──────> Headers ──────────> Content ──┐
//!                    ^  │  --                                      │ CRLF--b
//!                    │  └──────> Epilogue (line breaks only)       │
//!                    └─────────────────────────────────────────────┘
//! ```
//!
//! Parsers are lenient, each in its own way: some end a line at a bare LF, some decode a name, some
//! take a part with this header or that for a file. What the gateway reads must be what the
//! provider reads, whichever it has; so whatever two of them could read differently is refused.
//!
//! Nothing is kept but one line of a part's headers and the model, both bounded. A file's bytes are
//! looked at for a line break with a hyphen behind it, 32 at a time, and for nothing else.
//!
//! ```
//! use gaud::body::{Boundary, FormScanner};
//!
//! let boundary = Boundary::parse(b"multipart/form-data; boundary=b").expect("it is one");
//! let mut scanner = FormScanner::new(boundary);
//! scanner.feed(b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhis")?;
//! assert!(scanner.model().is_none());
//! scanner.feed(b"per-1\r\n--b--\r\n")?;
//! let model = scanner.model().expect("its part is complete");
//! assert_eq!((model.value.as_str(), model.start, model.end), ("whisper-1", 53, 62));
//! scanner.finish()?;
//! # Ok::<(), gaud::body::ScanError>(())
//! ```

use super::error::{Problem, ScanError};
use super::found::FoundModel;
use super::limits::HEADERS_BYTES_MAX;
use crate::request::model::MODEL_BYTES_MAX;
use part::{Content, Part};
use search::Search;

mod boundary;
mod params;
mod part;
mod problem;
mod search;

pub use boundary::{Boundary, BoundaryProblem};
pub use problem::FormProblem;

/// Reads a form piece by piece.
#[derive(Debug)]
pub struct FormScanner {
    boundary: Boundary,
    state: State,
    /// Bytes read so far.
    offset: u64,
    search: Search,
    /// The header that is being read.
    line: Vec<u8>,
    /// Bytes of this part's headers so far.
    headers_bytes: usize,
    part: Part,
    /// The content of the part `model`, while that is being read.
    value: Option<Value>,
    model: Option<FoundModel>,
}

#[derive(Debug)]
struct Value {
    /// With what may turn out to be a delimiter.
    bytes: Vec<u8>,
    start: u64,
    ascii: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Preamble {
        /// The byte before was a hyphen.
        hyphen: bool,
    },
    Delimiter,
    DelimiterCr,
    DelimiterHyphen,
    Headers,
    HeadersCr,
    Content,
    Epilogue,
    EpilogueCr,
}

impl FormScanner {
    /// Begins a form with this boundary.
    pub fn new(boundary: Boundary) -> Self {
        Self {
            boundary,
            state: State::Preamble { hyphen: false },
            offset: 0,
            search: Search::at_start(),
            line: Vec::new(),
            headers_bytes: 0,
            part: Part::default(),
            value: None,
            model: None,
        }
    }

    /// Reads the next chunk.
    ///
    /// # Errors
    /// The first thing that is wrong, whatever the chunks; nothing may be fed after it.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), ScanError> {
        let mut rest = chunk;
        while let Some((&byte, tail)) = rest.split_first() {
            let skipped = if self.may_skip() { search::skip(rest) } else { 0 };
            if skipped > 0 {
                self.offset = self.offset.saturating_add(skipped as u64);
                rest = rest.get(skipped..).unwrap_or_default();
                continue;
            }
            self.state = self.step(byte).map_err(|problem| self.error(problem))?;
            self.offset = self.offset.saturating_add(1);
            rest = tail;
        }
        Ok(())
    }

    /// The model, as soon as the delimiter behind its part was read.
    pub fn model(&self) -> Option<&FoundModel> {
        self.model.as_ref()
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the closing delimiter was read: only line breaks may follow.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Epilogue | State::EpilogueCr)
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`FormProblem::Incomplete`] when its form has not; [`FormProblem::TrailingBytes`] when it
    /// ends amid a line break.
    pub fn finish(&self) -> Result<(), ScanError> {
        match self.state {
            State::Epilogue => Ok(()),
            State::EpilogueCr => Err(self.error(FormProblem::TrailingBytes.into())),
            _ => Err(self.error(FormProblem::Incomplete.into())),
        }
    }

    fn error(&self, problem: Problem) -> ScanError {
        ScanError { problem, offset: self.offset }
    }

    /// Whether the bytes that come are content that nobody needs, amid a line.
    fn may_skip(&self) -> bool {
        matches!(self.state, State::Content) && self.value.is_none() && self.search.is_idle()
    }

    fn step(&mut self, byte: u8) -> Result<State, Problem> {
        match (self.state, byte) {
            (State::Preamble { hyphen }, _) => self.preamble(hyphen, byte),
            (State::Delimiter, b'\r') => Ok(State::DelimiterCr),
            (State::Delimiter, b'-') => Ok(State::DelimiterHyphen),
            (State::DelimiterCr, b'\n') => {
                self.end_part()?;
                Ok(State::Headers)
            }
            (State::DelimiterHyphen, b'-') => {
                self.end_part()?;
                Ok(State::Epilogue)
            }
            (State::Delimiter, b'\n') | (State::DelimiterCr, _) => {
                Err(FormProblem::LineEnding.into())
            }
            (State::Delimiter | State::DelimiterHyphen, _) => {
                Err(FormProblem::AfterBoundary.into())
            }
            (State::Headers, b'\r') => Ok(State::HeadersCr),
            (State::HeadersCr, b'\n') => self.end_line(),
            (State::Headers, b'\n') | (State::HeadersCr, _) => Err(FormProblem::LineEnding.into()),
            (State::Headers, _) => self.header_byte(byte),
            (State::Content, _) => self.content(byte),
            (State::Epilogue, b'\r') => Ok(State::EpilogueCr),
            (State::EpilogueCr, b'\n') => Ok(State::Epilogue),
            (State::Epilogue | State::EpilogueCr, _) => Err(FormProblem::TrailingBytes.into()),
        }
    }

    /// Before the first boundary, which some parsers find within a line, too: what may begin one
    /// must be it.
    fn preamble(&mut self, hyphen: bool, byte: u8) -> Result<State, Problem> {
        let matched = self.search.matched();
        if self.search.push(byte, self.boundary.line())? {
            return Ok(State::Delimiter);
        }
        let is_hyphen = byte == b'-';
        let goes_on = self.search.matched() > matched;
        let has_two_hyphens = matched >= 2 || (hyphen && is_hyphen);
        if has_two_hyphens && !goes_on {
            return Err(FormProblem::OtherBoundary.into());
        }
        Ok(State::Preamble { hyphen: is_hyphen })
    }

    fn header_byte(&mut self, byte: u8) -> Result<State, Problem> {
        let problem = match byte {
            _ if self.headers_bytes >= HEADERS_BYTES_MAX => FormProblem::HeadersTooLong,
            b' ' | b'\t' if self.line.is_empty() => FormProblem::FoldedHeader,
            _ if byte.is_ascii_control() && byte != b'\t' => FormProblem::HeaderControlCharacter,
            _ => {
                self.line.push(byte);
                self.headers_bytes = self.headers_bytes.saturating_add(1);
                return Ok(State::Headers);
            }
        };
        Err(problem.into())
    }

    fn end_line(&mut self) -> Result<State, Problem> {
        if !self.line.is_empty() {
            self.part.header(&self.line)?;
            self.line.clear();
            self.headers_bytes = self.headers_bytes.saturating_add(2);
            return Ok(State::Headers);
        }
        if let Content::Model { ascii } = self.part.content()? {
            if self.model.is_some() {
                return Err(Problem::DuplicateModel);
            }
            let start = self.offset.saturating_add(1);
            self.value = Some(Value { bytes: Vec::new(), start, ascii });
        }
        self.search = Search::behind_headers();
        Ok(State::Content)
    }

    fn content(&mut self, byte: u8) -> Result<State, Problem> {
        let found = self.search.push(byte, self.boundary.line())?;
        if let Some(value) = &mut self.value {
            value.bytes.push(byte);
            let length = value.bytes.len().saturating_sub(self.search.pending());
            if length > MODEL_BYTES_MAX {
                return Err(Problem::ModelTooLong);
            }
            if found {
                value.bytes.truncate(length);
            }
        }
        Ok(if found { State::Delimiter } else { State::Content })
    }

    /// The delimiter behind a part, or the first one, was read.
    fn end_part(&mut self) -> Result<(), Problem> {
        self.part = Part::default();
        self.headers_bytes = 0;
        let Some(Value { bytes, start, ascii }) = self.value.take() else { return Ok(()) };
        if ascii && !bytes.is_ascii() {
            return Err(FormProblem::ModelCharset.into());
        }
        let end = start.saturating_add(bytes.len() as u64);
        let value = String::from_utf8(bytes).map_err(|_| FormProblem::ModelNotUtf8)?;
        self.model = Some(FoundModel { value, start, end });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
