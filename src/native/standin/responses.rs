//! `/v1/responses`: the fields that a client needs to print an answer.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::ask::{Answer, Ask};
use super::events::named;

const ID: &str = "resp_standin";
const ITEM: &str = "msg_standin";

pub(super) fn response(ask: &Ask) -> Answer {
    let text = ask.sentence();
    let whole = state(ask, "completed", &[message(&text)]);
    if !ask.stream {
        return Answer::Json(StatusCode::OK, whole);
    }
    let created = json!({ "response": state(ask, "in_progress", &[]) });
    let deltas = text.split_inclusive(' ').map(|word| {
        let delta =
            json!({ "item_id": ITEM, "output_index": 0, "content_index": 0, "delta": word });
        ("response.output_text.delta", delta)
    });
    let events = [("response.created", created)]
        .into_iter()
        .chain(deltas)
        .chain([("response.completed", json!({ "response": whole }))]);
    Answer::Events(numbered(events))
}

/// Every event has its name and its place in the stream as fields.
fn numbered(events: impl Iterator<Item = (&'static str, Value)>) -> Vec<String> {
    let number = |(place, (name, mut event)): (usize, (&'static str, Value))| {
        if let Some(event) = event.as_object_mut() {
            event.insert("type".to_owned(), json!(name));
            event.insert("sequence_number".to_owned(), json!(place));
        }
        named(name, &event)
    };
    events.enumerate().map(number).collect()
}

fn message(text: &str) -> Value {
    let content = json!([{ "type": "output_text", "text": text, "annotations": [] }]);
    json!({
        "id": ITEM,
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": content,
    })
}

fn state(ask: &Ask, status: &str, output: &[Value]) -> Value {
    json!({
        "id": ID,
        "object": "response",
        "created_at": ask.created,
        "status": status,
        "model": ask.model,
        "output": output,
        "parallel_tool_calls": true,
        "tool_choice": "auto",
        "tools": [],
    })
}
