//! An Envoy with a configuration of its user, and the sections of `gaud render --for filter` in it.

use super::paste::{paste, sections};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Gateway;
use crate::kit::harness::wait::until_true;
use crate::kit::refusal;
use crate::kit::samples::{gzip, provider};
use crate::kit::upstream::raw::Closed;
use crate::kit::upstream::{Answer, Provider, Seen};
use serde_json::{Value, json};

/// Two providers that Gaud reaches by URL, and two that are clusters of the user's Envoy.
fn toml(server: &Provider, more: &str) -> String {
    let by_url = |name| provider(name, &format!("{}/base/v1", server.url()), &[KEY]);
    let by_cluster = "[providers.named]\ncluster = \"theirs|named\"\n\
                      [providers.unnamed]\ncluster = \"theirs|unnamed\"\n\
                      health_path = \"/up\"\nauth = \"none\"\nbreaker = { enabled = false }\n";
    format!(
        "listen = \"127.0.0.1:1\"\nworkers = 3\n{}{}{by_cluster}{more}",
        by_url("one"),
        by_url("two")
    )
}

const KEY: &str = "api_key = \"os.environ/GAUD_TEST_KEY\"";

const CHAIN: &str =
    "[[fallbacks]]\nmodel = \"one:chain\"\nto = [\"two:second\", \"unnamed:third\"]\n";

/// The user's Envoy; the secret is in its environment, and not where the sections are rendered.
fn start(server: &Provider, more: &str) -> Gateway {
    let rendered = Gateway::render_for("filter", &toml(server, more), &[]).expect("sections");
    let yaml = paste(&rendered, server.addr().port());
    Gateway::from_yaml(&yaml, &[("GAUD_TEST_KEY", "sk-1")], &[])
}

fn ask(gateway: &Gateway, case: &str, model: &str) -> Response {
    let body = json!({ "model": model }).to_string();
    let request = Request::chat(body).header("host", "llm.test").case(case);
    h1::exchange(gateway.addr(), &request)
}

/// What the server has seen of a request, which must have none of the gateway's headers.
fn seen(server: &Provider, case: &str) -> Vec<Seen> {
    server.wait(case);
    let all = server.seen(case);
    for (name, _) in all.iter().flat_map(|seen| &seen.headers.0) {
        assert!(!name.starts_with("x-gaud-") && !name.starts_with("x-envoy-"), "{case}: {name}");
    }
    all
}

#[test]
fn requests_go_where_the_sections_say() {
    let server = Provider::start();
    let gateway = start(&server, "");
    let address = server.addr().to_string();
    for (provider, host, path, key) in [
        ("one", address.as_str(), "/base/v1/chat/completions", Some("Bearer sk-1")),
        // Of their clusters the endpoint has a host name, or the client's stays; and no base path.
        ("named", "named.test", "/v1/chat/completions", None),
        ("unnamed", "llm.test", "/v1/chat/completions", None),
    ] {
        let response = ask(&gateway, provider, &format!("{provider}:m"));
        assert_eq!(response.status, 200, "{provider}: {}", response.text());
        assert_eq!(response.header("x-gaud-provider").as_deref(), Some(provider));
        assert_eq!(response.header("x-envoy-upstream-service-time"), None);
        let seen = &seen(&server, provider)[0];
        assert_eq!(seen.headers.all("host"), [host], "{provider}");
        assert_eq!((seen.path.as_str(), seen.text().as_str()), (path, r#"{"model":"m"}"#));
        assert_eq!(seen.headers.get("authorization").as_deref(), key);
    }
    // Gaud's checks have a host as well, which servers require.
    let check = server.wait("");
    assert_eq!(
        (check.path.as_str(), check.headers.all("host")),
        ("/up", vec!["unnamed".to_owned()])
    );
    let success = r#"gaud_requests_total{outcome="success",provider="one"}"#;
    until_true("the metric", || gateway.admin().metrics().get(success) == Some(&1));
    gateway.assert_no_trap();
}

#[test]
fn the_users_routes_stay_unchanged() {
    let server = Provider::start();
    let gateway = start(&server, "");
    let page = Request::new("GET", "/theirs").header("host", "llm.test").case("page");
    let forged = page.clone().header("x-gaud-cluster", "theirs|named");
    for request in [page, forged] {
        let response = h1::exchange(gateway.addr(), &request);
        assert_eq!((response.status, response.text().as_str()), (200, "theirs"));
    }
    assert!(server.seen("page").is_empty());
    gateway.assert_no_trap();
}

#[test]
fn errors_and_compressed_bodies_are_as_in_any_gateway() {
    let (server, closed) = (Provider::start(), Closed::bind());
    let gateway = start(&server, &provider("closed", &closed.url(), &[]));
    refusal::provider_unreachable().assert_openai("closed", &ask(&gateway, "closed", "closed:m"));
    refusal::model_not_found("m").assert_openai("nobody", &ask(&gateway, "nobody", "m"));
    let request = Request::chat(gzip(br#"{"model":"one:m"}"#)).header("content-encoding", "gzip");
    let request = request.header("host", "llm.test").case("gzip");
    assert_eq!(h1::exchange(gateway.addr(), &request).status, 200);
    assert_eq!(seen(&server, "gzip")[0].text(), r#"{"model":"m"}"#);
    gateway.assert_no_trap();
}

#[test]
fn a_chain_is_followed() {
    let server = Provider::start();
    let gateway = start(&server, CHAIN);
    for _ in 0..4 {
        server.script("chain", Answer::json(500, &json!({ "error": "mine" })));
    }
    let response = ask(&gateway, "chain", "one:chain");
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("5"));
    assert_eq!(response.header("x-gaud-provider").as_deref(), Some("unnamed"));
    let attempts = seen(&server, "chain");
    let models: Vec<_> = attempts.iter().map(|attempt| attempt.text()).collect();
    assert_eq!(
        models,
        ["chain", "chain", "second", "second", "third"]
            .map(|model| json!({ "model": model }).to_string())
    );
    let last = &attempts[4];
    assert_eq!(
        (last.path.as_str(), last.headers.all("host")),
        ("/v1/chat/completions", vec!["llm.test".to_owned()])
    );

    let response = ask(&gateway, "straight", "one:m");
    assert_eq!((response.status, response.header("x-gaud-attempts")), (200, None));
    gateway.assert_no_trap();
}

#[test]
fn the_rendered_sections_are_complete() {
    let server = Provider::start();
    let always = [
        "clusters",
        "configuration",
        "http_connection_manager",
        "http_filters",
        "router",
        "routes",
        "stats_tags",
    ];
    let with_chain = [&["bootstrap_extensions", "listeners"][..], &always].concat();
    for (more, mut expected) in [("", always.to_vec()), (CHAIN, with_chain)] {
        let rendered = Gateway::render_for("filter", &toml(&server, more), &[]).expect("sections");
        let sections = sections(&rendered);
        expected.sort_unstable();
        assert_eq!(sections.keys().copied().collect::<Vec<_>>(), expected);
        let document: Value = serde_yaml_ng::from_str(&rendered).expect("YAML");
        let configuration = document["configuration"].as_str().expect("a text");
        let configuration: Value = serde_json::from_str(configuration).expect("JSON");
        assert_eq!(configuration["providers"]["one"]["api_key"], "os.environ/GAUD_TEST_KEY");
        assert_eq!(configuration.get("listen"), None);
    }
}
