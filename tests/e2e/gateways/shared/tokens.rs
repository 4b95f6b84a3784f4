//! Tokens a minute, which are counted when an answer has ended.

use super::{Shared, TOKENS, UNITS, code, priced};
use crate::kit::harness::wait;
use crate::kit::rate_limits::wait_for_a_minute_with;
use crate::kit::upstream::Answer;
use serde_json::{Value, json};

const STREAM: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}],\"usage\":null}\n\n\
                      data: {\"choices\":[],\"usage\":{\"prompt_tokens\":40,\"completion_tokens\":10,\"total_tokens\":50}}\n\n\
                      data: [DONE]\n\n";

fn streamed(model: &str) -> Value {
    json!({"model": model, "max_tokens": 1, "messages": [], "stream": true})
}

/// What a token takes.
fn units(tpm: u64) -> u64 {
    UNITS / tpm + 1
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn the_tokens_of_all_answers_count_once_at_both_gateways() {
    let shared = Shared::start("serve");
    for (model, body) in [
        ("priced", priced("priced")),
        ("chain", priced("chain")),
        ("priced", streamed("priced")),
        ("chain", streamed("chain")),
    ] {
        let (key, id) = shared.gateways.key(&json!({"tpm": 2 * TOKENS}));
        let name = format!("key/{id}");
        wait_for_a_minute_with(15);
        for gateway in [0, 1] {
            if body["stream"] == true {
                shared
                    .gateways
                    .provider
                    .script(model, Answer::new(200, "text/event-stream", STREAM));
            } else {
                let usage =
                    json!({"prompt_tokens": 40, "completion_tokens": 10, "total_tokens": 50});
                let answer = json!({"choices": [], "usage": usage});
                shared.gateways.provider.script(model, Answer::json(200, &answer));
            }
            let answer = shared.chat(gateway, &key, &body);
            assert_eq!(answer.status, 200, "{body}: {}", answer.text());
            let expected = (gateway as u64 + 1) * TOKENS * units(2 * TOKENS);
            wait::until_true("the tokens are counted", || {
                shared.counting.counted("tokens", &name) == expected
            });
        }
        for gateway in [0, 1] {
            let answer = shared.chat(gateway, &key, &body);
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (429, "rate_limit_exceeded"),
                "{body}"
            );
        }
        let expected = 2 * TOKENS * units(2 * TOKENS);
        assert_eq!(
            shared.counting.counted("tokens", &name),
            expected,
            "what is refused takes none"
        );
    }
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn an_answer_that_failed_takes_no_tokens() {
    let shared = Shared::start("serve");
    let (key, id) = shared.gateways.key(&json!({"tpm": 1_000, "rpm": 1_000}));
    let name = format!("key/{id}");
    for model in ["priced", "chain"] {
        for _ in 0..2 {
            shared.gateways.provider.script(model, Answer::json(400, &json!({"error": {}})));
        }
        assert_eq!(shared.chat(0, &key, &priced(model)).status, 400);
    }
    assert_eq!(shared.counting.counted("requests", &name), 2 * UNITS / 1_000);
    assert_eq!(shared.counting.counted("tokens", &name), 0);
    assert_eq!(shared.calls(), 2, "and nothing is told at the end");
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn an_answer_that_uses_up_the_keys_tokens_counts_for_the_user_in_full() {
    let shared = Shared::start("serve");
    let user = shared.user(&json!({"id": "ann", "tpm": 1_000}));
    let (key, id) = shared.gateways.key(&json!({"user": "ann", "tpm": TOKENS}));
    wait_for_a_minute_with(15);
    assert_eq!(shared.gateways.ask(0, &key).status, 200);
    let counted = |name: &str| shared.counting.counted("tokens", name);
    wait::until_true("the key's tokens", || {
        counted(&format!("key/{id}")) == TOKENS * units(TOKENS)
    });
    wait::until_true("the user's tokens", || counted(&user) == TOKENS * units(1_000));
    assert_eq!(shared.gateways.ask(1, &key).status, 429);
}
