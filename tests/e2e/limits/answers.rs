//! Refusals in the three shapes.

use super::{Setup, code, config};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
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

/// Where each shape has an error's kind.
fn kinds(answers: [Response; 3]) -> [String; 3] {
    let [openai, anthropic, gemini] = answers.map(|answer| answer.json());
    assert_eq!(anthropic["type"], "error", "{anthropic}");
    let code = gemini["error"]["code"].as_u64().unwrap_or_default();
    let kinds = [&openai["error"]["code"], &anthropic["error"]["type"], &gemini["error"]["status"]];
    assert!((400..500).contains(&code), "{gemini}");
    kinds.map(|kind| kind.as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_budget_that_is_used_up_has_the_clients_shape() {
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"budget": {"usd": 0, "window": "day"}}));
    let answers = PATHS.map(|path| send(&setup, &key, path));
    for answer in &answers {
        let message = answer.json()["error"]["message"].to_string();
        assert!(message.contains("This API key has used up its budget"), "{message}");
    }
    let expected = ["insufficient_quota", "rate_limit_error", "RESOURCE_EXHAUSTED"];
    assert_eq!(kinds(answers), expected);
}

#[test]
fn a_model_without_a_price_has_the_clients_shape() {
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"budget": {"usd": 1, "window": "day"}}));
    let answers = PATHS.map(|path| {
        let path = path.replace("priced", "unheard-of");
        let body = if path.contains("models/") {
            "{}"
        } else {
            r#"{"model":"unheard-of","max_tokens":1}"#
        };
        let request = Request::post(&path, body).header("x-api-key", &key);
        h1::exchange(setup.run.addr(), &request)
    });
    for answer in &answers {
        assert_eq!(answer.status, 403, "{}", answer.text());
        let message = answer.json()["error"]["message"].to_string();
        assert!(message.contains(r#"[prices.\"one/unheard-of\"]"#), "{message}");
    }
    assert_eq!(kinds(answers), ["model_not_priced", "permission_error", "PERMISSION_DENIED"]);
}

#[test]
fn a_success_tells_what_is_left_by_the_names_of_its_shape() {
    let setup = Setup::start();
    let names = |pattern: &str| {
        ["requests", "tokens"].map(|what| {
            ["limit", "remaining", "reset"]
                .map(|word| pattern.replace("WHAT", what).replace("WORD", word))
        })
    };
    let (openai, anthropic) =
        (names("x-ratelimit-WORD-WHAT"), names("anthropic-ratelimit-WHAT-WORD"));
    for path in PATHS {
        let (key, _) = setup.key(&json!({"rpm": 60, "tpm": 60_000}));
        let answer = send(&setup, &key, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let is_anthropic = path.contains("messages");
        let (own, others) =
            if is_anthropic { (&anthropic, &openai) } else { (&openai, &anthropic) };
        let told = own.each_ref().map(|names| names.each_ref().map(|name| answer.header(name)));
        let [[limit, left, reset], [tokens_limit, tokens_left, tokens_reset]] = told;
        assert_eq!((limit.as_deref(), left.as_deref()), (Some("60"), Some("59")), "{path}");
        assert_eq!(tokens_limit.as_deref(), Some("60000"), "{path}");
        let tokens_left: u64 = tokens_left.expect("a number").parse().expect("a number");
        assert!((59_000..60_000).contains(&tokens_left), "{path}: {tokens_left}");
        for reset in [reset, tokens_reset].map(|reset| reset.expect("a time")) {
            let is_date = reset.ends_with('Z') && reset.contains('T');
            assert_eq!(is_date, is_anthropic, "{path}: {reset}");
        }
        let mut others = others.iter().flatten();
        assert!(others.all(|name| answer.header(name).is_none()), "{path}");
    }
}

#[test]
fn what_a_provider_tells_of_its_own_limits_is_not_told_to_a_limited_key() {
    let setup = Setup::start();
    for (model, fields, expected) in
        [("priced", json!({"rpm": 60}), "60"), ("second", json!({}), "7777")]
    {
        let (key, _) = setup.key(&fields);
        let answer = super::answer(1, 1).header("x-ratelimit-limit-requests", "7777");
        setup.one.script(model, answer.header("x-ratelimit-limit-tokens", "8888"));
        let answer = setup.ask(&key, model);
        let told = answer.header("x-ratelimit-limit-requests");
        assert_eq!((answer.status, told.as_deref()), (200, Some(expected)));
        let tokens = answer.header("x-ratelimit-limit-tokens");
        assert_eq!(tokens.is_some(), model == "second", "{tokens:?}");
    }
}

/// What is left of a limit that all clients share is nobody's own, and requests at once have no bucket.
#[test]
fn refusals_by_other_limits_than_rates_of_keys_tell_nothing_of_what_is_left() {
    let (one, two) = (Provider::start(), Provider::start());
    let toml = config(&one, &two, "").replace("[usage]", "[limits]\nrpm = 0\n[usage]");
    let setup = Setup { run: Run::start(&toml), one, two };
    let (key, _) = setup.key(&json!({}));
    let by_gateway = setup.ask(&key, "priced");
    let setup = Setup::start();
    let (key, _) = setup.key(&json!({"max_parallel_requests": 0}));
    for refused in [by_gateway, setup.ask(&key, "priced")] {
        assert_eq!((refused.status, code(&refused).as_str()), (429, "rate_limit_exceeded"));
        let told = refused.headers.0.iter().filter(|(name, _)| name.contains("ratelimit"));
        assert_eq!(told.count(), 0, "{refused:?}");
    }
}
