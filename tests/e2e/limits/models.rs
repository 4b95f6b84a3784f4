//! The limits that a key has for some models, beside its own.

use super::{Setup, always, budget, code};
use crate::kit::upstream::{Answer, Provider};
use rustix::process::Signal;
use serde_json::{Value, json};

const COST: u64 = 200_000;

/// Limits of models with a budget for this number of requests in all.
fn budgets(models: &[(&str, u64)]) -> Value {
    let one = |(name, count): &(&str, u64)| ((*name).to_owned(), budget(count * COST));
    json!({"model_limits": models.iter().map(one).collect::<serde_json::Map<_, _>>()})
}

#[test]
fn each_model_has_its_budget_by_the_name_that_clients_ask_for() {
    let setup = Setup::start();
    always(&setup.one, "priced", COST);
    always(&setup.two, "two:second", COST);
    let (key, id) = setup.key(&budgets(&[("priced", 2), ("chain", 3), ("two:*", 1)]));
    assert_eq!(setup.served(&key, "priced", 9), 2);
    let refused = setup.ask(&key, "priced");
    assert_eq!((refused.status, code(&refused).as_str()), (429, "insufficient_quota"));
    assert_eq!(
        refused.json()["error"]["message"],
        "This API key with this model has used up its budget."
    );
    // A chain counts by the name of the chain, whatever target answers.
    for _ in 0..3 {
        (0..2).for_each(|_| setup.one.script("chain", Answer::json(500, &json!({}))));
        setup.two.script("chain", super::answer(COST / super::INPUT_NANOS, 0));
        assert_eq!(setup.ask(&key, "chain").status, 200);
    }
    assert_eq!(setup.ask(&key, "chain").status, 429);
    assert_eq!(setup.served(&key, "two:second", 9), 1);
    // A namespace does not lead around a model's limits.
    assert_eq!(setup.ask(&key, "one:priced").status, 429);
    // What no name and no pattern fits has no limit, and another key has limits of its own.
    assert_eq!(setup.served(&key, "one:second", 4), 4);
    let (other, _) = setup.key(&budgets(&[("priced", 1)]));
    assert_eq!(setup.served(&other, "priced", 9), 1);
    let path = format!("/admin/keys/{id}");
    let shown = setup.admin("GET", &path, &json!({}), 200);
    assert_eq!(shown["model_limits"]["priced"]["budget"]["usd"], 0.0004);
    setup.change(&path, &json!({"model_limits": null}));
    assert_eq!(setup.served(&key, "priced", 4), 4);
    for wrong in [
        json!({"model_limits": {"priced": {"rpm": -1}}}),
        json!({"model_limits": {"priced": {"budget": {"usd": 1, "window": "year"}}}}),
        json!({"model_limits": {"": {"rpm": 1}}}),
        json!({"model_limits": {"priced": {"rpm_limit": 1}}}),
    ] {
        setup.admin("PATCH", &path, &wrong, 400);
    }
}

#[test]
fn a_key_and_its_model_both_count() {
    let setup = Setup::start();
    always(&setup.one, "priced", COST);
    let mut fields = budgets(&[("priced", 3)]);
    fields["rpm"] = json!(2);
    let (key, _) = setup.key(&fields);
    assert_eq!(setup.served(&key, "priced", 9), 2);
    let mut fields = json!({"model_limits": {"priced": {"rpm": 1}}});
    fields["budget"] = budget(2 * COST)["budget"].clone();
    let (key, _) = setup.key(&fields);
    assert_eq!(setup.served(&key, "priced", 9), 1);
    // What the model refuses costs the key nothing.
    always(&setup.one, "one:second", COST);
    assert_eq!(setup.served(&key, "one:second", 9), 1);
}

#[test]
fn a_budget_of_a_model_knows_what_was_spent_before_a_start() {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let setup = Setup::start_in(folder.clone(), Provider::start(), Provider::start());
    setup.run.keep();
    always(&setup.one, "priced", COST);
    always(&setup.two, "two:second", COST);
    let (key, _) = setup.key(&budgets(&[("priced", 5), ("two:*", 4)]));
    assert_eq!(setup.served(&key, "priced", 3), 3);
    assert_eq!(setup.served(&key, "two:second", 1), 1);
    setup.run.signal(Signal::KILL);
    let Setup { run, one, two } = setup;
    drop(run);
    let setup = Setup::start_in(folder.clone(), one, two);
    assert_eq!(setup.served(&key, "priced", 10), 2);
    assert_eq!(setup.served(&key, "two:second", 10), 3);
    std::fs::remove_file(folder.join("keep")).expect("a file");
}

#[test]
fn litellms_names_of_the_limits_of_models_mean_the_same() {
    let setup = Setup::start();
    always(&setup.one, "priced", COST);
    let fields = json!({
        "model_max_budget": {"priced": {"budget_limit": 0.0004, "time_period": "30d"}, "other": 5},
        "model_rpm_limit": {"second": 1},
    });
    let made = setup.admin("POST", "/key/generate", &fields, 200);
    let key = made["key"].as_str().expect("a key").to_owned();
    assert_eq!(
        made["model_max_budget"],
        json!({"priced": {"max_budget": 0.0004, "budget_duration": "1mo"}, "other": {"max_budget": 5.0, "budget_duration": null}})
    );
    assert_eq!(setup.served(&key, "priced", 9), 2);
    let more = json!({"key": key, "model_max_budget": {}, "model_rpm_limit": {"priced": 3}});
    let changed = setup.admin("POST", "/key/update", &more, 200);
    assert_eq!(changed["model_max_budget"], json!({}));
    assert_eq!(setup.served(&key, "priced", 9), 3);
}
