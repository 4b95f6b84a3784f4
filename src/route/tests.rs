//! Where models go: the rules, one after the other.

use super::*;
use crate::config::File;
use crate::gateway::Gateway;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn gateway(json: &str) -> Gateway {
    let file = File::from_json(json.as_bytes()).unwrap();
    Gateway::compile(&file, &|_| None).unwrap()
}

/// `provider: model (why)`, or why not.
fn decide(gateway: &Gateway, model: &str) -> String {
    let model = ModelName::try_from(model.to_owned()).unwrap();
    match gateway.routes.decide(&model) {
        Ok(decision) => {
            let provider = &gateway.provider(decision.target.provider).unwrap().name;
            format!("{provider}: {} ({decision})", decision.target.model)
        }
        Err(NoRoute::MissingModel(namespace)) => format!("missing model after {namespace}"),
        Err(NoRoute::NotFound(_)) => "not found".to_owned(),
    }
}

#[track_caller]
fn check(json: &str, rows: &[(&str, &str)]) {
    let gateway = gateway(json);
    for (model, expected) in rows {
        assert_eq!(decide(&gateway, model), *expected, "{model}");
    }
}

#[test]
fn the_longest_namespace_wins_and_is_stripped() {
    check(
        r#"{"providers":{
            "litellm":{"url":"http://a"},
            "p":{"url":"http://b","namespaces":["p:","p/"]},
            "deep":{"url":"http://c","namespaces":["p/deep/"]}}}"#,
        &[
            ("litellm:gpt-4o", r#"litellm: gpt-4o (namespace "litellm:")"#),
            (
                "litellm:bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0",
                "litellm: bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0 (namespace \"litellm:\")",
            ),
            ("p/x", r#"p: x (namespace "p/")"#),
            ("p/deep/x", r#"deep: x (namespace "p/deep/")"#),
            ("p/dee", r#"p: dee (namespace "p/")"#),
            ("p:p:x", r#"p: p:x (namespace "p:")"#),
            ("litellm:", "missing model after litellm:"),
            ("deep:x", "not found"),
            ("Litellm:x", "not found"),
            ("\u{e9}litellm:x", "not found"),
        ],
    );
}

#[test]
fn the_most_specific_match_wins_and_nothing_is_stripped() {
    check(
        r#"{"default_provider":"rest","providers":{
            "any":{"url":"http://a","match":["*"]},
            "gpt":{"url":"http://b","match":["gpt-4*","gpt-4o-mini"]},
            "omni":{"url":"http://c","match":["gpt-4o*","gpt-4o-mini"]},
            "later":{"url":"http://d","match":["gpt-4o*"]},
            "rest":{"url":"http://e"}}}"#,
        &[
            ("gpt-4-turbo", r#"gpt: gpt-4-turbo (match "gpt-4*")"#),
            ("gpt-4o", r#"omni: gpt-4o (match "gpt-4o*")"#),
            ("gpt-4o-mini", r#"gpt: gpt-4o-mini (match "gpt-4o-mini")"#),
            ("x", r#"any: x (match "*")"#),
            ("rest:x", r#"rest: x (namespace "rest:")"#),
        ],
    );
}

#[test]
fn an_unclaimed_model_goes_to_the_default_with_its_colon() {
    check(
        r#"{"default_provider":"p","providers":{"p":{"url":"http://a"}}}"#,
        &[("llama3.2:latest", "p: llama3.2:latest (default_provider)")],
    );
    check(r#"{"providers":{"p":{"url":"http://a"}}}"#, &[("llama3.2:latest", "not found")]);
}

#[test]
fn an_alias_is_replaced_once_and_then_routed() {
    check(
        r#"{"providers":{"p":{"url":"http://a","match":["claude-*"]}},
            "aliases":{"fast":"p:small","best":"claude-x","p:y":"p:z"}}"#,
        &[
            ("fast", r#"p: small (alias "fast", then namespace "p:")"#),
            ("best", r#"p: claude-x (alias "best", then match "claude-*")"#),
            ("p:y", r#"p: z (alias "p:y", then namespace "p:")"#),
        ],
    );
}

#[test]
fn stars_match_any_text() {
    for (pattern, matching, other) in [
        ("*", &["a", "a/b"][..], &[][..]),
        ("a*", &["a", "ab"], &["ba", "A"]),
        ("*a", &["a", "ba"], &["ab"]),
        ("a*b", &["ab", "axb", "abb"], &["a", "b", "aba"]),
        ("a*a", &["aa", "aba"], &["a"]),
        ("a*b*c", &["abc", "axbxc", "abbc"], &["acb", "ac"]),
        ("*-b-*", &["a-b-c", "-b-"], &["a-b", "-b"]),
        ("a**b", &["ab", "axb"], &["a"]),
    ] {
        let glob = Glob { pattern: pattern.to_owned() };
        assert!(matching.iter().all(|model| glob.matches(model)), "{pattern}");
        assert!(!other.iter().any(|model| glob.matches(model)), "{pattern}");
    }
}
