//! Requests a minute.

use super::{Shared, UNITS, code, priced};
use crate::kit::rate_limits::wait_for_a_minute_with;
use serde_json::json;
use std::thread;

/// Eight clients, half of them at each gateway; how many requests are served of `each` of each.
fn served(shared: &Shared, key: &str, each: usize) -> u64 {
    let ask = |client: usize| {
        let statuses = (0..each).map(move |_| shared.gateways.ask(client % 2, key).status);
        statuses.filter(|status| *status == 200).count() as u64
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|client| scope.spawn(move || ask(client))).collect();
        clients.into_iter().map(|client| client.join().expect("a client")).sum()
    })
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn the_requests_of_a_key_are_exact_over_both_gateways() {
    let shared = Shared::start("serve");
    for rpm in [1, 7, 30] {
        let (key, id) = shared.gateways.key(&json!({"rpm": rpm}));
        wait_for_a_minute_with(15);
        let before = shared.gateways.provider.seen("priced").len() as u64;
        assert_eq!(served(&shared, &key, 8), rpm);
        assert_eq!(shared.gateways.provider.seen("priced").len() as u64 - before, rpm);
        assert!(shared.counting.counted("requests", &format!("key/{id}")) > UNITS);
        let answer = shared.gateways.ask(0, &key);
        assert_eq!((answer.status, code(&answer).as_str()), (429, "rate_limit_exceeded"));
    }
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn a_key_without_limits_asks_nobody() {
    let shared = Shared::start("serve");
    let budget = json!({"budget": {"usd": 1, "window": "day"}, "max_parallel_requests": 5});
    let keys = [shared.gateways.key(&json!({})), shared.gateways.key(&budget)];
    for (key, _) in &keys {
        for (gateway, model) in [(0, "priced"), (1, "priced"), (0, "chain"), (1, "chain")] {
            assert_eq!(shared.chat(gateway, key, &priced(model)).status, 200);
        }
        let refused = shared.chat(0, key, &priced(""));
        assert_eq!(refused.status, 400, "the gateway itself answers");
    }
    assert_eq!((shared.calls(), shared.counting.questions()), (0, 0));
    let (limited, _) = shared.gateways.key(&json!({"rpm": 10}));
    assert_eq!(shared.gateways.ask(0, &limited).status, 200);
    assert_eq!((shared.calls(), shared.counting.questions()), (1, 1));
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn a_user_and_a_model_have_limits_of_their_own() {
    let shared = Shared::start("serve");
    let user = shared.user(&json!({"id": "ann", "rpm": 10}));
    let (first, first_id) = shared.gateways.key(&json!({
        "user": "ann", "model_limits": {"pri*": {"rpm": 2}}
    }));
    let (second, _) = shared.gateways.key(&json!({"user": "ann"}));
    wait_for_a_minute_with(15);
    let statuses = [0, 1, 0, 1].map(|gateway| shared.gateways.ask(gateway, &first).status);
    assert_eq!(statuses, [200, 200, 429, 429], "of the model");
    let model = format!("key/{first_id}/pri\\*");
    assert!(shared.counting.counted("requests", &model) > UNITS);
    let counted = shared.counting.counted("requests", &user);
    assert_eq!(counted, 2 * UNITS / 10, "what is refused takes nothing of the user's");
    assert_eq!(served(&shared, &second, 4), 8, "the rest of the user's");
    let answer = shared.chat(0, &first, &priced("chain"));
    assert_eq!((answer.status, code(&answer).as_str()), (429, "rate_limit_exceeded"));
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn a_gateway_counts_with_the_others_once_its_configuration_says_so() {
    let shared = Shared::start("serve");
    let run = &shared.gateways.runs[0];
    let toml = std::fs::read_to_string(run.folder().join("gaud.toml")).expect("a file");
    run.change(
        &toml
            .replace("store = \"redis\"", "")
            .replace("service =", "#")
            .replace("on_failure =", "#"),
    );
    let (key, id) = shared.gateways.key(&json!({"rpm": 3}));
    wait_for_a_minute_with(15);
    for _ in 0..3 {
        assert_eq!(shared.gateways.ask(0, &key).status, 200);
    }
    assert_eq!(shared.counting.counted("requests", &format!("key/{id}")), 0);
    run.change(&toml);
    assert_eq!(shared.gateways.ask(1, &key).status, 200);
    assert_eq!(shared.counting.counted("requests", &format!("key/{id}")), UNITS / 3);
    assert_eq!(shared.gateways.ask(0, &key).status, 429, "its own bucket is empty");
}
