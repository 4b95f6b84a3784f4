//! Answers that say what they have cost.

use super::{INPUT_NANOS, Setup, always, answer, chat, completion, config};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::{Answer, Provider};
use serde_json::json;

const COST: u64 = 200_000;

/// A gateway whose answers say what they have cost, or do not.
pub(super) fn start(headers: bool) -> Setup {
    let (one, two) = (Provider::start(), Provider::start());
    let toml = config(&one, &two, "");
    let toml = toml.replace("[usage]\n", &format!("[usage]\nheaders = {headers}\n"));
    Setup { run: Run::start(&toml), one, two }
}

fn told(answer: &Response) -> (Option<String>, Option<String>) {
    (answer.header("x-gaud-cost"), answer.header("x-gaud-key-spend"))
}

fn dollars(cost: &str, spend: &str) -> (Option<String>, Option<String>) {
    (Some(cost.to_owned()), Some(spend.to_owned()))
}

#[test]
fn a_document_says_what_it_has_cost_and_what_its_key_has_spent() {
    let setup = start(true);
    let (key, _) = setup.key(&json!({"budget": {"usd": 1, "window": "month"}}));
    let mut spent = 0;
    for model in ["priced", "chain"] {
        for _ in 0..2 {
            setup.one.script(model, answer(COST / INPUT_NANOS, 0));
            let answer = setup.ask(&key, model);
            spent += 2;
            assert_eq!(told(&answer), dollars("0.0002", &format!("0.000{spent}")), "{model}");
            assert_eq!(answer.json(), completion(COST / INPUT_NANOS, 0));
        }
    }
    // The second target of a chain answers.
    (0..2).for_each(|_| setup.one.script("chain", Answer::json(500, &json!({}))));
    setup.two.script("chain", answer(COST / INPUT_NANOS, 0));
    assert_eq!(told(&setup.ask(&key, "chain")), dollars("0.0002", "0.001"));
    // A key without a budget, and no key at all.
    let (free, _) = setup.key(&json!({}));
    always(&setup.one, "priced", COST);
    assert_eq!(told(&setup.ask(&free, "priced")), (Some("0.0002".to_owned()), None));
    let unkeyed = Request::chat(r#"{"model":"priced"}"#).case("priced");
    let answer = h1::exchange(setup.run.addr(), &unkeyed);
    assert_eq!(told(&answer), (Some("0.0002".to_owned()), None));
    // Without a price nothing is said, and an error costs nothing.
    let unpriced = h1::exchange(setup.run.addr(), &Request::chat(r#"{"model":"nameless"}"#));
    assert_eq!((unpriced.status, told(&unpriced)), (200, (None, None)));
}

#[test]
fn what_is_not_a_short_document_passes_as_it_comes() {
    let setup = start(true);
    let (key, _) = setup.key(&json!({"budget": {"usd": 1, "window": "month"}}));
    // A stream is not held: its first event comes before its end.
    let (events, mut pump) = Answer::events();
    setup.one.script("priced", events);
    let mut connection = h1::Connection::open(setup.run.addr());
    connection.send_request(&chat(&key, "priced"));
    pump.send("data: {\"choices\":[]}\n\n").expect("a gateway");
    let head = connection.head();
    assert_eq!((head.status, head.headers.get("x-gaud-cost")), (200, None));
    drop(connection);
    // A long document comes whole.
    let mut long = completion(100, 0);
    long["choices"][0]["message"]["content"] = "word ".repeat(200_000).into();
    for model in ["priced", "chain"] {
        setup.one.script(model, Answer::json(200, &long));
        let answer = setup.ask(&key, model);
        assert_eq!((answer.status, answer.json() == long), (200, true), "{model}");
        assert_eq!(answer.header("x-gaud-cost"), None);
        let refused = Answer::json(400, &json!({"error": {"message": "no"}}));
        setup.one.script(model, refused);
        let answer = setup.ask(&key, model);
        assert_eq!((answer.status, answer.header("x-gaud-cost")), (400, None));
    }
}

#[test]
fn without_the_setting_nothing_is_said() {
    let setup = start(false);
    let (key, _) = setup.key(&json!({"budget": {"usd": 1, "window": "month"}}));
    for model in ["priced", "chain"] {
        setup.one.script(model, answer(COST / INPUT_NANOS, 0).header("x-gaud-cost", "5"));
        let answer = setup.ask(&key, model);
        assert_eq!((answer.status, told(&answer)), (200, (None, None)), "{model}");
    }
}
