//! Refusals in the three shapes.

use super::{Setup, code};
use crate::kit::client::{Request, Response, h1};
use serde_json::json;

const PATHS: [&str; 3] =
    ["/v1/chat/completions", "/v1/messages", "/v1beta/models/priced:generateContent"];

fn send(setup: &Setup, key: &str, path: &str) -> Response {
    let body = if path.contains("models/") {
        json!({})
    } else {
        json!({"model": "priced", "max_tokens": 1})
    };
    let request = Request::post(path, body.to_string()).header("x-api-key", key);
    h1::exchange(setup.run.addr(), &request)
}

#[test]
fn a_limit_has_the_clients_shape() {
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"rpm": 1}));
    assert_eq!(send(&setup, &key, PATHS[0]).status, 200);
    let answers = PATHS.map(|path| send(&setup, &key, path));
    assert!(answers.iter().all(|answer| answer.status == 429));
    let [openai, anthropic, gemini] = answers;
    assert_eq!(
        (code(&openai).as_str(), openai.json()["error"]["type"].as_str()),
        ("rate_limit_exceeded", Some("requests"))
    );
    assert_eq!(openai.headers.get("x-ratelimit-remaining-requests").as_deref(), Some("0"));
    assert_eq!(anthropic.json()["error"]["type"], "rate_limit_error");
    assert_eq!(anthropic.headers.get("anthropic-ratelimit-requests-limit").as_deref(), Some("1"));
    assert_eq!(anthropic.headers.get("x-ratelimit-limit-requests"), None);
    assert_eq!(gemini.json()["error"]["status"], "RESOURCE_EXHAUSTED");
    for answer in [openai, anthropic, gemini] {
        let wait_secs: u64 =
            answer.headers.get("retry-after").expect("a wait").parse().expect("seconds");
        assert!((1..=60).contains(&wait_secs), "{wait_secs}");
    }
}

#[test]
fn a_budget_that_is_used_up_is_not_tried_again() {
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"budget": {"usd": 0, "window": "day"}}));
    for path in PATHS {
        let answer = send(&setup, &key, path);
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert_eq!(answer.headers.get("x-should-retry").as_deref(), Some("false"));
        let wait_secs: u64 =
            answer.headers.get("retry-after").expect("a wait").parse().expect("seconds");
        assert!((1..=86_400).contains(&wait_secs), "{wait_secs}");
    }
    let (key, _) = setup.key(&json!({"budget": {"usd": 0, "window": "total"}}));
    let answer = send(&setup, &key, PATHS[0]);
    assert_eq!(answer.headers.get("retry-after"), None, "for ever");
    assert_eq!(
        (code(&answer).as_str(), answer.json()["error"]["type"].as_str()),
        ("insufficient_quota", Some("insufficient_quota"))
    );
}

#[test]
fn a_limit_of_zero_is_nothing() {
    let setup = Setup::start();
    for fields in [json!({"rpm": 0}), json!({"tpm": 0}), json!({"max_parallel_requests": 0})] {
        let (key, _) = setup.key(&fields);
        let answer = send(&setup, &key, PATHS[0]);
        assert_eq!(
            (answer.status, code(&answer)),
            (429, "rate_limit_exceeded".to_owned()),
            "{fields}"
        );
        assert_eq!(answer.headers.get("x-should-retry").as_deref(), Some("false"), "{fields}");
        assert_eq!(answer.headers.get("retry-after"), None, "{fields}");
    }
}
