//! `/v1/messages`, in Anthropic's shape. The header `anthropic-version` is not looked at.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::ask::{Answer, Ask};
use super::events::named;

pub(super) fn message(ask: &Ask) -> Answer {
    let text = ask.sentence();
    if ask.stream {
        return Answer::Events(events(ask, &text));
    }
    let content = json!([{ "type": "text", "text": text }]);
    let output_tokens = text.split(' ').count();
    Answer::Json(StatusCode::OK, envelope(ask, &content, Some("end_turn"), output_tokens))
}

/// The start, one event per word, the end. Anthropic counts the tokens of the answer in the last event but one.
fn events(ask: &Ask, text: &str) -> Vec<String> {
    let words = text.split_inclusive(' ').map(|word| {
        let delta = json!({ "type": "text_delta", "text": word });
        ("content_block_delta", json!({ "index": 0, "delta": delta }))
    });
    let block = json!({ "type": "text", "text": "" });
    let end = json!({
        "delta": { "stop_reason": "end_turn", "stop_sequence": null },
        "usage": { "output_tokens": text.split(' ').count() },
    });
    let start = json!({ "message": envelope(ask, &json!([]), None, 1) });
    [
        ("message_start", start),
        ("content_block_start", json!({ "index": 0, "content_block": block })),
    ]
    .into_iter()
    .chain(words)
    .chain([
        ("content_block_stop", json!({ "index": 0 })),
        ("message_delta", end),
        ("message_stop", json!({})),
    ])
    .map(typed)
    .collect()
}

/// Every event has its name as a field.
fn typed((name, mut event): (&'static str, Value)) -> String {
    if let Some(event) = event.as_object_mut() {
        event.insert("type".to_owned(), json!(name));
    }
    named(name, &event)
}

fn envelope(ask: &Ask, content: &Value, stop_reason: Option<&str>, output_tokens: usize) -> Value {
    json!({
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": { "input_tokens": ask.prompt_tokens, "output_tokens": output_tokens },
    })
}

/// An error in Anthropic's shape.
pub(super) fn failure(status: StatusCode, message: &str) -> Answer {
    let error = json!({ "type": "invalid_request_error", "message": message });
    Answer::Json(status, json!({ "type": "error", "error": error }))
}
