//! What the stand-in says: a method, a path and a body in, an [`Answer`] out, and no sockets.

use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{completion, embedding, responses};

/// What `GET /v1/models` lists. Any other model is served as well.
const MODELS: [&str; 4] = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "text-embedding-3-small"];

/// One answer, not yet in HTTP's words.
#[derive(Debug)]
pub(super) enum Answer {
    /// A whole JSON body.
    Json(StatusCode, Value),
    /// Server-sent events, each complete with its own blank line.
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
    /// What the request costs: roughly a token for every four bytes.
    #[serde(skip)]
    pub(super) prompt_tokens: usize,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct StreamOptions {
    #[serde(default)]
    pub(super) include_usage: bool,
}

impl Ask {
    /// The sentence that every answer is made of.
    pub(super) fn sentence(&self) -> String {
        format!("Hello from the stand-in upstream, which was asked for the model {}.", self.model)
    }
}

/// Answers one request; `created` is the time to put into it, in seconds since 1970.
pub(super) fn answer(method: &Method, path: &str, body: &[u8], created: u64) -> Answer {
    match *method {
        Method::GET => read(path, created),
        Method::POST => write(path, body, created),
        _ => None,
    }
    .unwrap_or_else(|| {
        failure(StatusCode::NOT_FOUND, &format!("Invalid URL ({method} {path})"), None)
    })
}

fn read(path: &str, created: u64) -> Option<Answer> {
    let value = match path {
        "/health/liveliness" => json!("I'm alive!"),
        "/v1/models" => {
            json!({ "object": "list", "data": MODELS.map(|id| model(id, created)) })
        }
        _ => {
            let id = percent_decode_str(path.strip_prefix("/v1/models/")?);
            model(&id.decode_utf8_lossy(), created)
        }
    };
    Some(Answer::Json(StatusCode::OK, value))
}

fn write(path: &str, body: &[u8], created: u64) -> Option<Answer> {
    let endpoint: fn(&Ask) -> Answer = match path {
        "/v1/chat/completions" => completion::chat,
        "/v1/completions" => completion::text,
        "/v1/embeddings" => embedding::embeddings,
        "/v1/responses" => responses::response,
        _ => return None,
    };
    Some(match serde_json::from_slice::<Ask>(body) {
        Ok(ask) => endpoint(&Ask { created, prompt_tokens: body.len() / 4, ..ask }),
        Err(error) => failure(StatusCode::BAD_REQUEST, &error.to_string(), Some("model")),
    })
}

fn model(id: &str, created: u64) -> Value {
    json!({ "id": id, "object": "model", "created": created, "owned_by": "gaud" })
}

/// An error in OpenAI's shape.
pub(super) fn failure(status: StatusCode, message: &str, param: Option<&str>) -> Answer {
    let kind = "invalid_request_error";
    let error = json!({ "message": message, "type": kind, "param": param, "code": null });
    Answer::Json(status, json!({ "error": error }))
}
