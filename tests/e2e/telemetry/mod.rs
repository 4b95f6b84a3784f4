//! What others see of requests: spans at a collector, and the lines of the access log.

mod lines;
mod spans;

use crate::kit::upstream::Provider;
use serde_json::{Value, json};

/// The settings of a gateway with the providers `one` and `two`, and a chain from `chain` at `one` to `second` at `two`.
fn config(one: &Provider, two: &Provider, tables: &str) -> String {
    let provider = |name: &str, server: &Provider| {
        format!(
            "[providers.{name}]\nurl = \"{}/v1\"\nauth = \"none\"\nbreaker = {{ enabled = false }}\n",
            server.url()
        )
    };
    format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 1\nallow_hosts = [\"gateway\"]\n\
         default_provider = \"one\"\n{}{}[retries]\nmax = 0\n[[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n{tables}",
        provider("one", one),
        provider("two", two),
    )
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
