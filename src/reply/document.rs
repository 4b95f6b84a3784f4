//! The shapes in which clients read errors.

use std::rc::Rc;

use serde::Serialize;

use super::{Code, json};
use crate::request::endpoint::Shape;

impl Code {
    /// The whole error document, as JSON.
    pub fn document(self, shape: Shape, message: &str, param: Option<&str>) -> Rc<str> {
        let kind = if self.status() < 500 { "invalid_request_error" } else { "server_error" };
        self.document_of(kind, shape, message, param)
    }

    /// The same with OpenAI's `type`.
    pub(super) fn document_of(
        self,
        kind: &str,
        shape: Shape,
        message: &str,
        param: Option<&str>,
    ) -> Rc<str> {
        match shape {
            Shape::OpenAi => json(&OpenAiDocument {
                error: OpenAiError { message, kind, param, code: self.as_str() },
            }),
            Shape::Anthropic => json(&AnthropicDocument {
                kind: "error",
                error: AnthropicError { kind: self.anthropic_type(), message },
            }),
            Shape::Gemini => json(&GeminiDocument {
                error: GeminiError { code: self.status(), message, status: self.google_status() },
            }),
        }
    }

    /// <https://docs.anthropic.com/en/api/errors>
    fn anthropic_type(self) -> &'static str {
        match self.status() {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            400..500 => "invalid_request_error",
            504 => "timeout_error",
            _ => "api_error",
        }
    }

    /// <https://cloud.google.com/apis/design/errors#error_model>
    fn google_status(self) -> &'static str {
        match self.status() {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            400..500 => "INVALID_ARGUMENT",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            _ => "INTERNAL",
        }
    }
}

#[derive(Serialize)]
struct OpenAiDocument<'a> {
    error: OpenAiError<'a>,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: &'a str,
}

#[derive(Serialize)]
struct AnthropicDocument<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    error: AnthropicError<'a>,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct GeminiDocument<'a> {
    error: GeminiError<'a>,
}

#[derive(Serialize)]
struct GeminiError<'a> {
    code: u32,
    message: &'a str,
    status: &'a str,
}
