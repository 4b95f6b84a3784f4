//! What others see of requests: spans at a collector, and the lines of the access log.

mod lines;
mod spans;

use crate::kit::configs::two_providers;
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
