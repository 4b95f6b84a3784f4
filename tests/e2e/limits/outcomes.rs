//! Each outcome is settled once: afterwards the budget has exactly what was used.

use super::{Setup, always, answer, budget, chat, completion};
use crate::kit::client::h1::Connection;
use crate::kit::harness::wait;
use crate::kit::upstream::{Answer, Gate};
use serde_json::json;

/// The budget has room for this many requests of the price of `always`.
const ROOM: usize = 5;
const COST: u64 = 200_000;

/// A budget for [`ROOM`] requests, after `act` has used as much as `used` of them.
#[track_caller]
fn left_after(what: &str, used: usize, act: impl FnOnce(&Setup, &str)) {
    let setup = Setup::start();
    let (key, _) = setup.key(&budget(ROOM as u64 * COST));
    act(&setup, &key);
    always(&setup.one, "priced", COST);
    assert_eq!(setup.served(&key, "priced", ROOM + 3), ROOM - used, "after {what}");
}

fn cost() -> Answer {
    answer(COST / super::INPUT_NANOS, 0)
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
fn a_client_that_leaves_pays_for_what_was_asked() {
    let setup = Setup::start();
    let mut fields = budget(ROOM as u64 * COST);
    fields["max_parallel_requests"] = json!(1);
    let (key, _) = setup.key(&fields);
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
    // A quarter of the bytes of each request that was left: not enough to keep out one that fits.
    assert_eq!(setup.served(&key, "priced", ROOM + 3), ROOM - 2);
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
