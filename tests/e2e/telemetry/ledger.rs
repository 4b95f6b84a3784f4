//! The spans of a chain's attempts say what the ledger says of the same attempts.

use super::{admin, chat, completion, config, tracing};
use crate::kit::client::{Request, h1};
use crate::kit::harness::version::spans_say_more;
use crate::kit::harness::{Run, wait};
use crate::kit::otlp::{CLIENT, Span, wait_for};
use crate::kit::upstream::{Answer, Provider};
use serde_json::{Value, json};

/// The ledger's rows of two attempts, by provider and model.
fn rows(run: &Run) -> Vec<Value> {
    wait::until("two attempts in the ledger", || {
        let rows =
            admin(run, Request::new("GET", "/admin/usage?by=provider,model"))["rows"].clone();
        rows.as_array().filter(|rows| rows.len() == 2).cloned()
    })
}

/// A number of an attribute, which says nothing in the place of 0.
fn number(span: &Span, name: &str) -> Value {
    match span.get(name) {
        "" => json!(0),
        text => json!(text.parse::<u64>().expect("a number")),
    }
}

#[test]
fn the_spans_of_attempts_have_the_ledgers_providers_models_and_tokens() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, &tracing(&collector, "[usage]\nmeter = \"all\"\n")));
    one.script("chain", Answer::json(503, &json!({"error": {"message": "no"}})));
    two.always("chain", 200, completion(30, 9).to_string());
    let answer = h1::exchange(run.addr(), &Request::chat(chat("chain")).case("chain"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let attempt = |own: &'static str| {
        move |span: &Span| span.kind == CLIENT && span.get("gaud.attempt") == own
    };
    let spans = wait_for(&collector, [&attempt("1"), &attempt("2")]);
    let rows = rows(&run);
    for span in &spans {
        let is_same = |row: &&Value| row["provider"] == span.get("gen_ai.provider.name");
        let row = rows.iter().find(is_same).unwrap_or_else(|| panic!("{span:?} in {rows:?}"));
        assert_eq!(row["model"], span.get("gen_ai.request.model"), "{row}");
        assert_eq!(row["attempts"], 1, "{row}");
        assert_eq!(row["failed"], u64::from(!span.get("error.type").is_empty()), "{row}");
        assert_eq!(row["input"], number(span, "gen_ai.usage.input_tokens"), "{row}");
        assert_eq!(row["output"], number(span, "gen_ai.usage.output_tokens"), "{row}");
    }
    let input: u64 = rows.iter().filter_map(|row| row["input"].as_u64()).sum();
    assert_eq!(input, 30, "{rows:?}");
}
