//! What requests have used: the ledger has what the providers served, whatever is killed.

mod attempts;
mod cuts;
mod full;
mod import;
mod keys;
mod killed;
mod streams;

use crate::kit::client::{Request, Response, h1};
use crate::kit::configs::two_providers;
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Provider};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A gateway that meters everything, with the providers `one` and `two`, and prices for the models that the tests ask for.
fn config(one: &Provider, two: &Provider, tables: &str) -> String {
    let before = "[usage]\nmeter = \"all\"\n[prices.priced]\ninput = 2\noutput = 10.5\n";
    two_providers(2, before, [one, two], tables)
}

/// A chat completion that says what it has used.
fn completion(input: u64, output: u64) -> Answer {
    Answer::json(200, &completion_json(input, output))
}

fn completion_json(input: u64, output: u64) -> Value {
    json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    })
}

fn chat(model: &str) -> Request {
    Request::chat(json!({"model": model, "messages": []}).to_string()).case(model)
}

fn ask(run: &Run, model: &str) -> Response {
    h1::exchange(run.addr(), &chat(model))
}

/// The sums of a model at a provider; `Value::Null` where there are none.
fn sums(addr: SocketAddr, key: &str, provider: &str, model: &str) -> Value {
    let request = Request::new("GET", "/admin/usage?by=provider,model")
        .header("authorization", format!("Bearer {key}"));
    let answer = h1::exchange(addr, &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let rows = answer.json()["rows"].as_array().expect("rows").clone();
    let is_meant = |row: &&Value| row["provider"] == provider && row["model"] == model;
    rows.iter().find(is_meant).cloned().unwrap_or(Value::Null)
}

/// Waits until the ledger has this many attempts of a model at a provider; their sums.
#[track_caller]
fn wait_for_sums(run: &Run, provider: &str, model: &str, attempts: u64) -> Value {
    let key = run.admin_key();
    let found = || {
        let row = sums(run.addr(), &key, provider, model);
        let have = row["attempts"].as_u64().unwrap_or_default();
        assert!(have <= attempts, "{row}");
        (have == attempts).then_some(row)
    };
    wait::until(&format!("{attempts} attempts of {model} at {provider}"), found)
}

/// Fails unless these sums are so.
#[track_caller]
fn assert_sums(row: &Value, expected: &Value) {
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&row[name], value, "{name} of {row}");
    }
}
