//! The parameters of a header: `; name=token` and `; name="any text"`, as every parser reads them.

use crate::request::head::is_token;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Param<'a> {
    /// The name, as it was sent: to be compared without case.
    pub(super) name: &'a [u8],
    /// The value, without its quotes and otherwise as it was sent.
    pub(super) value: &'a [u8],
}

impl Param<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether the parameter is `name` in the notation of RFC 2231: `name*=`, `name*0=`, ...
    pub(super) fn is_extended(&self, name: &str) -> bool {
        matches!(self.name.split_at_checked(name.len()),
            Some((begin, [b'*', ..])) if begin.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Why parameters cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No parameter where one should be, no token where one must be, or a string without its end.
    Malformed,
    /// `\"`: parsers disagree whether the string ends here.
    EscapedQuote,
}

/// Splits a header's value: the text before the parameters, and the parameters.
pub(super) fn split_params(value: &[u8]) -> (&[u8], Params<'_>) {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let (head, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    (trim_end(head), Params { rest })
}

/// Reads one parameter after the other, and nothing after an unreadable parameter.
#[derive(Debug)]
pub(super) struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Params<'a> {
    type Item = Result<Param<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = trim_start(std::mem::take(&mut self.rest));
        if rest.is_empty() {
            return None;
        }
        Some(read(rest).map(|(param, after)| {
            self.rest = after;
            param
        }))
    }
}

fn read(rest: &[u8]) -> Result<(Param<'_>, &[u8]), Unreadable> {
    let rest = rest.strip_prefix(b";").ok_or(Unreadable::Malformed)?;
    let (name, rest) = token(trim_start(rest))?;
    let rest = rest.strip_prefix(b"=").ok_or(Unreadable::Malformed)?;
    let (value, rest) = match rest.strip_prefix(b"\"") {
        Some(inner) => quoted(inner)?,
        None => token(rest)?,
    };
    Ok((Param { name, value }, rest))
}

/// The text before the closing quote, and the text after the quote.
fn quoted(inner: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let end = inner.iter().position(|byte| *byte == b'"').ok_or(Unreadable::Malformed)?;
    match inner.split_at_checked(end) {
        Some(([.., b'\\'], _)) => Err(Unreadable::EscapedQuote),
        Some((value, [_, rest @ ..])) => Ok((value, rest)),
        _ => Err(Unreadable::Malformed),
    }
}

/// Removes leading spaces. A tab stays: some parsers do not see a parameter after a tab.
fn trim_start(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    bytes.get(spaces..).unwrap_or_default()
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = bytes {
        bytes = rest;
    }
    bytes
}

/// The token at the start (RFC 9110, section 5.6.2), and the text after the token.
pub(super) fn token(bytes: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let end = bytes.iter().position(|byte| !is_token(*byte)).unwrap_or(bytes.len());
    match bytes.split_at_checked(end) {
        Some((token, rest)) if !token.is_empty() => Ok((token, rest)),
        _ => Err(Unreadable::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::Unreadable::{EscapedQuote, Malformed};
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    type Read<'a> = Result<Vec<(&'a str, &'a str)>, Unreadable>;

    fn read_all(value: &str) -> Read<'_> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let (head, params) = split_params(value.as_bytes());
        assert_eq!(head, b"form-data");
        params.map(|param| param.map(|param| (text(param.name), text(param.value)))).collect()
    }

    #[test]
    fn reads_what_every_parser_reads() {
        let rows: [(&str, Read<'_>); 18] = [
            ("form-data", Ok(vec![])),
            ("form-data; name=model", Ok(vec![("name", "model")])),
            ("form-data;Name=\"a b\" ;  x=y ", Ok(vec![("Name", "a b"), ("x", "y")])),
            ("form-data; f=\"a; name=b\"; name=\"\"", Ok(vec![("f", "a; name=b"), ("name", "")])),
            ("form-data; f=\"C:\\a\\\u{e9}\"", Ok(vec![("f", "C:\\a\\\u{e9}")])),
            ("form-data;", Err(Malformed)),
            // Some parsers drop a part for its last semicolon.
            ("form-data; name=a;", Err(Malformed)),
            ("form-data;\tname=a", Err(Malformed)),
            ("form-data; ; name=a", Err(Malformed)),
            ("form-data; name", Err(Malformed)),
            ("form-data; name=", Err(Malformed)),
            ("form-data; name =a", Err(Malformed)),
            ("form-data; name= a", Err(Malformed)),
            ("form-data; name=a b", Err(Malformed)),
            ("form-data; name=\"a\"b", Err(Malformed)),
            ("form-data; name=\"a", Err(Malformed)),
            ("form-data; f=\"a\\\"; name=b; x=\"", Err(EscapedQuote)),
            ("form-data; f=\"a\\\\\"; name=b", Err(EscapedQuote)),
        ];
        for (value, expected) in rows {
            assert_eq!(read_all(value), expected, "{value}");
        }
    }

    #[test]
    fn knows_the_extended_notation() {
        for (name, expected) in
            [("name*", true), ("NAME*0", true), ("name", false), ("names*", false), ("nam*", false)]
        {
            let param = Param { name: name.as_bytes(), value: b"" };
            assert_eq!(param.is_extended("name"), expected, "{name}");
        }
    }
}
