//! `gaud upstream`: what OpenAI's clients expect of it, and that it names the model.

use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::folder;
use crate::http::{ask, chat};
use crate::program::Program;

/// An upstream on a free port, and its address.
pub(crate) fn upstream(folder: &Path) -> (Program, String) {
    let mut upstream = Program::start(folder, &["upstream", "--listen", "127.0.0.1:0"], &[]);
    let address = upstream.address();
    (upstream, address)
}

#[test]
fn the_stand_in_answers_as_openai_does() {
    let folder = folder();
    let (_upstream, address) = upstream(folder.path());
    let sentence = "Hello from the stand-in upstream, which was asked for the model gpt-4o.";
    let answer = chat(&address, "gpt-4o").json();
    assert_eq!(answer["model"], "gpt-4o");
    assert_eq!(answer["choices"][0]["message"]["content"], sentence);

    let text = ask(&address, "POST", "/v1/completions", r#"{"model":"gpt-4o"}"#).json();
    assert_eq!(text["choices"][0]["text"], sentence);
    let response = ask(&address, "POST", "/v1/responses", r#"{"model":"gpt-4o"}"#).json();
    assert_eq!(response["output"][0]["content"][0]["text"], sentence);

    let models = ask(&address, "GET", "/v1/models", "").json();
    assert_eq!(models["data"][0]["id"], "gpt-4o");
    assert_eq!(ask(&address, "GET", "/v1/models/a%2Fb", "").json()["id"], "a/b");
    assert_eq!(ask(&address, "GET", "/health/liveliness", "").body, "\"I'm alive!\"");
}

#[test]
fn the_stand_in_streams() {
    let folder = folder();
    let (_upstream, address) = upstream(folder.path());
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
    let answer = ask(&address, "POST", "/v1/chat/completions", body);
    assert!(answer.head.contains("content-type: text/event-stream"), "{}", answer.head);
    let events: Vec<&str> = answer.body.split_terminator("\n\n").collect();
    let [chunks @ .., usage, "data: [DONE]"] = events.as_slice() else { panic!("{events:?}") };
    let parse = |event: &str| -> Value {
        serde_json::from_str(event.strip_prefix("data: ").expect("an event")).expect("JSON")
    };
    let words = chunks.iter().map(|chunk| parse(chunk)["choices"][0]["delta"]["content"].clone());
    let said: String = words.filter_map(|word| word.as_str().map(str::to_owned)).collect();
    assert_eq!(said, "Hello from the stand-in upstream, which was asked for the model m.");
    assert_eq!(parse(usage)["choices"], json!([]));
    assert_eq!(parse(usage)["usage"]["completion_tokens"], 12);
}

#[test]
fn the_stand_in_answers_as_anthropic_does() {
    let folder = folder();
    let (_upstream, address) = upstream(folder.path());
    let body = r#"{"model":"claude-sonnet-4","max_tokens":9,"messages":[]}"#;
    let answer = ask(&address, "POST", "/v1/messages?beta=true", body).json();
    let text = "Hello from the stand-in upstream, which was asked for the model claude-sonnet-4.";
    let expected = json!({
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4",
        "content": [{ "type": "text", "text": text }],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": { "input_tokens": body.len() / 4, "output_tokens": 12 },
    });
    assert_eq!(answer, expected);
    let nameless = ask(&address, "POST", "/v1/messages", "{}");
    assert!(nameless.head.starts_with("HTTP/1.1 400 "), "{}", nameless.head);
    let error = json!({ "type": "invalid_request_error", "message": "missing field `model` at line 1 column 2" });
    assert_eq!(nameless.json(), json!({ "type": "error", "error": error }));
}

#[test]
fn the_stand_in_streams_as_anthropic_does() {
    let folder = folder();
    let (_upstream, address) = upstream(folder.path());
    let answer = ask(&address, "POST", "/v1/messages", r#"{"model":"m","stream":true}"#);
    assert!(answer.head.contains("content-type: text/event-stream"), "{}", answer.head);
    let events: Vec<(&str, Value)> = answer
        .body
        .split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.split_once('\n').expect("a name and data");
            let data = data.strip_prefix("data: ").expect("data");
            (name, serde_json::from_str(data).expect("JSON"))
        })
        .collect();
    for (name, event) in &events {
        assert_eq!(*name, format!("event: {}", event["type"].as_str().expect("a type")));
    }
    let [start, block, words @ .., stop, end, last] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (&start.1["message"]["model"], &start.1["message"]["content"]),
        (&json!("m"), &json!([]))
    );
    assert_eq!(block.1["content_block"], json!({ "type": "text", "text": "" }));
    let said: String = words.iter().filter_map(|word| word.1["delta"]["text"].as_str()).collect();
    assert_eq!(said, "Hello from the stand-in upstream, which was asked for the model m.");
    assert_eq!(end.1["delta"]["stop_reason"], "end_turn");
    assert_eq!(end.1["usage"]["output_tokens"], 12);
    assert_eq!([stop.0, last.0], ["event: content_block_stop", "event: message_stop"]);
}

#[test]
fn the_stand_in_embeds_every_input() {
    let folder = folder();
    let (_upstream, address) = upstream(folder.path());
    let body = r#"{"model":"m","input":["a","b","a"]}"#;
    let answer = ask(&address, "POST", "/v1/embeddings", body).json();
    let [a, b, again] = [0, 1, 2].map(|index| answer["data"][index]["embedding"].clone());
    assert_eq!(a.as_array().map(Vec::len), Some(6));
    assert_eq!(a, again);
    assert_ne!(a, b);
}

#[test]
fn the_stand_in_refuses_as_openai_does() {
    let folder = folder();
    let (_upstream, address) = upstream(folder.path());
    let unknown = ask(&address, "GET", "/v1/nothing", "");
    assert!(unknown.head.starts_with("HTTP/1.1 404 "), "{}", unknown.head);
    let error = json!({
        "message": "Invalid URL (GET /v1/nothing)",
        "type": "invalid_request_error",
        "param": null,
        "code": null,
    });
    assert_eq!(unknown.json(), json!({ "error": error }));
    let nameless = ask(&address, "POST", "/v1/chat/completions", "{}");
    assert!(nameless.head.starts_with("HTTP/1.1 400 "), "{}", nameless.head);
    assert_eq!(nameless.json()["error"]["param"], "model");
}

#[test]
fn an_address_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = folder();
    let end = Program::start(folder.path(), &["upstream", "--listen", &address], &[]).ended();
    assert_eq!(end.status.code(), Some(1));
    assert!(end.stderr.contains(&format!("cannot listen on {address}")), "{}", end.stderr);
}
