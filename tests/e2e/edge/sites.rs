//! Pages of other sites, which make a browser on this machine call the gateway.

use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;

const KEY: (&str, &str) = ("KEY", "sk-a");
const KEYED: &str = "api_key = \"os.environ/KEY\"";

fn start(server: &Provider, head: &str, settings: &[&str]) -> Gateway {
    let one = provider("one", &server.url(), settings);
    Gateway::start(&format!("{LISTEN}default_provider = \"one\"\n{head}{one}"), &[KEY])
}

fn ask(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> [Response; 2] {
    let mut request = Request::post(path, r#"{"model":"one:m"}"#).case("it");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    [h1::exchange(gateway.addr(), &request), h2::exchange(gateway.addr(), &request)]
}

#[test]
fn a_host_that_is_not_the_gateways_is_refused() {
    let server = Provider::start();
    let gateway = start(&server, "", &[KEYED]);
    for host in ["127.0.0.1", "localhost:8400", "[::1]:8400", "gateway", "GATEWAY:80"] {
        for response in ask(&gateway, "/v1/chat/completions", &[("host", host)]) {
            assert_eq!(response.status, 200, "{host}: {}", response.text());
        }
    }
    let served = server.seen("it").len();
    let evil = [("host", "evil.example:8400"), ("origin", "http://evil.example:8400")];
    let refusal = refusal::host_not_allowed("evil.example");
    for path in ["/v1/chat/completions", "/v1/models", "/health", "/ui", "/v1/files"] {
        for response in ask(&gateway, path, &evil) {
            refusal.assert_openai(path, &response);
        }
    }
    for response in ask(&gateway, "/v1/messages", &evil) {
        refusal.assert_anthropic("messages", &response);
    }
    for response in ask(&gateway, "/v1beta/models/m:generateContent", &evil) {
        refusal.assert_gemini("gemini", &response);
    }
    assert_eq!(server.seen("it").len(), served);
    gateway.assert_no_trap();
}

#[test]
fn every_secret_of_the_gateway_asks_for_its_own_name() {
    let server = Provider::start();
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "tok-a").unwrap();
    let rotated = format!("auth = {{ token_file = {token:?} }}");
    for secret in [rotated.as_str(), "headers = { x-token = \"os.environ/KEY\" }"] {
        let gateway = start(&server, "", &[secret]);
        for response in ask(&gateway, "/v1/chat/completions", &[("host", "evil.example")]) {
            refusal::host_not_allowed("evil.example").assert_openai(secret, &response);
        }
        gateway.assert_no_trap();
    }
    assert_eq!(server.seen("it").len(), 0);
}

#[test]
fn a_page_of_another_origin_is_refused() {
    let server = Provider::start();
    let head = "cors = { allow_origins = [\"https://app.test\"] }\n";
    let gateway = start(&server, head, &[KEYED]);
    for origin in ["http://gateway", "https://gateway", "https://app.test"] {
        for response in ask(&gateway, "/v1/chat/completions", &[("origin", origin)]) {
            assert_eq!(response.status, 200, "{origin}: {}", response.text());
        }
    }
    let served = server.seen("it").len();
    for origin in
        ["http://evil.example", "null", "http://gateway:81", "https://app.test.evil.example"]
    {
        // What a form or a script may send without asking first.
        let simple = [("origin", origin), ("content-type", "text/plain")];
        let websocket = Request::new("GET", "/v1/realtime?model=one:m")
            .header("origin", origin)
            .header("connection", "upgrade")
            .header("upgrade", "websocket");
        for response in ask(&gateway, "/v1/chat/completions", &simple) {
            refusal::origin_not_allowed(origin).assert_openai(origin, &response);
        }
        let response = h1::exchange(gateway.addr(), &websocket);
        refusal::origin_not_allowed(origin).assert_openai(origin, &response);
    }
    assert_eq!(server.seen("it").len(), served);
    gateway.assert_no_trap();
}

#[test]
fn a_gateway_without_a_key_serves_any_site() {
    let server = Provider::start();
    let head = LISTEN.replace("allow_hosts = [\"gateway\"]\n", "");
    let toml = format!("{head}{}", provider("one", &server.url(), &[]));
    let gateway = Gateway::start(&toml, &[]);
    let evil = [("host", "evil.example"), ("origin", "http://evil.example")];
    for response in ask(&gateway, "/v1/chat/completions", &evil) {
        assert_eq!(response.status, 200, "{}", response.text());
    }
}

#[test]
fn proxies_that_are_trusted_may_call_by_any_name() {
    let server = Provider::start();
    let gateway = start(&server, "trusted_proxies = [\"127.0.0.0/8\"]\n", &[KEYED]);
    let named = [("host", "llm.example"), ("origin", "http://else.example")];
    for response in ask(&gateway, "/v1/chat/completions", &named) {
        assert_eq!(response.status, 200, "{}", response.text());
    }
    assert_eq!(server.wait("it").headers.get("x-gaud-trusted"), None);
    gateway.assert_no_trap();
}

#[test]
fn a_client_that_claims_to_be_trusted_is_not() {
    let server = Provider::start();
    let gateway = start(&server, "trusted_proxies = [\"10.0.0.0/8\"]\n", &[KEYED]);
    let forged =
        [("host", "evil.example"), ("x-gaud-trusted", "1"), ("x-forwarded-for", "10.0.0.1")];
    for response in ask(&gateway, "/v1/chat/completions", &forged) {
        refusal::host_not_allowed("evil.example").assert_openai("forged", &response);
    }
    gateway.assert_no_trap();
}

#[test]
fn the_rule_applies_to_keys_on_loopback() {
    let render = |head: &str, settings: &[&str]| {
        let toml = format!("{head}{}", provider("one", "http://h", settings));
        Gateway::render(&toml, &[KEY]).expect("a configuration")
    };
    let has_rule = |yaml: String| yaml.contains("\"allow_hosts\": []");
    assert!(has_rule(render("listen = \"127.0.0.2:1\"\n", &[KEYED])));
    assert!(has_rule(render("listen = \"[::1]:1\"\n", &[KEYED])));
    assert!(!has_rule(render("listen = \"0.0.0.0:1\"\n", &[KEYED])));
    assert!(!has_rule(render("listen = \"127.0.0.1:1\"\n", &[])));
}
