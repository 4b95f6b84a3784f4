//! By which names the lists show models, for each value of `list_names`, and below LiteLLM's base path.

use super::{DISCOVER, LISTEN, get, list, names, wait_until_listed};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::provider;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};

struct Setup {
    gateway: Gateway,
    litellm: Provider,
    claude: Provider,
}

/// LiteLLM with three models, and a provider that claims one of their names.
fn setup(settings: &str, of_litellm: &[&str]) -> Setup {
    let (litellm, claude) = (Provider::start(), Provider::start());
    litellm.always("", 200, list(&["gpt-4o", "anthropic/opus", "claude-x"]));
    claude.always("", 200, list(&["claude-x"]));
    let tables = [
        provider("litellm", &litellm.url(), &[&[DISCOVER], of_litellm].concat()),
        provider("claude", &claude.url(), &[DISCOVER, "match = [\"claude-*\"]"]),
    ];
    let aliases = "[aliases]\nfast = \"litellm:gpt-4o\"\n";
    let toml = format!("{LISTEN}workers = 2\n{settings}\n{}{aliases}", tables.concat());
    let gateway = Gateway::start(&toml, &[]);
    wait_until_listed(&gateway, &["litellm", "claude"]);
    Setup { gateway, litellm, claude }
}

const NAMESPACED: [&str; 5] =
    ["litellm:gpt-4o", "litellm:anthropic/opus", "litellm:claude-x", "claude:claude-x", "fast"];
const SHORT: [&str; 5] = ["gpt-4o", "anthropic/opus", "litellm:claude-x", "claude-x", "fast"];
const OF_LITELLM: [&str; 5] = ["gpt-4o", "anthropic/opus", "claude-x", "claude:claude-x", "fast"];

fn ids(gateway: &Gateway, path: &str) -> Vec<String> {
    let document = get(gateway, path).json();
    let entries = document.as_array().or_else(|| document["data"].as_array()).expect("a list");
    entries.iter().map(|entry| entry["id"].as_str().expect("an id").to_owned()).collect()
}

/// Where a request goes: the provider, and the model that the provider gets.
fn sent(setup: &Setup, path: &str, model: &str) -> (String, String) {
    let body = json!({"model": model, "messages": []}).to_string();
    let request = Request::post(path, body);
    let response = h1::exchange(setup.gateway.addr(), &request.case(path));
    assert_eq!(response.status, 200, "{model}: {}", response.text());
    let name = response.header("x-gaud-provider").expect("a provider");
    let server = if name == "claude" { &setup.claude } else { &setup.litellm };
    let seen = server.seen(path).pop().expect("a request");
    let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
    (name, body["model"].as_str().expect("a model").to_owned())
}

#[test]
fn each_setting_lists_its_names() {
    let default = "default_provider = \"litellm\"";
    let both = ["gpt-4o", "litellm:gpt-4o", "anthropic/opus", "litellm:anthropic/opus"];
    let both = [&both[..], &["litellm:claude-x", "claude-x", "claude:claude-x", "fast"]].concat();
    for (settings, expected) in [
        ("", &NAMESPACED[..]),
        (default, &SHORT),
        ("default_provider = \"litellm\"\nlist_names = \"namespaced\"", &NAMESPACED),
        ("default_provider = \"litellm\"\nlist_names = \"short\"", &SHORT),
        ("default_provider = \"litellm\"\nlist_names = \"both\"", &both),
    ] {
        let setup = setup(settings, &[]);
        assert_eq!(names(&setup.gateway), expected, "{settings}");
        assert_eq!(ids(&setup.gateway, "/api/models"), expected, "{settings}");
        for path in ["/api/litellm/v1/models", "/api/litellm/models", "/api/litellm/api/models"] {
            assert_eq!(ids(&setup.gateway, path), OF_LITELLM, "{settings}: {path}");
        }
        for (model, id) in [
            ("gpt-4o", if settings.is_empty() { "litellm:gpt-4o" } else { "gpt-4o" }),
            ("litellm:gpt-4o", "litellm:gpt-4o"),
            ("claude-x", "claude-x"),
            ("fast", "fast"),
        ] {
            let found = get(&setup.gateway, &format!("/v1/models/{model}")).json();
            assert_eq!(found["id"], id, "{settings}: {found}");
            let below = get(&setup.gateway, &format!("/api/litellm/v1/models/{model}")).json();
            assert_eq!(below["id"], model, "{settings}: {below}");
        }
        refusal::not_listed("none").assert_openai("none", &get(&setup.gateway, "/v1/models/none"));
        setup.gateway.assert_no_trap();
    }
}

#[test]
fn short_names_without_a_default_provider_are_those_that_can_be_sent() {
    let setup = setup("list_names = \"short\"", &["match = [\"gpt-*\"]"]);
    let expected = ["gpt-4o", "litellm:anthropic/opus", "litellm:claude-x", "claude-x", "fast"];
    assert_eq!(names(&setup.gateway), expected);
    setup.gateway.assert_no_trap();
}

#[test]
fn every_name_listed_below_litellms_path_can_be_sent_there() {
    let chat = "/api/litellm/v1/chat/completions";
    for settings in ["", "[retries]\nmax = 2\n", "default_provider = \"litellm\""] {
        let setup = setup(settings, &["timeout_secs = 9"]);
        for (model, provider, received) in [
            ("gpt-4o", "litellm", "gpt-4o"),
            ("anthropic/opus", "litellm", "anthropic/opus"),
            ("claude-x", "claude", "claude-x"),
            ("claude:claude-x", "claude", "claude-x"),
            ("litellm:claude-x", "litellm", "claude-x"),
            ("fast", "litellm", "gpt-4o"),
            ("never-listed:free", "litellm", "never-listed:free"),
        ] {
            let expected = (provider.to_owned(), received.to_owned());
            assert_eq!(sent(&setup, chat, model), expected, "{settings}: {model}");
        }
        setup.gateway.assert_no_trap();
    }
}

#[test]
fn what_names_no_model_goes_to_litellm_below_its_path_alone() {
    let setup = setup("", &[]);
    for path in ["/v1/files", "/key/info?key=x", "/v1/threads/t/messages"] {
        let response = get(&setup.gateway, &format!("/api/litellm{path}"));
        assert_eq!(response.header("x-gaud-provider").as_deref(), Some("litellm"), "{path}");
        assert_eq!(setup.litellm.seen("client").pop().expect("a request").path, path);
        let elsewhere = get(&setup.gateway, path);
        assert_eq!(elsewhere.status, 404, "{path}: {}", elsewhere.text());
    }
    assert!(setup.claude.seen("client").is_empty());
    setup.gateway.assert_no_trap();
}

#[test]
fn a_short_name_that_nothing_claims_is_refused_with_the_name_to_send() {
    let setup = setup("", &[]);
    let body = json!({"model": "gpt-4o"}).to_string();
    let response = h1::exchange(setup.gateway.addr(), &Request::chat(body));
    assert_eq!(response.status, 404);
    let message = response.json()["error"]["message"].to_string();
    assert!(message.contains("litellm:gpt-4o"), "{message}");
    setup.gateway.assert_no_trap();
}
