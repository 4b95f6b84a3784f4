//! One scanner for bodies of every format.

use super::edit::Edit;
use super::error::ScanError;
use super::found::FoundModel;
use super::json::JsonScanner;
use super::multipart::FormScanner;

/// Reads a body of one of the known formats, piece by piece.
#[derive(Debug)]
pub enum Scanner {
    /// A JSON object.
    Json(JsonScanner),
    /// A `multipart/form-data` form.
    Form(FormScanner),
}

impl Scanner {
    /// Reads the next chunk.
    ///
    /// # Errors
    /// The first thing that is wrong, whatever the chunks; nothing may be fed after it.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), ScanError> {
        match self {
            Self::Json(json) => json.feed(chunk),
            Self::Form(form) => form.feed(chunk),
        }
    }

    /// The model, as soon as the whole value has come.
    pub fn model(&self) -> Option<&FoundModel> {
        match self {
            Self::Json(json) => json.model(),
            Self::Form(form) => form.model(),
        }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        match self {
            Self::Json(json) => json.offset(),
            Self::Form(form) => form.offset(),
        }
    }

    /// Whether the object or the form has ended: no byte that counts may follow.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Json(json) => json.is_complete(),
            Self::Form(form) => form.is_complete(),
        }
    }

    /// The body has ended.
    ///
    /// # Errors
    /// When the object or the form has not.
    pub fn finish(&self) -> Result<(), ScanError> {
        match self {
            Self::Json(json) => json.finish(),
            Self::Form(form) => form.finish(),
        }
    }

    /// The edit that replaces the model by `name`; `None` while no model is found.
    pub fn edit(&self, name: &str) -> Option<Edit> {
        let found = self.model()?;
        Some(match self {
            Self::Json(_) => Edit::json_model(found, name),
            Self::Form(_) => Edit::form_model(found, name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::multipart::Boundary;
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn edits_in_the_format_of_the_body() {
        let boundary = Boundary::parse(b"multipart/form-data; boundary=b").unwrap();
        let head = "--b\r\ncontent-disposition: form-data; name=model\r\n\r\n";
        for (mut scanner, body, expected) in [
            (
                Scanner::Json(JsonScanner::default()),
                r#"{"model":"\u0061"}"#.to_owned(),
                r#"{"model":"\"b\""}"#.to_owned(),
            ),
            (
                Scanner::Form(FormScanner::new(boundary)),
                format!("{head}a\r\n--b--\r\n"),
                format!("{head}\"b\"\r\n--b--\r\n"),
            ),
        ] {
            assert_eq!(scanner.edit("x"), None);
            scanner.feed(body.as_bytes()).unwrap();
            assert!(scanner.is_complete());
            scanner.finish().unwrap();
            assert_eq!(scanner.offset(), body.len() as u64);
            assert_eq!(scanner.model().unwrap().value, "a");
            let edit = scanner.edit("\"b\"").unwrap();
            assert_eq!(edit.apply(body.into_bytes()), expected.as_bytes());
        }
    }
}
