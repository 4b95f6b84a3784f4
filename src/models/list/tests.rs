//! Lists of models, good and bad.

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn listed(id: &str) -> Listed {
    Listed { id: id.to_owned(), ..Listed::default() }
}

/// The models that are listed, and how many entries are not.
#[track_caller]
fn good(json: &str) -> (Vec<Listed>, usize) {
    parse(json.as_bytes()).unwrap()
}

#[track_caller]
fn window(fields: &str) -> Option<u64> {
    let (models, left_out) = good(&format!(r#"[{{"id":"a",{fields}}}]"#));
    assert_eq!((models.len(), left_out), (1, 0));
    models[0].context_window
}

#[test]
fn the_lists_of_many_providers_are_read() {
    let openai = r#"{"object":"list","data":[
        {"id":"gpt-4o","object":"model","created":1715367049,"owned_by":"system"},
        {"id":"b","created":null}]}"#;
    let gpt = Listed { created_secs: Some(1_715_367_049), ..listed("gpt-4o") };
    assert_eq!(good(openai), (vec![gpt, listed("b")], 0));
    let anthropic = r#"{"data":[{"type":"model","id":"claude","display_name":"Claude \u00e9",
        "created_at":"2025-02-19T00:00:00Z"}],"has_more":false,"first_id":"a","last_id":"b"}"#;
    let claude = Listed { display_name: Some("Claude \u{e9}".to_owned()), ..listed("claude") };
    assert_eq!(good(anthropic), (vec![claude], 0));
    assert_eq!(good(" [ {\"x\":[[{}]],\"id\":\"a\"} ] "), (vec![listed("a")], 0));
    assert_eq!(good("[]"), (vec![], 0));
    assert_eq!(good(r#"{"data":[]}"#), (vec![], 0));
}

#[test]
fn the_context_window_has_several_names() {
    for (fields, tokens) in [
        (r#""max_input_tokens":1"#, Some(1)),
        (r#""context_window":2"#, Some(2)),
        (r#""context_length":3"#, Some(3)),
        (r#""max_model_len":4"#, Some(4)),
        (r#""max_context_length":5"#, Some(5)),
        (r#""max_context_length":5,"max_input_tokens":1,"context_window":2"#, Some(1)),
        (r#""max_input_tokens":null,"context_window":2"#, Some(2)),
        (r#""max_input_tokens":1.5,"max_model_len":4"#, Some(4)),
        (r#""max_input_tokens":0"#, None),
        (r#""max_input_tokens":-1"#, None),
        (r#""max_input_tokens":1e5"#, None),
        (r#""max_input_tokens":"8192""#, None),
        (r#""max_input_tokens":18446744073709551616"#, None),
    ] {
        assert_eq!(window(fields), tokens, "{fields}");
    }
}

#[test]
fn entries_without_a_usable_id_are_left_out_and_counted() {
    let long = "x".repeat(513);
    for entry in [
        "1",
        "null",
        "\"gpt-4o\"",
        "[\"gpt-4o\"]",
        "{}",
        r#"{"id":1}"#,
        r#"{"id":null}"#,
        r#"{"id":""}"#,
        r#"{"id":"a\nb"}"#,
        r#"{"id":"\ud800"}"#,
        r#"{"id":"a"}"#,
        &format!(r#"{{"id":"{long}"}}"#),
    ] {
        let json = format!(r#"{{"data":[{{"id":"a"}},{entry},{{"id":"z"}}]}}"#);
        assert_eq!(good(&json), (vec![listed("a"), listed("z")], 1), "{entry}");
    }
    // Other unusable fields count as absent.
    let odd = r#"[{"id":"a","created":"yesterday","display_name":"a\u0007","context_window":[]}]"#;
    assert_eq!(good(odd), (vec![listed("a")], 0));
}

#[test]
fn entries_after_the_limit_are_left_out() {
    let entries: Vec<_> = (0..MODELS_MAX + 2).map(|n| format!(r#"{{"id":"m{n}"}}"#)).collect();
    let (models, left_out) = good(&format!("[{}]", entries.join(",")));
    assert_eq!((models.len(), left_out), (MODELS_MAX, 2));
    assert_eq!(models.last().unwrap().id, "m9999");
}

/// A provider that has lost its last model lists none.
#[test]
fn a_list_may_be_empty() {
    for json in ["[]", r#"{"data":[]}"#, r#"{"data":null}"#, r#"{"object":"list", "data" : null }"#]
    {
        assert_eq!(good(json), (vec![], 0), "{json}");
    }
}

#[test]
fn other_documents_are_refused_and_not_quoted() {
    let no_list = "expected an array, or an object with an array 'data'";
    for (body, problem) in [
        (r#""secret""#, no_list),
        (r#"{"error":{"message":"secret"}}"#, no_list),
        (r#"{"data":{"id":"secret"}}"#, no_list),
        (r#"{"data":"secret"}"#, no_list),
        (r#"{"error":null}"#, no_list),
        ("null", no_list),
        (r#"{"x":"data","y":[]}"#, no_list),
        (r#"[],"y":1"#, "trailing characters at line 1 column 3"),
        ("", "EOF while parsing a value at line 1 column 0"),
        (r#"[{"id":"a""#, "EOF while parsing an object at line 1 column 10"),
        (r#"[{"id":"a"#, "EOF while parsing a string at line 1 column 9"),
        ("<html>", "expected value at line 1 column 1"),
        ("[] x", "trailing characters at line 1 column 4"),
        (r#"[{"id":a}]"#, "expected value at line 1 column 8"),
    ] {
        let message = parse(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(message, format!("no list of models: {problem}"), "{body}");
    }
    let invalid = parse(b"[{\"id\":\"\xff\"}]").unwrap_err().to_string();
    assert_eq!(invalid, "no list of models: invalid unicode code point at line 1 column 9");
    let deep = parse("[".repeat(100_000).as_bytes()).unwrap_err().to_string();
    assert_eq!(deep, "no list of models: EOF while parsing a list at line 1 column 100000");
}
