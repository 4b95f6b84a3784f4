//! The headers of a part: which field the part is, and whether all parsers read the headers alike.

use super::boundary::is_utf8;
use super::params::{Param, Unreadable, split_params, token};
use super::problem::FormProblem;
use crate::request::field::spells;

/// What the headers said so far.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Whether the field is `model`, when there was a content-disposition.
    is_model: Option<bool>,
    /// What is wrong with the field, if the field is `model`.
    flaw: Option<FormProblem>,
    /// The content must be ASCII: its character set agrees with UTF-8 in ASCII alone.
    ascii: bool,
}

/// What the content of a part is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Model {
        /// Whether the content must be ASCII.
        ascii: bool,
    },
    Other,
}

impl Part {
    /// Reads one header, without its line break.
    pub(super) fn header(&mut self, line: &[u8]) -> Result<(), FormProblem> {
        if std::str::from_utf8(line).is_err() {
            return Err(FormProblem::HeaderNotUtf8);
        }
        // A name with hyphens in front could be the boundary.
        let named = token(line).ok().filter(|_| !line.starts_with(b"--"));
        let Some((name, [b':', value @ ..])) = named else {
            return Err(FormProblem::MalformedHeader);
        };
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        let value = value.trim_ascii();
        if is("content-disposition") {
            self.disposition(value)?;
        } else if is("content-type") {
            self.content_type(value);
        } else if is("content-transfer-encoding") {
            let plain = [&b"7bit"[..], b"8bit", b"binary"];
            if !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
                self.flaw(FormProblem::ModelEncoded);
            }
        }
        Ok(())
    }

    /// The headers have ended.
    pub(super) fn content(&self) -> Result<Content, FormProblem> {
        match (self.is_model, self.flaw) {
            (None, _) => Err(FormProblem::NoDisposition),
            (Some(false), _) => Ok(Content::Other),
            (Some(true), Some(flaw)) => Err(flaw),
            (Some(true), None) => Ok(Content::Model { ascii: self.ascii }),
        }
    }

    /// Remembers the first flaw.
    fn flaw(&mut self, flaw: FormProblem) {
        self.flaw.get_or_insert(flaw);
    }

    fn disposition(&mut self, value: &[u8]) -> Result<(), FormProblem> {
        if self.is_model.is_some() {
            return Err(FormProblem::DuplicateDisposition);
        }
        let (kind, params) = split_params(value);
        if !kind.eq_ignore_ascii_case(b"form-data") {
            return Err(FormProblem::MalformedDisposition);
        }
        for param in params {
            let param = param.map_err(|unreadable| match unreadable {
                Unreadable::Malformed => FormProblem::MalformedDisposition,
                Unreadable::EscapedQuote => FormProblem::EscapedQuote,
            })?;
            self.disposition_param(param)?;
        }
        self.is_model.map(drop).ok_or(FormProblem::NoName)
    }

    fn disposition_param(&mut self, param: Param<'_>) -> Result<(), FormProblem> {
        if param.is_extended("name") {
            return Err(FormProblem::ExtendedName);
        }
        if param.is("filename") || param.is_extended("filename") {
            self.flaw(FormProblem::ModelIsFile);
        }
        if param.is("name") && self.is_model.replace(is_model(param.value)?).is_some() {
            return Err(FormProblem::DuplicateName);
        }
        Ok(())
    }

    /// For `model`: text in a character set that has the bytes of UTF-8 for the text.
    fn content_type(&mut self, value: &[u8]) {
        let (kind, params) = split_params(value);
        if !kind.eq_ignore_ascii_case(b"text/plain") {
            self.flaw(FormProblem::ModelNotPlainText);
        }
        for param in params {
            match param {
                Ok(charset) if charset.is("charset") && !is_utf8(charset) => {
                    self.ascii = true;
                    if !is_like_ascii(charset.value) {
                        self.flaw(FormProblem::ModelCharset);
                    }
                }
                Ok(param) if param.is_extended("charset") => self.flaw(FormProblem::ModelCharset),
                Ok(_) => {}
                Err(_) => self.flaw(FormProblem::ModelNotPlainText),
            }
        }
    }
}

/// ISO-8859-1 is the default of Java's clients.
fn is_like_ascii(charset: &[u8]) -> bool {
    [&b"us-ascii"[..], b"iso-8859-1"].iter().any(|name| charset.eq_ignore_ascii_case(name))
}

fn is_model(name: &[u8]) -> Result<bool, FormProblem> {
    match name {
        b"model" => Ok(true),
        _ if spells(name, b"model") || name.windows(2).any(|pair| pair == b"=?") => {
            Err(FormProblem::AmbiguousName)
        }
        _ if spells(name, b"_charset_") => Err(FormProblem::CharsetField),
        _ => Ok(false),
    }
}
