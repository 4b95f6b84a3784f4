//! Limits by `gaud key`, beside the running gateway.

use super::{Setup, always, answer, code, config};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::Provider;
use serde_json::{Value, json};

const COST: u64 = 200_000;

#[track_caller]
fn gaud(setup: &Setup, arguments: &[&str]) -> String {
    setup.run.command(arguments).expect("the command does so")
}

/// A key of the command with these options, and its id.
#[track_caller]
fn new(setup: &Setup, options: &[&str]) -> (String, String) {
    let key = gaud(setup, &[&["key", "new"], options].concat());
    let id = key["sk-prx-".len()..][..12].to_owned();
    (key, id)
}

/// The limits that the command shows of a key, those of models among them.
#[track_caller]
fn shown(setup: &Setup, id: &str) -> Value {
    let text = gaud(setup, &["key", "show", id]);
    let document: Value = serde_json::from_str(&text).expect("a document");
    let mut limits = document["limits"].clone();
    assert!(limits.is_object() && document["model_limits"].is_object(), "{document}");
    limits["model_limits"] = document["model_limits"].clone();
    limits
}

/// How many requests are served, from the first that the filter knows the key of.
#[track_caller]
fn served(setup: &Setup, key: &str) -> usize {
    wait::until_true("the key at the filter", || setup.ask(key, "priced").status == 200);
    1 + setup.served(key, "priced", 9)
}

#[test]
fn a_key_is_held_to_the_limits_that_the_command_gives() {
    let setup = Setup::start();
    always(&setup.one, "priced", COST);
    let rate = "rate_limit_exceeded";
    for (options, most, refusal, field) in [
        (&["--rpm", "2"][..], 2, rate, "rpm"),
        (&["--budget", "0.0006/total"], 3, "insufficient_quota", "budget"),
        (&["--model-budget", "priced=0.0004/day"], 2, "insufficient_quota", "model_limits"),
    ] {
        let (key, id) = new(&setup, options);
        let has = |limits: &Value| !limits[field].is_null() && limits[field] != json!({});
        assert_eq!(served(&setup, &key), most, "{options:?}");
        assert_eq!(code(&setup.ask(&key, "priced")), refusal, "{options:?}");
        assert!(has(&shown(&setup, &id)), "{options:?}");
        // `none` takes the limit away.
        gaud(&setup, &["key", "update", &id, options[0], "none"]);
        wait::until_true("no limit", || setup.ask(&key, "priced").status == 200);
        assert_eq!(setup.served(&key, "priced", 4), 4, "{options:?}");
        assert!(!has(&shown(&setup, &id)), "{options:?}");
    }
}

#[test]
fn tokens_places_and_strict_budgets_of_the_command_refuse() {
    let setup = Setup::start();
    setup.one.script("priced", answer(4_000, 1_000));
    let (key, id) = new(&setup, &["--tpm", "1000", "--max-parallel-requests", "5"]);
    assert_eq!(served(&setup, &key), 1);
    let refused = setup.ask(&key, "priced");
    assert_eq!(refused.json()["error"]["type"], "tokens", "{}", refused.text());
    let own = shown(&setup, &id);
    assert_eq!((&own["tpm"], &own["max_parallel_requests"]), (&json!(1_000), &json!(5)));
    let options = ["--tpm", "none", "--max-parallel-requests", "0"];
    gaud(&setup, &[&["key", "update", &id][..], &options].concat());
    wait::until_true("no place", || {
        setup.ask(&key, "priced").json()["error"]["type"] == "requests"
    });
    gaud(&setup, &["key", "update", &id, "--max-parallel-requests", "none"]);
    wait::until_true("no limit", || setup.ask(&key, "priced").status == 200);
    // The most that a request can cost does not fit.
    let before = setup.one.seen("priced").len();
    let options = ["--budget", "0.00001/total"];
    gaud(&setup, &[&["key", "update", &id][..], &options, &["--strict"]].concat());
    wait::until_true("a strict budget", || setup.ask(&key, "priced").status == 429);
    let budget = json!({"usd": 0.00001, "window": "total", "strict": true});
    assert_eq!(shown(&setup, &id)["budget"], budget);
    let after = setup.one.seen("priced").len();
    assert_eq!(code(&setup.ask(&key, "priced")), "insufficient_quota");
    assert!(after >= before && setup.one.seen("priced").len() == after);
}

#[test]
fn new_keys_of_the_command_and_of_litellms_path_have_the_defaults() {
    let (one, two) = (Provider::start(), Provider::start());
    let defaults = "[keys.defaults]\nrpm = 2\nbudget = { usd = 5, window = \"week\" }\n";
    let setup = Setup { run: Run::start(&config(&one, &two, defaults)), one, two };
    let (key, id) = new(&setup, &[]);
    let own = shown(&setup, &id);
    assert_eq!((&own["rpm"], &own["budget"]["window"]), (&json!(2), &json!("week")));
    assert_eq!(served(&setup, &key), 2);
    let (_, id) = new(&setup, &["--rpm", "3", "--budget", "none"]);
    let own = shown(&setup, &id);
    assert_eq!((&own["rpm"], &own["budget"]), (&json!(3), &json!(null)));
    let made = setup.admin("POST", "/key/generate", &json!({}), 200);
    assert_eq!((&made["rpm_limit"], &made["max_budget"]), (&json!(2), &json!(5.0)));
    assert_eq!(served(&setup, made["key"].as_str().expect("a key")), 2);
    let made = setup.admin("POST", "/key/generate", &json!({"rpm_limit": 3}), 200);
    assert_eq!((&made["rpm_limit"], &made["budget_duration"]), (&json!(3), &json!("7d")));
    assert_eq!(served(&setup, made["key"].as_str().expect("a key")), 3);
}
