//! What a client is told where a rate is used up at all gateways together, and what the gateway makes of that.

use super::{Shared, TOKENS};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::wait;
use crate::kit::rate_limits::wait_for_a_minute_with;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const PATHS: [&str; 3] =
    ["/v1/chat/completions", "/v1/messages", "/v1beta/models/priced:generateContent"];

fn send(shared: &Shared, gateway: usize, key: &str, path: &str) -> Response {
    let body = if path.contains("models/") {
        json!({})
    } else {
        json!({"model": "priced", "max_tokens": 1})
    };
    shared.send(gateway, Request::post(path, body.to_string()).header("x-api-key", key))
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn a_rate_that_is_used_up_elsewhere_has_the_clients_shape() {
    let shared = Shared::start("serve");
    let (key, _) = shared.gateways.key(&json!({"rpm": 1}));
    wait_for_a_minute_with(15);
    assert_eq!(send(&shared, 0, &key, PATHS[0]).status, 200);
    let answers = PATHS.map(|path| send(&shared, 1, &key, path));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    for answer in &answers {
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert_eq!(answer.headers.get("content-type").as_deref(), Some("application/json"));
        let wait_secs: u64 =
            answer.header("retry-after").expect("a wait").parse().expect("seconds");
        assert!((60 - now % 60..=60 - now % 60 + 2).contains(&wait_secs), "{wait_secs}");
        assert_eq!(
            answer.header("x-ratelimit-remaining-requests"),
            None,
            "another gateway knows that"
        );
        assert_eq!(answer.header("x-envoy-ratelimited"), None);
    }
    let [openai, anthropic, gemini] = answers.map(|answer| answer.json());
    assert_eq!(openai["error"]["code"], "rate_limit_exceeded");
    let said = "This API key, or its user, has used up its requests or tokens of this minute, at all gateways together; try \
                again when the minute is over.";
    assert_eq!(openai["error"]["message"], said);
    assert_eq!(
        (&anthropic["type"], &anthropic["error"]["type"], &anthropic["error"]["message"]),
        (&json!("error"), &json!("rate_limit_error"), &json!(said))
    );
    assert_eq!(
        (&gemini["error"]["status"], &gemini["error"]["message"]),
        (&json!("RESOURCE_EXHAUSTED"), &json!(said))
    );
}

/// How the gateway's health shows its provider.
fn health(shared: &Shared, gateway: usize) -> Value {
    let answer =
        h1::exchange(shared.gateways.runs[gateway].addr(), &Request::new("GET", "/health"));
    answer.json()
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn what_the_service_refuses_is_no_failure_of_the_provider_and_gives_everything_back() {
    let shared = Shared::start("serve");
    let run = &shared.gateways.runs[1];
    let toml = std::fs::read_to_string(run.folder().join("gaud.toml")).expect("a file");
    run.change(&toml.replace("breaker = { enabled = false }", "max_parallel_requests = 1"));
    let limits =
        json!({"rpm": 2, "max_parallel_requests": 1, "budget": {"usd": 1, "window": "day"}});
    let (key, _) = shared.gateways.key(&limits);
    wait_for_a_minute_with(15);
    for _ in 0..2 {
        assert_eq!(shared.gateways.ask(0, &key).status, 200);
    }
    for _ in 0..10 {
        let answer = shared.gateways.ask(1, &key);
        assert_eq!(answer.status, 429);
        assert!(
            answer.text().contains("all gateways"),
            "not this gateway's own: {}",
            answer.text()
        );
    }
    let text = health(&shared, 1).to_string();
    assert!(text.contains("\"closed\"") && !text.contains("\"open\""), "{text}");
    let stats = run.admin().metrics();
    let refused = stats.iter().find(|(name, _)| name.contains("rate_limit_exceeded"));
    assert_eq!(refused.map(|(_, count)| *count), Some(10), "{stats:?}");
    let row = wait::until("the ledger has all twelve", || {
        let usage = shared.gateways.admin_answer(0, "/admin/usage?by=model").json();
        Some(usage["rows"][0].clone()).filter(|row| row["attempts"] == 12)
    });
    assert_eq!((&row["failed"], &row["input"]), (&json!(10), &json!(2 * TOKENS)), "{row}");
}
