//! Headers with a meaning for the gateway: credentials, and those that only the gateway or Envoy may set.

use crate::kit::client::{Headers, Request, h1};
use crate::kit::harness::wait;
use crate::kit::upstream::{Answer, Gate};
use crate::routing::by_model::{chat, setup};
use std::time::Instant;

const CREDENTIALS: [(&str, &str); 4] = [
    ("authorization", "Bearer of-the-client"),
    ("x-api-key", "of-the-client"),
    ("api-key", "of-the-client"),
    ("x-goog-api-key", "of-the-client"),
];

/// Headers of each kind that carries or selects an account, or turns a request into another one.
const ACCOUNTS: [&str; 18] = [
    "openai-organization",
    "openai-project",
    "chatgpt-account-id",
    "x-goog-user-project",
    "helicone-auth",
    "x-portkey-api-key",
    "x-portkey-config",
    "cf-aig-authorization",
    "x-auth-token",
    "some-vendors-api-key",
    "x-litellm-api-key",
    "x-litellm-tags",
    "x-amz-security-token",
    "x-http-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-real-ip",
    "forwarded",
];

/// Headers that belong to the request and not to an account.
const ORDINARY: [(&str, &str); 8] = [
    ("idempotency-key", "1"),
    ("x-stainless-retry-count", "0"),
    ("anthropic-version", "2023-06-01"),
    ("anthropic-beta", "a"),
    ("openai-beta", "b"),
    ("traceparent", "c"),
    ("x-goog-api-client", "d"),
    ("x-title", "e"),
];

#[test]
fn nothing_of_the_clients_account_reaches_a_provider_with_a_key_of_its_own() {
    for (provider, passing) in [
        ("litellm", &[][..]),
        ("claude", &[]),
        ("silent", &[]),
        ("passing", &["openai-organization", "x-litellm-tags"]),
        ("kiro", &ACCOUNTS),
    ] {
        let mut request = Request::chat(chat(&format!("{provider}:m")));
        for (name, value) in
            ACCOUNTS.map(|name| (name, "of-the-client")).into_iter().chain(ORDINARY)
        {
            request = request.header(name, value);
        }
        let seen = setup().reach(provider, &format!("account at {provider}"), request);
        let reached = ACCOUNTS.into_iter().filter(|name| seen.header(name).is_some());
        assert_eq!(reached.collect::<Vec<_>>(), passing, "{provider}");
        for (name, value) in ORDINARY {
            assert_eq!(seen.header(name).as_deref(), Some(value), "{name} at {provider}");
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn queries_lose_the_clients_account_in_any_case() {
    for (sent, kept) in [
        ("?Key=c&a=b", "?a=b"),
        ("?API-KEY=c", ""),
        ("?access_token=c&pageToken=d", "?pageToken=d"),
        ("?Subscription-Key=c;x", "?x"),
        ("?X-Amz-Security-Token=c&%24userProject=p&alt=sse", "?alt=sse"),
        ("?api-version=1&monkey=2", "?api-version=1&monkey=2"),
    ] {
        for (provider, expected) in [("litellm", kept), ("kiro", sent)] {
            let path = format!("/v1/chat/completions{sent}");
            let request = Request::post(path, chat(&format!("{provider}:m")));
            let seen = setup().reach(provider, &format!("query {sent} {provider}"), request);
            assert_eq!(seen.path, format!("/v1/chat/completions{expected}"), "{provider}");
        }
    }
    setup().gateway.assert_no_trap();
}

fn credentials(seen: &Headers) -> Vec<(&'static str, String)> {
    let all = |(name, _)| seen.all(name).into_iter().map(move |value| (name, value));
    CREDENTIALS.into_iter().flat_map(all).collect()
}

#[test]
fn a_provider_gets_its_configured_credential_or_the_clients() {
    let clients: Vec<_> = CREDENTIALS.map(|(name, value)| (name, value.to_owned())).into();
    for (provider, expected) in [
        ("litellm", vec![("authorization", "Bearer sk-of-litellm".to_owned())]),
        ("claude", vec![("x-api-key", "sk-of-claude".to_owned())]),
        ("kiro", clients),
        ("silent", Vec::new()),
    ] {
        let case = format!("credential {provider}");
        let mut request = Request::chat(chat(&format!("{provider}:m")));
        for (name, value) in CREDENTIALS {
            request = request.header(name, value);
        }
        let seen = setup().reach(provider, &case, request);
        assert_eq!(credentials(&seen.headers), expected, "{provider}");

        let mut twice = Request::chat(chat(&format!("{provider}:m")));
        for (name, value) in CREDENTIALS {
            twice = twice.header(name, value).header(name, "second");
        }
        let seen = setup().reach(provider, &format!("{case} twice"), twice);
        let leaked = credentials(&seen.headers).iter().any(|(_, value)| value.contains("second"));
        assert_eq!(leaked, provider == "kiro", "{provider}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_request_without_a_body_carries_the_providers_credential_too() {
    let request = Request::new("GET", "/v1/files").header("authorization", "Bearer of-the-client");
    let seen = setup().reach("litellm", "GET credential", request);
    assert_eq!(seen.headers.all("authorization"), ["Bearer sk-of-litellm"]);
    setup().gateway.assert_no_trap();
}

/// With the gateway's key every client could create keys at LiteLLM.
#[test]
fn outside_the_api_only_the_clients_credential_passes() {
    for path in ["/", "/key/generate", "/api/litellm/key/generate", "/other/v1/chat/completions"] {
        let request = Request::post(path, "{}").header("authorization", "Bearer of-the-client");
        let seen = setup().reach("litellm", &format!("outside {path}"), request);
        assert_eq!(seen.headers.all("authorization"), ["Bearer of-the-client"], "{path}");
        assert_eq!(seen.path, path.trim_start_matches("/api/litellm"));
        let none = setup().reach("litellm", &format!("no key {path}"), Request::post(path, "{}"));
        assert!(none.headers.all("authorization").is_empty(), "{path}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_client_cannot_send_the_gateways_headers() {
    let spoofed = [
        ("x-gaud-cluster", "kiro"),
        ("x-gaud-cluster", "claude"),
        ("X-Gaud-Cluster", "silent"),
        ("x-gaud-provider", "kiro"),
        ("x-gaud-anything", "kiro"),
    ];
    let with = |mut request: Request| {
        for (name, value) in spoofed {
            request = request.header(name, value);
        }
        request
    };
    for (case, request) in [
        ("spoofed", with(Request::chat(chat("litellm:m")))),
        ("spoofed default", with(Request::chat("{}"))),
        ("spoofed GET", with(Request::new("GET", "/v1/files"))),
        ("spoofed hop", with(Request::chat("{}")).header("connection", "x-gaud-cluster")),
    ] {
        let seen = setup().reach("litellm", case, request);
        let is_gateways = |(name, _): &&(String, Vec<u8>)| name.starts_with("x-gaud-");
        assert!(!seen.headers.0.iter().any(|header| is_gateways(&header)), "{case}: {seen:?}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_client_cannot_send_envoys_headers() {
    let gate = Gate::closed();
    setup().providers["kiro"].script("x-envoy", Answer::completion().held_by(&gate));
    let mut request = Request::chat(chat("kiro:m")).case("x-envoy");
    for (name, value) in [
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-upstream-rq-per-try-timeout-ms", "1"),
        ("x-envoy-max-retries", "9"),
        ("x-envoy-retry-on", "5xx,gateway-error,reset"),
        ("x-envoy-upstream-alt-stat-name", "spoofed"),
        ("x-envoy-original-path", "/spoofed"),
        ("x-envoy-decorator-operation", "spoofed"),
    ] {
        request = request.header(name, value);
    }
    let mut connection = h1::Connection::open(setup().gateway.addr());
    connection.send_request(&request);
    setup().providers["kiro"].wait("x-envoy");
    let started = Instant::now(); // longer than the timeout that the client asked for
    wait::until_true("20 ms", || started.elapsed().as_millis() > 20);
    gate.open();
    assert_eq!(connection.response().status, 200);
    let seen = setup().providers["kiro"].seen("x-envoy");
    assert_eq!(seen.len(), 1, "it is not tried again");
    assert!(!format!("{:?}", seen[0].headers).contains("spoofed"));
    setup().gateway.assert_no_trap();
}

#[test]
fn a_provider_sees_the_clients_headers_and_nothing_of_the_gateway() {
    let request = Request::chat(chat("kiro:m"))
        .header("user-agent", "OpenAI/Python 1.0")
        .header("x-stainless-lang", "python")
        .header("accept-encoding", "gzip, br")
        .header("cookie", "a=b");
    let seen = setup().reach("kiro", "headers", request.clone());
    for (name, value) in &request.headers.0 {
        let values = seen.headers.all(name);
        assert_eq!(values, [String::from_utf8_lossy(value)], "{name}");
    }
    let mut known = vec!["host", "content-length", "x-forwarded-proto", "x-forwarded-host"];
    if std::env::var_os("GAUD_TEST_RENDER").is_some() {
        known.extend(["x-request-id", "x-envoy-original-host"]); // a mesh adds these
    }
    let new = |(name, _): &&(String, Vec<u8>)| {
        request.headers.get(name).is_none() && name != "x-case" && !known.contains(&name.as_str())
    };
    let added: Vec<_> = seen.headers.0.iter().filter(new).collect();
    assert!(added.is_empty(), "{added:?}");
    setup().gateway.assert_no_trap();
}
