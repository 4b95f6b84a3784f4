//! The name of a model, as a client asks for it.

use std::fmt;

/// The longest model name, in bytes of UTF-8. The longest that providers use are ARNs of about
/// 150 bytes.
pub const MODEL_BYTES_MAX: usize = 512;

/// A model's name: not empty, at most [`MODEL_BYTES_MAX`] bytes, no control characters; so it can
/// be shown in an error or a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName(String);

/// Why a string cannot be a model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidModel {
    /// The string is empty.
    Empty,
    /// It is longer than [`MODEL_BYTES_MAX`].
    TooLong,
    /// It has a control character (C0, DEL or C1).
    ControlCharacter,
}

impl ModelName {
    /// Whether `name` is one.
    ///
    /// # Errors
    /// Why it is none.
    #[inline(never)]
    pub fn check(name: &str) -> Result<(), InvalidModel> {
        if name.is_empty() {
            return Err(InvalidModel::Empty);
        }
        if name.len() > MODEL_BYTES_MAX {
            return Err(InvalidModel::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(InvalidModel::ControlCharacter);
        }
        Ok(())
    }

    /// The name as the client wrote it, escapes decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ModelName {
    type Error = InvalidModel;

    fn try_from(name: String) -> Result<Self, InvalidModel> {
        Self::check(&name).map(|()| Self(name))
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong => write!(f, "is longer than {MODEL_BYTES_MAX} bytes"),
            Self::ControlCharacter => f.write_str("has a control character"),
        }
    }
}
