//! Pages in browsers: the gateway answers preflights, and no provider gets them.

use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::raw::Closed;
use crate::kit::upstream::{Answer, Provider};

const APP: &str = "https://app.test";

fn start(server: &Provider, closed: &Closed, head: &str) -> Gateway {
    let tables = [provider("one", &server.url(), &[]), provider("closed", &closed.url(), &[])];
    start_with(head, &tables.concat())
}

fn start_with(head: &str, tables: &str) -> Gateway {
    Gateway::start(&format!("{LISTEN}default_provider = \"one\"\n{head}{tables}"), &[])
}

fn preflight(path: &str, origin: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization, content-type, x-stainless-os")
        .case("preflight")
}

fn exchange(gateway: &Gateway, request: &Request) -> [Response; 2] {
    [h1::exchange(gateway.addr(), request), h2::exchange(gateway.addr(), request)]
}

const PATHS: [&str; 6] = [
    "/v1/chat/completions",
    "/v1/models",
    "/v1/messages",
    "/health",
    "/key/generate",
    "/v1/files/x",
];

#[test]
fn the_gateway_answers_preflights() {
    let (server, closed) = (Provider::start(), Closed::bind());
    let head = format!("cors = {{ allow_origins = [\"{APP}\"] }}\n");
    let gateway = start(&server, &closed, &head);
    for path in PATHS {
        for response in exchange(&gateway, &preflight(path, APP)) {
            assert!([200, 204].contains(&response.status), "{path}: {}", response.status);
            let header = |name| response.header(name).unwrap_or_default();
            assert_eq!(header("access-control-allow-origin"), APP, "{path}");
            assert!(header("access-control-allow-methods").contains("POST"), "{path}");
            assert_eq!(header("access-control-allow-headers"), "*, authorization", "{path}");
        }
        for response in exchange(&gateway, &preflight(path, "https://evil.example")) {
            assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
        }
    }
    assert!(server.seen("preflight").is_empty());
    gateway.assert_no_trap();
}

#[test]
fn a_page_can_read_all_responses() {
    let (server, closed) = (Provider::start(), Closed::bind());
    let head = format!("cors = {{ allow_origins = [\"{APP}\"] }}\n");
    reads_all_responses(&start(&server, &closed, &head));
}

/// The answers of attempts, and those of the gateway where no attempt is left, cross two listeners.
#[test]
fn a_page_can_read_all_responses_over_the_hop() {
    let (server, closed) = (Provider::start(), Closed::bind());
    let head = format!("cors = {{ allow_origins = [\"{APP}\"] }}\n");
    let tables = [("one", server.url()), ("closed", closed.url())].map(|(name, url)| {
        provider(name, &url, &["auth = \"none\"", "headers = { \"x-of\" = \"gateway\" }"])
    });
    let retries = "[retries]\nmax = 1\nbackoff_ms = 10\n";
    let gateway = start_with(&head, &format!("{}{retries}", tables.concat()));
    reads_all_responses(&gateway);
    let forged = |answer: Answer| answer.header("access-control-allow-origin", "https://provider");
    (0..2).for_each(|_| server.script("forged", forged(Answer::completion())));
    let request = Request::chat(r#"{"model":"one:m"}"#).header("origin", APP).case("forged");
    for response in exchange(&gateway, &request) {
        assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("1"), "over the hop");
        assert_eq!(response.headers.all("access-control-allow-origin"), [APP]);
    }
}

fn reads_all_responses(gateway: &Gateway) {
    let ask = |origin: &str| {
        let chat = |model: &str| Request::chat(format!(r#"{{"model":"{model}"}}"#));
        let rows = [
            (Request::new("GET", "/v1/models"), 200),
            (Request::new("GET", "/health"), 200),
            (chat("one:m"), 200),
            (Request::chat("{"), 400),
            (Request::new("GET", "/v1/models/none"), 404),
            (chat("closed:m"), 503),
        ];
        let answers = rows.into_iter().flat_map(|(request, status)| {
            let answers = exchange(gateway, &request.header("origin", origin));
            answers.into_iter().map(move |answer| (answer, status))
        });
        answers.collect::<Vec<_>>()
    };
    for (response, status) in ask(APP) {
        assert_eq!(response.status, status, "{}", response.text());
        assert_eq!(response.headers.all("access-control-allow-origin"), [APP], "{status}");
        assert_eq!(
            response.header("access-control-expose-headers").as_deref(),
            Some("*"),
            "{status}"
        );
    }
    for (response, _) in ask("https://evil.example") {
        assert_eq!(response.header("access-control-allow-origin"), None, "{}", response.text());
    }
    gateway.assert_no_trap();
}

#[test]
fn without_a_setting_a_preflight_is_refused() {
    let (server, closed) = (Provider::start(), Closed::bind());
    let gateway = start(&server, &closed, "");
    for path in PATHS {
        for response in exchange(&gateway, &preflight(path, APP)) {
            refusal::preflight_refused().assert_openai(path, &response);
            assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
        }
    }
    assert!(server.seen("preflight").is_empty());
    gateway.assert_no_trap();
}
