//! What is read in a list can be sent, and goes where the list says.

use super::{DISCOVER, LISTEN, Site, get, list, names};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::provider;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};
use std::sync::OnceLock;

struct Setup {
    gateway: Gateway,
    server: Provider,
}

/// Three providers with models of the same names, and such as could be taken for another's.
fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(start)
}

fn start() -> Setup {
    let lists = [
        list(&["gpt-4o", "b:x", "claude-3", "org/model:free", "größe", "a\"b\\c"]),
        list(&["gpt-4o", "claude-3", "llama3.2:latest", "a:y"]),
        list(&["gpt-4o", "claude-3", "fast"]),
    ];
    let (a, b, c) = (Provider::start(), Provider::start(), Provider::start());
    for (provider, list) in [&a, &b, &c].into_iter().zip(lists) {
        provider.always("", 200, list);
    }
    let tables = [
        provider("a", &a.url(), &[DISCOVER]),
        provider(
            "b",
            &b.url(),
            &[DISCOVER, "match = [\"claude-*\"]", "models = [\"b:x\", \"listed\"]"],
        ),
        provider("c", &c.url(), &[DISCOVER]),
    ];
    let aliases =
        "[aliases]\nfast = \"b:gpt-4o\"\nquick = \"c:not-listed\"\nplain = \"claude-3\"\n";
    let toml =
        format!("{LISTEN}workers = 2\ndefault_provider = \"a\"\n{}{aliases}", tables.concat());
    let gateway = Gateway::start(&toml, &[]);
    super::wait_until_listed(&gateway, &["a", "b", "c"]);
    Setup { gateway, server: a }
}

/// Where a name goes, and as what, by sending it.
fn sent(gateway: &Gateway, name: &str) -> String {
    let body = json!({"model": name}).to_string();
    let response = h1::exchange(gateway.addr(), &Request::chat(body).case("sent"));
    assert_eq!(response.status, 200, "{name}: {}", response.text());
    response.header("x-gaud-provider").expect("a provider")
}

#[test]
fn every_listed_name_can_be_sent() {
    let Setup { gateway, server } = setup();
    let document = get(gateway, "/v1/models").json();
    let entries = document["data"].as_array().expect("a list");
    for entry in entries {
        let (name, owner) = (entry["id"].as_str().expect("an id"), &entry["owned_by"]);
        assert_eq!(sent(gateway, name), owner.as_str().expect("an owner"), "{name}");
    }
    let models: Vec<_> = server
        .seen("sent")
        .iter()
        .map(|seen| {
            let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
            body["model"].as_str().expect("a model").to_owned()
        })
        .collect();
    assert_eq!(models, ["gpt-4o", "b:x", "claude-3", "org/model:free", "größe", "a\"b\\c"]);
    assert!(server.seen("client").is_empty());
    gateway.assert_no_trap();
}

#[test]
fn the_lists_are_merged_without_duplicates() {
    let Setup { gateway, .. } = setup();
    let expected = [
        "gpt-4o",
        "a:b:x",
        "a:claude-3",
        "org/model:free",
        "größe",
        "a\"b\\c",
        "b:x",
        "b:listed",
        "b:gpt-4o",
        "claude-3",
        "b:llama3.2:latest",
        "b:a:y",
        "c:gpt-4o",
        "c:claude-3",
        "c:fast",
        "fast",
        "quick",
        "plain",
    ];
    assert_eq!(names(gateway), expected);
    gateway.assert_no_trap();
}

#[test]
fn a_single_model_is_found_by_every_name_of_it() {
    let Setup { gateway, server } = setup();
    for (path, name, owner) in [
        ("gpt-4o", "gpt-4o", "a"),
        ("a:gpt-4o", "a:gpt-4o", "a"),
        ("a%3Agpt-4o", "a:gpt-4o", "a"),
        ("org/model:free", "org/model:free", "a"),
        ("org%2Fmodel%3Afree", "org/model:free", "a"),
        ("a:org/model:free", "a:org/model:free", "a"),
        ("gr%C3%B6%C3%9Fe", "größe", "a"),
        ("a%22b%5Cc", "a\"b\\c", "a"),
        ("b:llama3.2:latest", "b:llama3.2:latest", "b"),
        ("fast", "fast", "b"),
    ] {
        for base in ["", "/api/litellm"] {
            let response = get(gateway, &format!("{base}/v1/models/{path}"));
            let found = response.json();
            let expected = json!({"id": name, "object": "model", "created": 0, "owned_by": owner});
            for (key, value) in expected.as_object().expect("an object") {
                assert_eq!(found[key], *value, "{path}: {found}");
            }
        }
    }
    for name in ["no-such", "c:not-there", "a", "a:b:c/d"] {
        let response = get(gateway, &format!("/v1/models/{name}"));
        refusal::not_listed(name).assert_openai(name, &response);
    }
    assert!(server.seen("client").is_empty(), "a list request reached a provider");
    gateway.assert_no_trap();
}

#[test]
fn odd_names_are_listed_if_they_can_be_sent() {
    let long = |length: usize| "m".repeat(length);
    let entries = [
        json!({"id": "good"}),
        json!({"id": "a\nb"}),
        json!({"id": "\u{0}"}),
        json!({"id": "\u{7f}"}),
        json!({"id": "\u{85}"}),
        json!({"id": ""}),
        json!({"id": 7}),
        json!({}),
        json!("text"),
        json!({"id": "\"'\\<>&"}),
        json!({"id": "日本語 😀"}),
        json!({"id": "good"}),
        json!({"id": long(513)}),
        json!({"id": long(510)}),
        json!({"id": long(511)}),
        json!([]),
    ];
    let site = Site::start(300, 2, Value::from(entries.to_vec()).to_string());
    site.wait_for_models(5);
    let names = names(&site.gateway);
    assert_eq!(names, ["p:good", "p:\"'\\<>&", "p:日本語 😀", &format!("p:{}", long(510))]);
    for name in &names {
        assert_eq!(sent(&site.gateway, name), "p");
        let body = site.server.seen("sent").last().expect("a request").text();
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(format!("p:{}", body["model"].as_str().expect("a model")), *name);
    }
    let told = "gaud: provider p lists 5 models, and 11 more that are left out: they have no usable \
                name, or are too many";
    assert_eq!(super::logged(&site.gateway, "p"), [told]);
    site.gateway.assert_no_trap();
}
