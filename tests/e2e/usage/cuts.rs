//! Answers that are cut off: by the client, by the provider, by the gateway.

use super::{assert_sums, config, wait_for_sums};
use crate::kit::client::h1::Connection;
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::{Answer, Provider};
use serde_json::json;

const CHAIN: &str = "[[fallbacks]]\nmodel = \"hop*\"\nto = [\"two:second\"]\n";

/// Eight bytes of text: two tokens, where nobody counts.
const EVENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"12345678\"}}]}\n\n";

/// 400 bytes: a hundred tokens, where nobody counts.
fn request(model: &str) -> Request {
    let empty = json!({"model": model, "messages": []}).to_string();
    let body = format!("{empty}{}", " ".repeat(400 - empty.len()));
    Request::chat(body).case(model)
}

/// The ways to a provider: straight, and over the hop.
const MODELS: [&str; 2] = ["straight", "hop"];

#[test]
fn a_client_that_leaves_pays_for_what_was_seen() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    for model in MODELS {
        let (answer, mut pump) = Answer::events();
        one.script(model, answer);
        pump.send(EVENT).expect("room");
        let mut connection = Connection::open(run.addr());
        connection.send_request(&request(model));
        connection.try_head().expect("a head");
        connection.chunk().expect("a piece");
        drop(connection);
        pump.wait_for_reader_to_leave();
        let row = wait_for_sums(&run, "one", model, 1);
        assert_sums(&row, &json!({"guessed": 1, "failed": 0, "input": 100, "output": 2}));
    }
}

#[test]
fn a_client_that_leaves_before_the_answer_pays_for_its_request() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    for model in MODELS {
        let gate = crate::kit::upstream::Gate::closed();
        one.script(model, Answer::completion().held_by(&gate));
        let mut connection = Connection::open(run.addr());
        connection.send_request(&request(model));
        one.wait(model);
        drop(connection);
        let row = wait_for_sums(&run, "one", model, 1);
        assert_sums(&row, &json!({"guessed": 1, "input": 100, "output": 0}));
        gate.open();
    }
}

#[test]
fn a_provider_that_breaks_off_is_paid_for_what_came() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, CHAIN));
    let usage = "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":30,\"output_tokens\":1}}}\n\n";
    for model in MODELS {
        for (case, begin, input, output) in [("", EVENT, 100, 2), ("-said", usage, 30, 1)] {
            let model = format!("{model}{case}");
            let (answer, mut pump) = Answer::events();
            one.script(&model, answer);
            pump.send(begin).expect("room");
            let mut connection = Connection::open(run.addr());
            connection.send_request(&request(&model));
            connection.try_head().expect("a head");
            connection.chunk().expect("a piece");
            pump.fail();
            assert_eq!(connection.chunk(), None, "{model}");
            let row = wait_for_sums(&run, "one", &model, 1);
            assert_sums(
                &row,
                &json!({"guessed": 1, "failed": 0, "input": input, "output": output}),
            );
        }
    }
}

#[test]
fn a_request_that_is_refused_late_costs_nothing() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, ""));
    // The model has come, and the request has left; what follows is not JSON.
    // A chat's body would be read whole before the request leaves.
    let body = r#"{"model":"late"}"#;
    let request = Request::post("/v1/responses", body).case("late").chunked();
    let mut connection = Connection::open(run.addr());
    connection.send(h1::head(&request)).expect("a gateway");
    connection.send_piece(&request, br#"{"model":"late","messages":["#).expect("a gateway");
    one.wait_until("late", |seen| seen.length > 0);
    let _ = connection.send_piece(&request, b"]]}");
    assert_eq!(connection.try_response().map(|answer| answer.status), Some(400));
    let row = wait_for_sums(&run, "one", "late", 1);
    assert_sums(&row, &json!({"failed": 1, "input": 0, "output": 0}));
}
