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
//! Parsers are lenient, each in a different way: some end a line at a bare LF, some decode a name, some
//! take a part with certain headers for a file. The gateway must read what the provider reads, with any
//! parser; so a form that two parsers could read differently is refused.
//!
//! Nothing is kept but one line of a part's headers and the model, both bounded. In the bytes of a file
//! the scanner looks only for a line break followed by a hyphen, 32 bytes at a time.
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
use search::BoundarySearch;

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
    state: FormState,
    /// Bytes read so far.
    offset: u64,
    search: BoundarySearch,
    /// The header that is being read.
    line: Vec<u8>,
    /// Bytes of this part's headers so far.
    headers_bytes: usize,
    part: Part,
    /// The content of the part `model`, while that is being read.
    value: Option<ModelValue>,
    model: Option<FoundModel>,
}

#[derive(Debug)]
struct ModelValue {
    /// The content, with the bytes that may turn out to be a delimiter.
    bytes: Vec<u8>,
    start: u64,
    ascii: bool,
}

#[derive(Debug, Clone, Copy)]
enum FormState {
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
            state: FormState::Preamble { hyphen: false },
            offset: 0,
            search: BoundarySearch::at_start(),
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

    /// The model, as soon as the delimiter after its part was read.
    pub fn model(&self) -> Option<&FoundModel> {
        self.model.as_ref()
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the closing delimiter was read: only line breaks may follow.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, FormState::Epilogue | FormState::EpilogueCr)
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`FormProblem::Incomplete`] when its form has not; [`FormProblem::TrailingBytes`] when it
    /// ends amid a line break.
    pub fn finish(&self) -> Result<(), ScanError> {
        match self.state {
            FormState::Epilogue => Ok(()),
            FormState::EpilogueCr => Err(self.error(FormProblem::TrailingBytes.into())),
            _ => Err(self.error(FormProblem::Incomplete.into())),
        }
    }

    fn error(&self, problem: Problem) -> ScanError {
        ScanError { problem, offset: self.offset }
    }

    /// Whether the next bytes are content that is not kept, in the middle of a line.
    fn may_skip(&self) -> bool {
        matches!(self.state, FormState::Content) && self.value.is_none() && self.search.is_idle()
    }

    fn step(&mut self, byte: u8) -> Result<FormState, Problem> {
        match (self.state, byte) {
            (FormState::Preamble { hyphen }, _) => self.preamble(hyphen, byte),
            (FormState::Delimiter, b'\r') => Ok(FormState::DelimiterCr),
            (FormState::Delimiter, b'-') => Ok(FormState::DelimiterHyphen),
            (FormState::DelimiterCr, b'\n') => {
                self.end_part()?;
                Ok(FormState::Headers)
            }
            (FormState::DelimiterHyphen, b'-') => {
                self.end_part()?;
                Ok(FormState::Epilogue)
            }
            (FormState::Delimiter, b'\n') | (FormState::DelimiterCr, _) => {
                Err(FormProblem::LineEnding.into())
            }
            (FormState::Delimiter | FormState::DelimiterHyphen, _) => {
                Err(FormProblem::AfterBoundary.into())
            }
            (FormState::Headers, b'\r') => Ok(FormState::HeadersCr),
            (FormState::HeadersCr, b'\n') => self.end_line(),
            (FormState::Headers, b'\n') | (FormState::HeadersCr, _) => {
                Err(FormProblem::LineEnding.into())
            }
            (FormState::Headers, _) => self.header_byte(byte),
            (FormState::Content, _) => self.content(byte),
            (FormState::Epilogue, b'\r') => Ok(FormState::EpilogueCr),
            (FormState::EpilogueCr, b'\n') => Ok(FormState::Epilogue),
            (FormState::Epilogue | FormState::EpilogueCr, _) => {
                Err(FormProblem::TrailingBytes.into())
            }
        }
    }

    /// Before the first boundary. Some parsers find a boundary within a line too: so two hyphens must begin the boundary.
    fn preamble(&mut self, hyphen: bool, byte: u8) -> Result<FormState, Problem> {
        let matched = self.search.matched();
        if self.search.push(byte, self.boundary.line())? {
            return Ok(FormState::Delimiter);
        }
        let is_hyphen = byte == b'-';
        let goes_on = self.search.matched() > matched;
        let has_two_hyphens = matched >= 2 || (hyphen && is_hyphen);
        if has_two_hyphens && !goes_on {
            return Err(FormProblem::OtherBoundary.into());
        }
        Ok(FormState::Preamble { hyphen: is_hyphen })
    }

    fn header_byte(&mut self, byte: u8) -> Result<FormState, Problem> {
        let problem = match byte {
            _ if self.headers_bytes >= HEADERS_BYTES_MAX => FormProblem::HeadersTooLong,
            b' ' | b'\t' if self.line.is_empty() => FormProblem::FoldedHeader,
            _ if byte.is_ascii_control() && byte != b'\t' => FormProblem::HeaderControlCharacter,
            _ => {
                self.line.push(byte);
                self.headers_bytes = self.headers_bytes.saturating_add(1);
                return Ok(FormState::Headers);
            }
        };
        Err(problem.into())
    }

    fn end_line(&mut self) -> Result<FormState, Problem> {
        if !self.line.is_empty() {
            self.part.header(&self.line)?;
            self.line.clear();
            self.headers_bytes = self.headers_bytes.saturating_add(2);
            return Ok(FormState::Headers);
        }
        if let Content::Model { ascii } = self.part.content()? {
            if self.model.is_some() {
                return Err(Problem::DuplicateModel);
            }
            let start = self.offset.saturating_add(1);
            self.value = Some(ModelValue { bytes: Vec::new(), start, ascii });
        }
        self.search = BoundarySearch::after_headers();
        Ok(FormState::Content)
    }

    fn content(&mut self, byte: u8) -> Result<FormState, Problem> {
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
        Ok(if found { FormState::Delimiter } else { FormState::Content })
    }

    /// A delimiter was read: the first, or the delimiter after a part.
    fn end_part(&mut self) -> Result<(), Problem> {
        self.part = Part::default();
        self.headers_bytes = 0;
        let Some(ModelValue { bytes, start, ascii }) = self.value.take() else { return Ok(()) };
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
