//! A request to the stand-in, and the answer, without HTTP.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// An answer, before it is written as HTTP.
#[derive(Debug)]
pub(super) enum Answer {
    /// A whole JSON body.
    Json(StatusCode, Value),
    /// Server-sent events, each with its closing blank line.
    Events(Vec<String>),
}

/// The part of a request that the stand-in looks at.
#[derive(Debug, Deserialize)]
pub(super) struct Ask {
    pub(super) model: String,
    #[serde(default)]
    pub(super) stream: bool,
    #[serde(default)]
    pub(super) stream_options: StreamOptions,
    #[serde(default)]
    pub(super) input: Value,
    #[serde(default)]
    pub(super) encoding_format: Option<String>,
    #[serde(skip)]
    pub(super) created: u64,
    /// The tokens of the request: roughly one for every four bytes.
    #[serde(skip)]
    pub(super) prompt_tokens: usize,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct StreamOptions {
    #[serde(default)]
    pub(super) include_usage: bool,
}

impl Ask {
    /// The text of every answer.
    pub(super) fn sentence(&self) -> String {
        format!("Hello from the stand-in upstream, which was asked for the model {}.", self.model)
    }
}

/// An error in OpenAI's shape.
pub(super) fn failure(status: StatusCode, message: &str, param: Option<&str>) -> Answer {
    let kind = "invalid_request_error";
    let error = json!({ "message": message, "type": kind, "param": param, "code": null });
    Answer::Json(status, json!({ "error": error }))
}
