//! What can be wrong with a body: a [`Problem`] and the byte at which it shows.

use std::fmt;

use super::limits::{DEPTH_MAX, KEY_BYTES_MAX};
use super::multipart::FormProblem;
use crate::request::model::MODEL_BYTES_MAX;

/// Why a body is refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanError {
    pub problem: Problem,
    /// Offset of the offending byte, from 0.
    pub offset: u64,
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Not JSON: something else was expected here.
    Expected(&'static str),
    /// A raw byte below 0x20 inside a string (RFC 8259, section 7).
    ControlCharacter,
    /// A backslash that begins no escape of RFC 8259, section 7.
    InvalidEscape,
    /// Bytes that are not UTF-8 (RFC 8259, section 8.1).
    InvalidUtf8,
    /// More levels of nesting than [`DEPTH_MAX`].
    TooDeep,
    /// The body ended before its object did.
    Incomplete,
    /// Something other than white space after the object.
    TrailingBytes,
    /// A key of the outermost object longer than [`KEY_BYTES_MAX`].
    KeyTooLong,
    /// A second `model` in the outermost object, however it is spelled, or in the form.
    DuplicateModel,
    /// A key of the outermost object, or a field of the form, that is `model` but for the case of its letters.
    ModelInOtherCase,
    /// `model` is neither a string nor `null`, but the kind of value that is named here.
    ModelNotAString(&'static str),
    /// A model longer than [`MODEL_BYTES_MAX`].
    ModelTooLong,
    /// An escape in the model that is half of a surrogate pair: no Unicode character.
    ModelNotUnicode,
    /// A problem that only a form can have.
    Form(FormProblem),
}

impl From<FormProblem> for Problem {
    fn from(problem: FormProblem) -> Self {
        Self::Form(problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::ControlCharacter => f.write_str("unescaped control character in a string"),
            Self::InvalidEscape => f.write_str("invalid escape in a string"),
            Self::InvalidUtf8 => f.write_str("invalid UTF-8"),
            Self::TooDeep => write!(f, "nested deeper than {} levels", DEPTH_MAX),
            Self::Incomplete => f.write_str("the body ends before its JSON object does"),
            Self::TrailingBytes => f.write_str("unexpected bytes after the JSON object"),
            Self::KeyTooLong => {
                write!(f, "a top-level key longer than {} bytes", KEY_BYTES_MAX)
            }
            Self::DuplicateModel => f.write_str("a second 'model'"),
            Self::ModelInOtherCase => {
                f.write_str("'model' with upper-case letters, which some servers read as 'model'")
            }
            Self::ModelNotAString(found) => write!(f, "'model' is {found}, not a string"),
            Self::ModelTooLong => {
                write!(f, "'model' is longer than {} bytes", MODEL_BYTES_MAX)
            }
            Self::ModelNotUnicode => f.write_str("'model' has half a surrogate pair"),
            Self::Form(problem) => problem.fmt(f),
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte offset {}", self.problem, self.offset)
    }
}
