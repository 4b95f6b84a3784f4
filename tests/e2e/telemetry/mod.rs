//! What others see of requests: spans at a collector, and the lines of the access log.

mod keys;
mod ledger;
mod lines;
mod spans;

use crate::kit::client::{Request, h1};
use crate::kit::configs::two_providers;
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};

/// The settings of a gateway with the providers `one` and `two`, and a chain from `chain` at `one` to `second` at `two`.
fn config(one: &Provider, two: &Provider, tables: &str) -> String {
    let chain = "[retries]\nmax = 0\n[[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n";
    two_providers(1, "", [one, two], &format!("{chain}{tables}"))
}

fn completion(input: u64, output: u64) -> Value {
    json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
                  "prompt_tokens_details": {"cached_tokens": 3}},
    })
}

fn chat(model: &str) -> String {
    json!({"model": model, "messages": []}).to_string()
}

fn tracing(collector: &Provider, further: &str) -> String {
    format!("[tracing]\notlp = \"{}\"\n{further}", collector.url())
}

/// What the control server answers.
#[track_caller]
fn admin(run: &Run, request: Request) -> Value {
    let request = request.header("authorization", format!("Bearer {}", run.admin_key()));
    let answer = h1::exchange(run.addr(), &request);
    assert!(answer.status < 300, "{}", answer.text());
    answer.json()
}
