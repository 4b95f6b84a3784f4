//! How a request that may take several attempts reaches the hop: Envoy's router sends the request to the
//! hop again and again, and each time the filter after the hop makes one attempt.
//!
//! ```text
//! client ──> session ──> Envoy's router, which retries ──> hop ──> attempt ──> provider
//! ```
//!
//! Head and body reach the hop as the client sent them. The header [`crate::names::headers::CROSSING`] has the rest.

use crate::body::{Edit, FoundModel, Scanner};
use crate::request::escape::{escaped, unescaped};

/// What an attempt must know of its request, in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// A name that is unique among the requests of this worker.
    pub request: String,
    /// The model that the client asks for.
    pub asked: String,
    /// Where the body names the model.
    pub place: Option<ModelPlace>,
}

/// Where a body names its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelPlace {
    start: u64,
    end: u64,
    is_json: bool,
}

impl ModelPlace {
    /// The place that a scanner has found.
    pub fn of(scanner: &Scanner, found: &FoundModel) -> Self {
        Self { start: found.start, end: found.end, is_json: matches!(scanner, Scanner::Json(_)) }
    }

    /// The edit that replaces the model.
    pub fn edit(self, model: &str) -> Edit {
        let found = FoundModel { value: String::new(), start: self.start, end: self.end };
        if self.is_json { Edit::json_model(&found, model) } else { Edit::form_model(&found, model) }
    }
}

impl Crossing {
    /// The header's value: visible ASCII, whatever the model.
    pub fn to_header(&self) -> String {
        let asked = escaped(&self.asked, false);
        match self.place {
            Some(ModelPlace { start, end, is_json }) => {
                let kind = if is_json { "json" } else { "form" };
                format!("{};{asked};{kind};{start};{end}", self.request)
            }
            None => format!("{};{asked}", self.request),
        }
    }

    pub fn from_header(header: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(header).ok()?.split(';');
        let (request, asked) = (parts.next()?.to_owned(), parts.next()?);
        let place = match parts.next() {
            Some(kind) => Some(ModelPlace {
                is_json: kind == "json",
                start: parts.next()?.parse().ok()?,
                end: parts.next()?.parse().ok()?,
            }),
            None => None,
        };
        Some(Self { request, asked: String::from_utf8(unescaped(asked)).ok()?, place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_header_has_all_that_an_attempt_needs() {
        let json = Some(ModelPlace { start: 10, end: 12, is_json: true });
        let form = Some(ModelPlace { start: 0, end: u64::MAX, is_json: false });
        for (asked, place, expected) in [
            ("gpt-4o", json, "17-1;gpt-4o;json;10;12"),
            ("a;b/ä", form, "17-1;a%3Bb%2F%C3%A4;form;0;18446744073709551615"),
            ("p:x", None, "17-1;p:x"),
        ] {
            let crossing = Crossing { request: "17-1".to_owned(), asked: asked.to_owned(), place };
            assert_eq!(crossing.to_header(), expected);
            assert_eq!(Crossing::from_header(expected.as_bytes()), Some(crossing));
        }
        for bad in
            [&b""[..], b"1", b"1;a;json", b"1;a;json;1", b"1;%ff", b"1;a;json;x;1", b"\xff;a"]
        {
            assert_eq!(Crossing::from_header(bad), None);
        }
    }
}
