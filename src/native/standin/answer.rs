//! A method, a path and a body in, an [`Answer`] out; no sockets.

use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, failure};
use super::{completion, embedding, messages, responses};

/// What `GET /v1/models` lists. Any other model is served as well.
const MODELS: [&str; 4] = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "text-embedding-3-small"];

/// The endpoint with Anthropic's API; all others have OpenAI's.
const MESSAGES: &str = "/v1/messages";

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
        MESSAGES => messages::message,
        "/v1/responses" => responses::response,
        _ => return None,
    };
    Some(match serde_json::from_slice::<Ask>(body) {
        Ok(ask) => endpoint(&Ask { created, prompt_tokens: body.len() / 4, ..ask }),
        Err(error) if path == MESSAGES => {
            messages::failure(StatusCode::BAD_REQUEST, &error.to_string())
        }
        Err(error) => failure(StatusCode::BAD_REQUEST, &error.to_string(), Some("model")),
    })
}

fn model(id: &str, created: u64) -> Value {
    json!({ "id": id, "object": "model", "created": created, "owned_by": "gaud" })
}
