//! Each outcome is settled once: afterwards the budget has exactly what was used.

use super::{Setup, always, answer, budget, chat, code, completion, config, headers};
use crate::kit::client::h1::Connection;
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Gate, Provider};
use serde_json::{Value, json};

/// The budget has room for this many requests of the price of `always`.
const ROOM: usize = 5;
const COST: u64 = 200_000;

/// A budget for [`ROOM`] requests, after `act` has used as much as `used` of them.
#[track_caller]
fn left_after(what: &str, used: usize, act: impl FnOnce(&Setup, &str)) {
    left_after_in(&Setup::start(), what, used, act);
}

/// The same on this gateway.
#[track_caller]
fn left_after_in(setup: &Setup, what: &str, used: usize, act: impl FnOnce(&Setup, &str)) {
    let (key, _) = setup.key(&budget(ROOM as u64 * COST));
    act(setup, &key);
    always(&setup.one, "priced", COST);
    assert_eq!(setup.served(&key, "priced", ROOM + 3), ROOM - used, "after {what}");
}

fn cost() -> Answer {
    answer(COST / super::INPUT_NANOS, 0)
}

/// A budget for this number of requests, and one request at a time: a place is free again when a request is settled.
fn one_at_a_time(room: usize) -> Value {
    let mut fields = budget(room as u64 * COST);
    fields["max_parallel_requests"] = json!(1);
    fields
}

/// Asks once more, and compares the counter of the key, as the answer tells it, with the ledger, which has this number of attempts then.
/// What those before have cost.
#[track_caller]
fn spent_before(setup: &Setup, key: &str, id: &str, attempts: u64) -> u64 {
    // The answer before may have its place a moment longer.
    let answer = || Some(setup.ask(key, "priced")).filter(|answer| answer.status == 200);
    let answer = wait::until("a place", answer);
    let told: f64 = answer.header("x-gaud-key-spend").expect("a sum").parse().expect("dollars");
    let row = setup.ledger(id, attempts);
    let spent = row["cost_nanos"].as_u64().expect("a sum");
    assert_eq!((told * 1e9).round() as u64, spent, "the counter and the ledger: {row}");
    spent - COST
}

#[test]
fn what_fails_costs_nothing() {
    left_after("errors of the provider", 0, |setup, key| {
        for status in [400, 401, 429, 500] {
            setup.one.script("priced", Answer::json(status, &json!({"error": {"message": "no"}})));
            assert_eq!(setup.ask(key, "priced").status, status);
        }
        setup.one.script("priced", Answer::broken());
        assert!(setup.ask(key, "priced").status >= 500);
    });
}

#[test]
fn an_answer_over_the_hop_costs_once() {
    left_after("a chain that was not needed", 1, |setup, key| {
        setup.one.script("chain", cost());
        assert_eq!(setup.ask(key, "chain").status, 200);
    });
    left_after("a chain", 1, |setup, key| {
        for _ in 0..2 {
            setup.one.script("chain", Answer::json(500, &json!({})));
        }
        setup.two.script("chain", cost());
        let answer = setup.ask(key, "chain");
        assert_eq!(answer.status, 200, "{}", answer.text());
    });
    left_after("a retry", 1, |setup, key| {
        setup.one.script("chain", Answer::json(500, &json!({})));
        setup.one.script("chain", cost());
        assert_eq!(setup.ask(key, "chain").status, 200);
    });
}

#[test]
fn a_stream_costs_what_its_usage_says() {
    left_after("streams", 2, |setup, key| {
        for model in ["priced", "chain"] {
            let usage =
                json!({"choices": [], "usage": completion(COST / super::INPUT_NANOS, 0)["usage"]});
            let text = format!("data: {{\"choices\":[]}}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
            setup.one.script(model, Answer::new(200, "text/event-stream", text));
            assert_eq!(setup.ask(key, model).status, 200);
        }
    });
}

#[test]
fn a_provider_that_does_not_answer_in_time_costs_nothing() {
    let (one, two) = (Provider::start(), Provider::start());
    let toml = config(&one, &two, "").replace("breaker =", "timeout_secs = 1\nbreaker =");
    let setup = Setup { run: Run::start(&toml), one, two };
    left_after_in(&setup, "a timeout, and a timeout in a chain", 1, |setup, key| {
        let gate = Gate::closed();
        for model in ["priced", "chain"] {
            setup.one.script(model, cost().held_by(&gate));
        }
        let answer = setup.ask(key, "priced");
        assert_eq!((answer.status, code(&answer).as_str()), (504, "provider_timeout"));
        setup.two.script("chain", cost());
        let answer = setup.ask(key, "chain");
        assert_eq!(answer.header("x-gaud-provider").as_deref(), Some("two"), "{}", answer.text());
        gate.open();
    });
}

#[test]
fn a_client_that_leaves_pays_for_what_was_asked() {
    let setup = headers::start(true);
    let (key, id) = setup.key(&one_at_a_time(ROOM));
    always(&setup.one, "priced", COST);
    for model in ["second", "chain"] {
        let gate = Gate::closed();
        setup.one.script(model, cost().held_by(&gate));
        let mut connection = Connection::open(setup.run.addr());
        connection.send_request(&chat(&key, model));
        setup.one.wait(model);
        drop(connection);
        // The place is given back with the settlement.
        wait::until_true("a place", || setup.ask(&key, "priced").status == 200);
    }
    // A quarter of the bytes of each request that was left, as tokens: not enough to keep out a request that fits.
    let left = spent_before(&setup, &key, &id, 5) - 2 * COST;
    assert!((1..COST).contains(&left), "{left} for two requests that were left");
    assert_eq!(setup.served(&key, "priced", ROOM + 3), ROOM - 3);
}

#[test]
fn a_stream_that_breaks_costs_what_was_seen_of_it() {
    let setup = headers::start(true);
    let (key, id) = setup.key(&one_at_a_time(100));
    always(&setup.one, "priced", COST);
    let mut before = 0;
    for (model, attempts) in [("second", 2), ("chain", 4)] {
        let (events, mut pump) = Answer::events();
        setup.one.script(model, events);
        let mut connection = Connection::open(setup.run.addr());
        connection.send_request(&chat(&key, model));
        // Four hundred bytes are a hundred tokens, where no usage came.
        let text = "12345678".repeat(50);
        pump.send(format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"))
            .expect("room");
        assert_eq!(connection.try_head().expect("a head").status, 200);
        assert!(!connection.chunk().expect("a piece").is_empty());
        pump.fail();
        while connection.chunk().is_some_and(|piece| !piece.is_empty()) {}
        let all = spent_before(&setup, &key, &id, attempts);
        let output = 100 * super::OUTPUT_NANOS;
        assert!((output..output + COST).contains(&(all - before)), "{model}: {all}, {before}");
        before = all + COST;
    }
}

#[test]
fn what_the_gateway_refuses_costs_nothing() {
    left_after("refusals", 0, |setup, key| {
        for _ in 0..ROOM {
            let request = crate::kit::client::Request::chat(r#"{"model":"priced","model":"x"}"#);
            let request = request.header("authorization", format!("Bearer {key}"));
            assert_eq!(crate::kit::client::h1::exchange(setup.run.addr(), &request).status, 400);
        }
    });
}
