//! What the gateway answers instead of a provider: every status, code and message in one place.

mod known;

pub(crate) use known::*;

use crate::kit::client::Response;
use gaud::request::endpoint::Shape;
use serde_json::{Value, json};

/// One refusal.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    param: Option<&'static str>,
    /// The whole message; where it ends with `…`, Envoy's details follow.
    message: String,
}

fn refusal(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, param: None, message: message.into() }
}

fn about_model(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { param: Some("model"), ..refusal(status, code, message) }
}

impl Refusal {
    /// The same with the whole message.
    pub(crate) fn saying(self, message: &str) -> Self {
        Self { message: message.to_owned(), ..self }
    }

    /// Fails unless `response` is this refusal in this shape.
    #[track_caller]
    pub(crate) fn assert_shape(&self, shape: Shape, what: &str, response: &Response) {
        match shape {
            Shape::OpenAi => self.assert_openai(what, response),
            Shape::Anthropic => self.assert_anthropic(what, response),
            Shape::Gemini => self.assert_gemini(what, response),
        }
    }

    /// Fails unless `response` is this refusal in Gemini's shape.
    #[track_caller]
    pub(crate) fn assert_gemini(&self, what: &str, response: &Response) {
        let status = match self.status {
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            400..500 => "INVALID_ARGUMENT",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            _ => "INTERNAL",
        };
        let code = self.status;
        self.assert(
            what,
            response,
            |message| json!({"error": {"code": code, "message": message, "status": status}}),
        );
    }

    /// Fails unless `response` is this refusal in OpenAI's shape.
    #[track_caller]
    pub(crate) fn assert_openai(&self, what: &str, response: &Response) {
        let kind = if self.status < 500 { "invalid_request_error" } else { "server_error" };
        let (param, code) = (self.param, self.code);
        self.assert(what, response, |message| {
            json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
        });
    }

    /// Fails unless `response` is this refusal in Anthropic's shape.
    #[track_caller]
    pub(crate) fn assert_anthropic(&self, what: &str, response: &Response) {
        let kind = match self.status {
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            400..500 => "invalid_request_error",
            504 => "timeout_error",
            _ => "api_error",
        };
        self.assert(
            what,
            response,
            |message| json!({"type": "error", "error": {"type": kind, "message": message}}),
        );
    }

    #[track_caller]
    fn assert(&self, what: &str, response: &Response, document: impl Fn(&str) -> Value) {
        assert_eq!(response.status, self.status, "{what}: {}", response.text());
        let body = response.json();
        let said = body["error"]["message"].as_str().unwrap_or_default();
        let message = match self.message.strip_suffix('…') {
            Some(start) if said.starts_with(start) => said,
            _ => &self.message,
        };
        assert_eq!(body, document(message), "{what}");
        assert_eq!(response.header("content-type").as_deref(), Some("application/json"), "{what}");
        assert!(response.complete, "{what}");
    }
}
