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
