//! What can be wrong with a form.

use std::fmt;

use crate::body::limits::HEADERS_BYTES_MAX;

/// What is wrong with a form (RFC 7578), in addition to what can be wrong with any body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormProblem {
    /// The body ended before the closing boundary.
    Incomplete,
    /// Something other than line breaks after the closing boundary.
    TrailingBytes,
    /// A bare LF or CR where some parsers end a line and some do not.
    LineEnding,
    /// Two hyphens before the first boundary that do not begin the boundary.
    OtherBoundary,
    /// Content that begins with the boundary: the line break before the boundary belongs to the headers.
    BoundaryAfterHeaders,
    /// Something other than CRLF or `--` after a boundary.
    AfterBoundary,
    /// Headers of one part longer than [`HEADERS_BYTES_MAX`].
    HeadersTooLong,
    /// A header that goes on in the next line.
    FoldedHeader,
    /// A control character in a header.
    HeaderControlCharacter,
    /// A header that is not UTF-8: some parsers then read nothing of the form.
    HeaderNotUtf8,
    /// A header without a name and a value.
    MalformedHeader,
    /// A part without a content-disposition.
    NoDisposition,
    /// A second content-disposition in one part.
    DuplicateDisposition,
    /// A content-disposition that is not `form-data`, or that cannot be parsed.
    MalformedDisposition,
    /// A backslash before a quote: for some parsers the string ends there, for some not.
    EscapedQuote,
    /// A content-disposition without a name.
    NoName,
    /// A second name in one content-disposition.
    DuplicateName,
    /// A name in RFC 2231's notation, which RFC 7578 forbids.
    ExtendedName,
    /// A name that is `model` for a parser that decodes or trims it.
    AmbiguousName,
    /// A field that would give all others another character set (RFC 7578, section 4.6).
    CharsetField,
    /// `model` with a file name.
    ModelIsFile,
    /// `model` with another content-type than `text/plain`: some parsers take it for a file.
    ModelNotPlainText,
    /// `model` in another character set than UTF-8.
    ModelCharset,
    /// `model` in an encoding that only some parsers decode.
    ModelEncoded,
    /// `model` that is not UTF-8.
    ModelNotUtf8,
}

impl fmt::Display for FormProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "the body ends before the form's closing boundary",
            Self::TrailingBytes => "unexpected bytes after the form's closing boundary",
            Self::LineEnding => "the lines of a form must end with CRLF",
            Self::OtherBoundary => "'--' does not begin the boundary that content-type names",
            Self::BoundaryAfterHeaders => "a part without content needs a CRLF before the boundary",
            Self::AfterBoundary => "a boundary must be followed by CRLF or '--'",
            Self::HeadersTooLong => {
                return write!(f, "the headers of a part exceed {} bytes", HEADERS_BYTES_MAX);
            }
            Self::FoldedHeader => "a header of a part must be one line",
            Self::HeaderControlCharacter => "control character in a header of a part",
            Self::HeaderNotUtf8 => "a header of a part is not valid UTF-8",
            Self::MalformedHeader => "a header of a part must read 'name: value'",
            Self::NoDisposition => "a part has no content-disposition",
            Self::DuplicateDisposition => "a part has a second content-disposition",
            Self::MalformedDisposition => {
                "content-disposition must read 'form-data; name=\"...\"', with further parameters alike"
            }
            Self::EscapedQuote => "content-disposition has '\\\"' in a value: write %22 instead",
            Self::NoName => "content-disposition has no 'name'",
            Self::DuplicateName => "content-disposition has a second 'name'",
            Self::ExtendedName => "content-disposition has 'name*': write 'name' in UTF-8 instead",
            Self::AmbiguousName => "a field's name can be read as 'model' or not: write it plainly",
            Self::CharsetField => "a form must be UTF-8, without a '_charset_' field",
            Self::ModelIsFile => "'model' is a file: send it without a filename",
            Self::ModelNotPlainText => "'model' must be text/plain, or have no content-type",
            Self::ModelCharset => "'model' must be UTF-8: its content-type names another charset",
            Self::ModelEncoded => "'model' must have no content-transfer-encoding but 8bit",
            Self::ModelNotUtf8 => "'model' is not valid UTF-8",
        })
    }
}
