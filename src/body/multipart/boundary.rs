//! The boundary, as a content-type names it (RFC 2046, section 5.1.1).

use super::params::{Param, split_params};
use std::fmt;

/// RFC 2046, section 5.1.1.
const BYTES_MAX: usize = 70;

/// What separates the parts of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// Two hyphens and the boundary: how a delimiter's line begins.
    line: Vec<u8>,
}

/// Why a content-type names no boundary that every parser reads alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundaryProblem {
    /// The content-type has no boundary.
    /// The media type has upper-case letters, or something after it: some servers read no form then.
    MediaType,
    Missing,
    Empty,
    /// The boundary is longer than 70 bytes.
    TooLong,
    /// The boundary has a character that RFC 2046 does not allow, or ends with a space.
    Character,
    /// The content-type has two boundaries.
    Duplicate,
    /// The boundary or the charset is in the notation of RFC 2231.
    Extended,
    /// The parameters cannot be parsed.
    Malformed,
    /// There is a charset other than UTF-8: some parsers would read names and values in it.
    Charset,
}

impl Boundary {
    /// Reads the boundary of a `multipart/form-data` content-type.
    ///
    /// ```
    /// use gaud::body::Boundary;
    ///
    /// assert!(Boundary::parse(b"multipart/form-data; boundary=----formdata-0123").is_ok());
    /// assert!(Boundary::parse(b"multipart/form-data").is_err());
    /// ```
    ///
    /// # Errors
    /// The content-type has no boundary that every parser reads alike.
    pub fn parse(content_type: &[u8]) -> Result<Self, BoundaryProblem> {
        let mut found = None;
        let (media_type, params) = split_params(content_type);
        if media_type != b"multipart/form-data" {
            return Err(BoundaryProblem::MediaType);
        }
        for param in params {
            let param = param.map_err(|_| BoundaryProblem::Malformed)?;
            if param.is_extended("boundary") || param.is_extended("charset") {
                return Err(BoundaryProblem::Extended);
            }
            if param.is("charset") && !is_utf8(param) {
                return Err(BoundaryProblem::Charset);
            }
            if param.is("boundary") && found.replace(param.value).is_some() {
                return Err(BoundaryProblem::Duplicate);
            }
        }
        Self::new(found.ok_or(BoundaryProblem::Missing)?)
    }

    fn new(boundary: &[u8]) -> Result<Self, BoundaryProblem> {
        match boundary {
            [] => Err(BoundaryProblem::Empty),
            _ if boundary.len() > BYTES_MAX => Err(BoundaryProblem::TooLong),
            [.., b' '] => Err(BoundaryProblem::Character),
            // A backslash is not allowed: parsers do not agree on what a backslash escapes.
            _ if boundary.iter().all(|byte| is_boundary(*byte)) => {
                Ok(Self { line: [b"--", boundary].concat() })
            }
            _ => Err(BoundaryProblem::Character),
        }
    }

    /// How a delimiter's line begins: two hyphens and the boundary.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}

fn is_boundary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte)
}

pub(super) fn is_utf8(charset: Param<'_>) -> bool {
    [&b"utf-8"[..], b"utf8"].iter().any(|name| charset.value.eq_ignore_ascii_case(name))
}

impl fmt::Display for BoundaryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MediaType => "content-type must begin with 'multipart/form-data;', in lower case",
            Self::Missing => "content-type names no boundary",
            Self::Empty => "the boundary is empty",
            Self::TooLong => "the boundary is longer than 70 bytes",
            Self::Character => "the boundary has a character that RFC 2046 does not allow there",
            Self::Duplicate => "content-type names a second boundary",
            Self::Extended => "content-type has 'boundary*' or 'charset*': leave out the asterisk",
            Self::Malformed => {
                "content-type is malformed: a boundary of more than letters, digits and \
                 \"'+_-.\" must be quoted"
            }
            Self::Charset => "a form must be UTF-8: content-type names another charset",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::BoundaryProblem::*;
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[track_caller]
    fn check(params: &str, expected: Result<&str, BoundaryProblem>) {
        let found = Boundary::parse(format!("multipart/form-data{params}").as_bytes());
        let expected = expected.map(|boundary| format!("--{boundary}").into_bytes());
        assert_eq!(found.map(|found| found.line), expected, "{params}");
    }

    #[test]
    fn reads_what_clients_send() {
        check("; boundary=----WebKitFormBoundary7MA4YWxk", Ok("----WebKitFormBoundary7MA4YWxk"));
        check(";boundary=x", Ok("x"));
        check(" ; charset=UTF-8; Boundary=\"a b:c\"", Ok("a b:c"));
        check("; BOUNDARY=\"=_Part_1.2/(?)'+,\"; charset=\"utf8\"", Ok("=_Part_1.2/(?)'+,"));
        let longest = "b".repeat(70);
        check(&format!("; boundary={longest}"), Ok(&longest));
    }

    #[test]
    fn refuses_what_parsers_read_differently() {
        for (params, problem) in [
            ("", Missing),
            ("; charset=utf-8", Missing),
            ("; boundary=\"\"", Empty),
            ("; boundary=a; boundary=a", Duplicate),
            ("; boundary=a; BOUNDARY=\"b\"", Duplicate),
            ("; boundary*=utf-8''a", Extended),
            ("; boundary*0=a; boundary*1=b", Extended),
            ("; boundary=a; charset*=utf-8''utf-7", Extended),
            ("; boundary=", Malformed),
            ("; boundary=a:b", Malformed),
            ("; boundary=a b", Malformed),
            ("; boundary = a", Malformed),
            ("; boundary=a, multipart/form-data; boundary=b", Malformed),
            ("; boundary=\"a\\\"", Malformed),
            ("; boundary=\"a\\-b\"", Character),
            ("; boundary=\"a \"", Character),
            ("; boundary=\"\u{e9}\"", Character),
            ("; boundary=a%20", Character),
            ("; boundary=a; charset=utf-16", Charset),
            ("; charset=cp037; boundary=a", Charset),
        ] {
            check(params, Err(problem));
        }
        check(&format!("; boundary={}", "b".repeat(71)), Err(TooLong));
    }

    #[test]
    fn says_what_is_wrong() {
        for (problem, text) in [
            (Missing, "content-type names no boundary"),
            (Empty, "the boundary is empty"),
            (TooLong, "the boundary is longer than 70 bytes"),
            (Character, "the boundary has a character that RFC 2046 does not allow there"),
            (Duplicate, "content-type names a second boundary"),
            (Extended, "content-type has 'boundary*' or 'charset*': leave out the asterisk"),
            (
                Malformed,
                "content-type is malformed: a boundary of more than letters, digits and \"'+_-.\" \
                 must be quoted",
            ),
            (Charset, "a form must be UTF-8: content-type names another charset"),
        ] {
            assert_eq!(problem.to_string(), text);
        }
    }
}
