//! Answers that come whole, straight and over the hop.

use super::{ask, assert_sums, chat, completion, completion_json, config, wait_for_sums};
use crate::kit::client::{CLIENTS, Request, h1};
use crate::kit::harness::{Gateway, Run, wait};
use crate::kit::samples::{LISTEN, gzip, provider};
use crate::kit::upstream::{Answer, Provider};
use serde_json::json;
use std::collections::BTreeMap;

const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":7,\"total_tokens\":27}}\n\ndata: [DONE]\n\n";

#[test]
fn what_a_provider_says_is_in_the_ledger_with_its_cost() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, ""));
    one.script("priced", completion(1000, 100));
    one.script("priced", Answer::new(200, "text/event-stream", STREAM));
    for _ in 0..2 {
        assert_eq!(ask(&run, "priced").status, 200);
    }
    let row = wait_for_sums(&run, "one", "priced", 2);
    // 1020 · $2 + 107 · $10.5, for a million.
    let expected = json!({"input": 1020, "output": 107, "failed": 0, "guessed": 0, "unpriced": 0,
        "cost_nanos": 3_163_500, "cost_usd": "0.0031635"});
    assert_sums(&row, &expected);
    // The provider was asked for plain text.
    let request = chat("plain").header("accept-encoding", "gzip, br");
    assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    assert_eq!(one.wait("plain").header("accept-encoding"), None);
    // No line of the journal is shown, and no token is.
    assert!(!run.log().contains("gaud.journal"), "{}", run.log());
}

#[test]
fn an_answer_without_usage_is_estimated_and_marked() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, ""));
    let body =
        json!({"model": "guess", "messages": [{"role": "user", "content": "x".repeat(360)}]});
    let request = Request::chat(body.to_string()).case("guess");
    one.always("guess", 200, r#"{"choices":[{"message":{"content":"12345678"}}]}"#);
    assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    let row = wait_for_sums(&run, "one", "guess", 1);
    let input = body.to_string().len().div_ceil(4);
    assert_sums(&row, &json!({"input": input, "output": 2, "guessed": 1, "unpriced": 1}));
}

#[test]
fn an_answer_that_comes_compressed_all_the_same_is_read() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, ""));
    let body = gzip(completion_json(11, 3).to_string().as_bytes());
    one.script(
        "gzip",
        Answer::new(200, "application/json", body).header("content-encoding", "gzip"),
    );
    assert_eq!(ask(&run, "gzip").status, 200);
    let row = wait_for_sums(&run, "one", "gzip", 1);
    assert_sums(&row, &json!({"input": 11, "output": 3, "guessed": 0}));
}

#[test]
fn every_attempt_of_a_chain_is_its_providers() {
    let (one, two) = (Provider::start(), Provider::start());
    let chain = "[retries]\nmax = 1\nbackoff_ms = 10\n[[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n";
    let run = Run::start(&config(&one, &two, chain));
    one.script("chain", Answer::json(503, &json!({"error": {"message": "no"}})));
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n";
    one.script("chain", Answer::new(200, "text/event-stream", error));
    two.always("chain", 200, completion_json(30, 9).to_string());
    let answer = ask(&run, "chain");
    assert_eq!((answer.status, answer.header("x-gaud-attempts").as_deref()), (200, Some("3")));
    let failed = wait_for_sums(&run, "one", "chain", 2);
    assert_sums(&failed, &json!({"failed": 2, "input": 0, "output": 0, "cost_nanos": 0}));
    let served = wait_for_sums(&run, "two", "second", 1);
    assert_sums(&served, &json!({"failed": 0, "guessed": 0, "input": 30, "output": 9}));
}

#[test]
fn each_deployment_of_a_model_has_its_own_sums_and_metrics() {
    let (one, two) = (Provider::start(), Provider::start());
    let group = "[[models]]\nname = \"shared\"\ndeployments = [{ target = \"one:priced\" }, { target = \"two:second\" }]\n";
    let run = Run::start(&config(&one, &two, group));
    one.always("shared", 200, completion_json(10, 1).to_string());
    two.always("shared", 200, completion_json(20, 2).to_string());
    let mut served = BTreeMap::new();
    for _ in 0..24 {
        let provider = ask(&run, "shared").header("x-gaud-provider").expect("a provider");
        *served.entry(provider).or_insert(0) += 1;
    }
    for (provider, model, input) in [("one", "priced", 10), ("two", "second", 20)] {
        let count = served[provider];
        let row = wait_for_sums(&run, provider, model, count);
        let (input, output) = (input * count, input / 10 * count);
        assert_sums(&row, &json!({"input": input, "output": output, "failed": 0}));
        let labels = format!("model=\"{model}\",provider=\"{provider}\",type=\"input\"");
        let tokens = format!("gaud_tokens_total{{{labels}}}");
        wait::until_true(&tokens, || run.admin().metrics().get(&tokens) == Some(&input));
    }
}

#[test]
fn a_provider_that_refuses_costs_nothing() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, ""));
    one.always("refused", 429, r#"{"error":{"message":"slow down"}}"#);
    assert_eq!(ask(&run, "refused").status, 429);
    one.kill();
    assert_eq!(ask(&run, "refused").status, 503);
    let row = wait_for_sums(&run, "one", "refused", 2);
    assert_sums(&row, &json!({"failed": 2, "input": 0, "output": 0, "cost_nanos": 0}));
}

#[test]
fn what_is_not_metered_has_no_callback_and_no_record() {
    let server = Provider::start();
    let toml = |meter: &str| format!("{LISTEN}{meter}{}", provider("one", &server.url(), &[]));
    let plain = Gateway::render(&toml(""), &[]).expect("a configuration");
    let metered = Gateway::render(&toml("usage.meter = \"all\"\n"), &[]).expect("a configuration");
    assert!(!plain.contains("proxy_on_response_body") && !plain.contains("\"meter\""));
    assert!(metered.contains("proxy_on_response_body") && metered.contains("\"meter\": \"all\""));
    for (yaml, records) in [(plain, 0), (metered, 4)] {
        let gateway = Gateway::from_yaml(&yaml, &[], &[]);
        for client in CLIENTS {
            let answer = client.send(&gateway, &Request::chat(r#"{"model":"one:m"}"#));
            assert_eq!(answer.status, 200, "{}", answer.text());
            // A path that costs nothing.
            let answer =
                client.send(&gateway, &Request::post("/v1/moderations", r#"{"model":"one:m"}"#));
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        // func-e passes the log on.
        wait::until_true("the records", || {
            gateway.logs().matches("gaud.journal.1 ").count() >= records
        });
        gateway.assert_no_trap();
        assert_eq!(gateway.logs().matches("gaud.journal.1 ").count(), records);
    }
}
