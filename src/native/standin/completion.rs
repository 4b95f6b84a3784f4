//! `/v1/chat/completions` and its elder, `/v1/completions`: the same answer in two spellings.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::ask::{Answer, Ask};
use super::events::{DONE, data};

/// Where the two endpoints differ.
struct Spelling {
    id: &'static str,
    whole: &'static str,
    chunk: &'static str,
    /// A choice of a whole answer.
    choice: fn(&str) -> Value,
    /// A choice of a chunk; the last chunk has no text.
    delta: fn(Option<&str>) -> Value,
}

const CHAT: Spelling = Spelling {
    id: "chatcmpl-standin",
    whole: "chat.completion",
    chunk: "chat.completion.chunk",
    choice: |text| {
        let message = json!({ "role": "assistant", "content": text, "refusal": null });
        json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" })
    },
    delta: |text| {
        let delta = text.map_or(json!({}), |text| json!({ "role": "assistant", "content": text }));
        json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish(text) })
    },
};

const TEXT: Spelling = Spelling {
    id: "cmpl-standin",
    whole: "text_completion",
    chunk: "text_completion",
    choice: |text| json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": "stop" }),
    delta: |text| {
        let piece = text.unwrap_or_default();
        json!({ "index": 0, "text": piece, "logprobs": null, "finish_reason": finish(text) })
    },
};

fn finish(text: Option<&str>) -> Option<&'static str> {
    text.is_none().then_some("stop")
}

pub(super) fn chat(ask: &Ask) -> Answer {
    complete(ask, &CHAT)
}

pub(super) fn text(ask: &Ask) -> Answer {
    complete(ask, &TEXT)
}

fn complete(ask: &Ask, spelling: &Spelling) -> Answer {
    let text = ask.sentence();
    if ask.stream {
        return Answer::Events(chunks(ask, spelling, &text));
    }
    let mut whole = envelope(ask, spelling.id, spelling.whole, [(spelling.choice)(&text)].as_ref());
    insert(&mut whole, "usage", usage(ask, &text));
    Answer::Json(StatusCode::OK, whole)
}

/// One event per word, the finish, the usage where it was asked for, and `[DONE]`.
fn chunks(ask: &Ask, spelling: &Spelling, text: &str) -> Vec<String> {
    let words = text.split_inclusive(' ').map(Some).chain([None]);
    let mut chunks: Vec<Value> = words
        .map(|word| envelope(ask, spelling.id, spelling.chunk, &[(spelling.delta)(word)]))
        .collect();
    if ask.stream_options.include_usage {
        chunks.iter_mut().for_each(|chunk| insert(chunk, "usage", Value::Null));
        let mut last = envelope(ask, spelling.id, spelling.chunk, &[]);
        insert(&mut last, "usage", usage(ask, text));
        chunks.push(last);
    }
    chunks.iter().map(data).chain([DONE.to_owned()]).collect()
}

fn envelope(ask: &Ask, id: &str, object: &str, choices: &[Value]) -> Value {
    json!({
        "id": id,
        "object": object,
        "created": ask.created,
        "model": ask.model,
        "choices": choices,
    })
}

fn usage(ask: &Ask, text: &str) -> Value {
    let completion_tokens = text.split(' ').count();
    json!({
        "prompt_tokens": ask.prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": ask.prompt_tokens.saturating_add(completion_tokens),
    })
}

fn insert(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
