//! No secret shows anywhere: not in the configuration, the logs, the statistics or an answer.

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::raw::Closed;
use crate::kit::upstream::{Answer, Provider};
use serde_json::json;

/// What must show nowhere: keys, passwords, and the forms in which they travel.
const SECRETS: [&str; 8] = [
    "sk-from-environment",
    "sk-written-out",
    "sk-for-header",
    "pass-in-url",
    "user-in-url",
    "dXNlci1pbi11cmw6cGFzcy1pbi11cmw=", // user-in-url:pass-in-url
    "sk-of-the-client",
    "sk-for-azure",
];

const ENVIRONMENT: [(&str, &str); 5] = [
    ("SOME_KEY", "sk-from-environment"),
    ("HEADER_KEY", "sk-for-header"),
    ("AZURE_KEY", "sk-for-azure"),
    ("GAUD_WRITTEN_API_KEY", "sk-written-out"),
    ("GAUD_PASSWORD_API_KEY", "user-in-url:pass-in-url"),
];

/// What the command sees: a variable for `written` or `password` would win over the file.
fn for_command() -> Vec<(&'static str, &'static str)> {
    ENVIRONMENT.into_iter().filter(|(name, _)| !name.starts_with("GAUD_")).collect()
}

fn toml(server: &Provider, closed: &Closed) -> String {
    let (url, addr) = (server.url(), server.addr());
    let tables = [
        provider("named", &url, &["api_key = \"os.environ/SOME_KEY\""]),
        provider("header", &url, &["auth = \"x-api-key\"", "api_key = \"os.environ/HEADER_KEY\""]),
        provider("azure", &url, &["auth = \"api-key\"", "api_key = \"os.environ/AZURE_KEY\""]),
        provider("written", &url, &["api_key = \"sk-written-out\""]),
        provider("password", &format!("http://user-in-url:pass-in-url@{addr}"), &[]),
        provider("passes", &url, &[]),
        provider("closed", &closed.url(), &["api_key = \"os.environ/SOME_KEY\""]),
    ];
    format!("{LISTEN}{}", tables.concat())
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS {
        if let Some(at) = text.find(secret) {
            let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
            let line: String = text[start..].chars().take(300).collect();
            panic!("{what} shows {secret}: {line}");
        }
    }
}

fn ask(gateway: &Gateway, case: &str, path: &str, body: &str) -> Response {
    let mut request = Request::post(path, body).case(case);
    for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key"] {
        request = request.header(name, "Bearer sk-of-the-client");
    }
    h1::exchange(gateway.addr(), &request)
}

#[test]
fn no_secret_shows_anywhere() {
    let (server, closed) = (Provider::start(), Closed::bind());
    let yaml = Gateway::render(&toml(&server, &closed), &for_command()).expect("a configuration");
    assert_clean("the rendered configuration", &yaml);
    let log_level = ["--component-log-level", "wasm:debug"];
    let gateway = Gateway::from_yaml(&yaml, &ENVIRONMENT, &log_level);

    credentials_arrive(&gateway, &server);
    answers_are_clean(&gateway, &server);
    for path in [
        "/config_dump",
        "/config_dump?include_eds",
        "/stats",
        "/stats?format=json",
        "/stats/prometheus",
        "/clusters",
        "/clusters?format=json",
        "/listeners?format=json",
        "/server_info",
        "/init_dump",
        "/certs",
        "/runtime",
        "/memory",
        "/contention",
        "/help",
    ] {
        assert_clean(path, &gateway.admin().get(path));
    }
    assert_clean("the log", &gateway.logs());
    gateway.assert_no_trap();
}

/// The secrets are in use, or their absence elsewhere would show nothing.
fn credentials_arrive(gateway: &Gateway, server: &Provider) {
    for (name, header, value) in [
        ("named", "authorization", "Bearer sk-from-environment"),
        ("header", "x-api-key", "sk-for-header"),
        ("azure", "api-key", "sk-for-azure"),
        ("written", "authorization", "Bearer sk-written-out"),
        ("password", "authorization", "Basic dXNlci1pbi11cmw6cGFzcy1pbi11cmw="),
        ("passes", "authorization", "Bearer sk-of-the-client"),
    ] {
        let body = format!(r#"{{"model":"{name}:m"}}"#);
        let response = ask(gateway, name, "/v1/chat/completions", &body);
        assert_eq!(response.status, 200, "{name}: {}", response.text());
        assert_eq!(server.wait(name).headers.all(header), [value], "{name}");
    }
}

fn answers_are_clean(gateway: &Gateway, server: &Provider) {
    for path in ["/v1/chat/completions", "/v1/messages", "/nowhere"] {
        for body in [
            "[]",
            "{",
            "{}",
            r#"{"model":1}"#,
            r#"{"model":""}"#,
            r#"{"model":"named:"}"#,
            r#"{"model":"nobody"}"#,
            r#"{"model":"closed:m"}"#,
            r#"{"model":"named:m","model":"x"}"#,
            r#"{"model":"password:m"}"#,
        ] {
            let response = ask(gateway, "answers", path, body);
            assert_clean(body, &format!("{:?}\n{}", response.headers, response.text()));
        }
    }
    let answer = Answer::json(500, &json!({"error": "mine"}));
    server.script("failed", answer);
    let body = r#"{"model":"named:m"}"#;
    let response = ask(gateway, "failed", "/v1/chat/completions", body);
    assert_eq!(response.status, 500);
    assert_clean("a provider's error", &format!("{:?}\n{}", response.headers, response.text()));
    for path in ["/healthz", "/readyz"] {
        let response = h1::exchange(gateway.addr(), &Request::new("GET", path));
        assert_clean(path, &format!("{:?}\n{}", response.headers, response.text()));
    }
}

#[test]
fn a_missing_secret_stops_the_gateway_and_is_named() {
    let server = Provider::start();
    let table = provider("named", &server.url(), &["api_key = \"os.environ/NOT_SET\""]);
    let refused = Gateway::render(&format!("{LISTEN}{table}"), &[]);
    let message = refused.expect_err("a key that is not set");
    assert!(message.contains("NOT_SET"), "{message}");
}
