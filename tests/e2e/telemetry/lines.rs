//! The access log: a line of JSON for each request.

use super::{admin, chat, completion, config};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Provider};
use serde_json::{Value, json};
use std::path::Path;

/// Nothing else of Envoy's configuration names this field of the lines.
const A_FIELD: &str = "first_byte_ms";

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Waits for the lines of requests for the chat endpoint.
#[track_caller]
pub(super) fn wait_for(path: &Path, count: usize) -> Vec<Value> {
    wait::until(&format!("{count} lines of the access log"), || {
        let found: Vec<_> =
            lines(path).into_iter().filter(|line| line["path"] == "/v1/chat/completions").collect();
        (found.len() >= count).then_some(found)
    })
}

#[test]
fn a_line_says_who_asked_for_what_and_what_the_answer_has_used() {
    let (one, two) = (Provider::start(), Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let log = format!("[access_log]\npath = \"{}\"\n", path.display());
    let run = Run::start(&config(&one, &two, &log));
    one.always("straight", 200, completion(20, 7).to_string());
    one.script("chain", Answer::json(503, &json!({"error": {"message": "no"}})));
    two.always("chain", 200, completion(30, 9).to_string());
    let ask = |model: &str, query: &str| {
        let request = Request::post(format!("/v1/chat/completions{query}"), chat(model))
            .header("authorization", "Bearer sk-in-a-header")
            .case(model);
        assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    };
    ask("straight", "?key=sk-in-a-query");
    let straight = &wait_for(&path, 1)[0];
    for (field, value) in [
        ("method", json!("POST")),
        ("status", json!(200)),
        ("client", json!("127.0.0.1")),
        ("operation", json!("chat")),
        ("provider", json!("one")),
        ("answered_by", json!("one")),
        ("model", json!("straight")),
        ("input_tokens", json!("20")),
        ("output_tokens", json!("7")),
        ("cached_tokens", json!("3")),
        ("finish_reason", json!("length")),
        ("error", Value::Null),
        ("trace", Value::Null),
    ] {
        assert_eq!(straight[field], value, "{field} of {straight}");
    }
    ask("chain", "");
    let all = wait_for(&path, 4);
    let chain = |is_attempt: bool| {
        let of = move |line: &&Value| {
            line["asked"] == "chain" && line["attempt"].is_string() == is_attempt
        };
        all.iter().filter(of).collect::<Vec<_>>()
    };
    let shown = |line: &&Value| {
        ["attempt", "provider", "error", "input_tokens"].map(|name| line[name].clone())
    };
    assert_eq!(
        chain(true).iter().map(shown).collect::<Vec<_>>(),
        [
            [json!("1"), json!("one"), json!("503"), Value::Null],
            [json!("2"), json!("two"), Value::Null, json!("30")],
        ]
    );
    let [request] = chain(false)[..] else { panic!("one line of the request: {all:?}") };
    assert_eq!((&request["attempts"], &request["answered_by"]), (&json!("2"), &json!("two")));
    assert_eq!(request["request"], chain(true)[0]["request"]);
    let text = std::fs::read_to_string(&path).expect("a log");
    assert!(!text.contains("sk-in-a"), "{text}");
}

#[test]
fn lines_on_standard_output_leave_the_journal_alone() {
    let (one, two) = (Provider::start(), Provider::start());
    let tables = "[access_log]\npath = \"stdout\"\n[usage]\nmeter = \"all\"\n";
    let run = Run::start(&config(&one, &two, tables));
    one.always("straight", 200, completion(20, 7).to_string());
    for _ in 0..3 {
        let request = Request::chat(chat("straight")).case("straight");
        assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    }
    wait::until("three lines", || {
        let log = run.log();
        let is_line =
            |line: &&str| line.starts_with('{') && line.contains("\"model\":\"straight\"");
        (log.lines().filter(is_line).count() == 3).then_some(())
    });
    assert!(run.admin().get("/config_dump").contains(A_FIELD));
    wait::until("three attempts in the ledger", || {
        let rows = admin(&run, Request::new("GET", "/admin/usage?by=model"));
        let row = rows["rows"].as_array()?.first()?.clone();
        (row["attempts"] == 3 && row["input"] == 60).then_some(())
    });
}

#[test]
fn without_the_setting_no_line_is_written() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&config(&one, &two, ""));
    for model in ["straight", "chain"] {
        assert_eq!(h1::exchange(run.addr(), &Request::chat(chat(model))).status, 200);
    }
    let dump = run.admin().get("/config_dump?include_eds");
    assert!(!dump.contains(A_FIELD), "{dump}");
    assert!(!run.log().lines().any(|line| line.starts_with('{')), "{}", run.log());
}
