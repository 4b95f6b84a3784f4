//! Heads that mean harm: nothing traps, nothing leaks, and the next client is served.

use super::still_serves;
use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;
use std::sync::OnceLock;

/// A gateway shared by the tests of this file.
struct Setup {
    gateway: Gateway,
    server: Provider,
}

const KEY: (&str, &str) = ("KEY_OF_ONE", "sk-of-one");

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let server = Provider::start();
        let one = provider("one", &server.url(), &["api_key = \"os.environ/KEY_OF_ONE\""]);
        let two = provider("two", &server.url(), &["http2 = true"]);
        let toml = format!("{LISTEN}default_provider = \"one\"\n{one}{two}");
        Setup { gateway: Gateway::start(&toml, &[KEY]), server }
    })
}

/// Sends bytes as they are and reads what comes back.
fn send(bytes: impl AsRef<[u8]>) -> Response {
    let mut connection = h1::Connection::open(setup().gateway.addr());
    connection.send(bytes).expect("a listening gateway");
    connection.response()
}

const BODY: &str = r#"{"model":"one:m","n":1}"#;

#[test]
fn header_values_that_are_not_utf8_pass_or_are_refused() {
    for name in [
        "x-note",
        "user-agent",
        "content-type",
        "content-encoding",
        "accept",
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "x-gaud-cluster",
        "x-gaud-provider",
        "cookie",
        "x-request-id",
        "traceparent",
        "expect",
        "te",
        "x-forwarded-for",
        "accept-encoding",
    ] {
        for (index, value) in [&b"\xe9"[..], b"\xff\xfe", b"a\xc3(", b"\x80gzip"].iter().enumerate()
        {
            let case = format!("header {name} {index}");
            let request = Request::chat(BODY).header(name, value).case(&case);
            let addr = setup().gateway.addr();
            for response in [h1::exchange(addr, &request), h2::exchange(addr, &request)] {
                let expected = match name {
                    "content-encoding" => &[415, 400][..],
                    "expect" | "te" | "content-type" => &[200, 400, 417, 415],
                    _ => &[200],
                };
                let status = response.status;
                assert!(expected.contains(&status), "{case}: {status} {}", response.text());
            }
        }
    }
    let seen = setup().server.wait("header x-note 0");
    assert!(seen.headers.0.contains(&("x-note".to_owned(), b"\xe9".to_vec())));
    still_serves(&setup().gateway, "headers that are not UTF-8");
}

#[test]
fn huge_headers_pass_or_are_refused() {
    let addr = setup().gateway.addr();
    for (case, request) in [
        ("40 KB", Request::chat(BODY).header("x-long", "x".repeat(40_000))),
        ("40 KB key", Request::chat(BODY).header("authorization", "x".repeat(40_000))),
        ("90", many(Request::chat(BODY), 90)),
    ] {
        let response = h1::exchange(addr, &request.case(case));
        assert_eq!(response.status, 200, "{case}: {}", response.text());
    }
    for (case, request) in [
        ("200 KB", Request::chat(BODY).header("x-long", "x".repeat(200_000))),
        ("500", many(Request::chat(BODY), 500)),
    ] {
        let response = h1::exchange(addr, &request.case(case));
        refusal::headers_too_large().assert_openai(case, &response);
    }
    still_serves(&setup().gateway, "huge headers");
}

fn many(request: Request, count: usize) -> Request {
    (0..count).fold(request, |request, index| request.header(&format!("x-{index}"), "x"))
}

#[test]
fn strange_paths_are_answered() {
    for path in [
        &b"/v1/chat%2fcompletions"[..],
        b"/v1/%00",
        b"/v1/%",
        b"/%zz",
        b"/v1/%0d%0ax-evil:%201",
        b"/v1/chat/completions?x=%0d%0a%00%ff",
        b"/v1/chat/completions?\"<>'",
        b"//v1//chat",
        b"/v1/../v1/chat/completions",
        b"/v1/..%2f..%2fadmin",
        b"/v1/./chat/completions",
        b"/%76%31/chat/completions",
        b"/v1/chat/completions#x",
        b"/v1;a=b/chat",
        b"*",
        b"",
        b"/v1/\xe9",
        b"/v1/\xff\xfe",
        b"/\xc3\xa9",
        b"/v1/\x7f",
        b"/v1/\x01",
        b"/v1/\\..\\x",
        b"http://elsewhere/v1/chat/completions",
        b"https://a:b@elsewhere:1/v1/chat/completions",
        b"/api/litellm",
        b"/api/litellm/..",
        b"/healthz/../v1/x",
        b"/V1/chat/completions",
    ] {
        let what = String::from_utf8_lossy(path);
        let response = send([&h1::head(&Request::post(path, BODY))[..], BODY.as_bytes()].concat());
        let allowed = [200, 400, 403, 404, 405]; // 403: Envoy, for https: in a cleartext request
        let status = response.status;
        assert!(allowed.contains(&status), "{what}: {status} {}", response.text());
        assert_eq!(response.header("x-evil"), None, "{what}");
    }
    let long = format!("/v1/{}", "%41/".repeat(10_000));
    let response = send(h1::head(&Request::new("GET", long)));
    assert!([200, 404, 414, 431].contains(&response.status), "{}", response.status);
    still_serves(&setup().gateway, "strange paths");
}

#[test]
fn strange_methods_are_answered() {
    for method in ["OPTIONS", "HEAD", "TRACE", "CONNECT", "PATCH", "PURGE", "post", "G\u{e9}T"] {
        let mut connection = h1::Connection::open(setup().gateway.addr());
        let request = Request::new(method, "/v1/chat/completions").header("connection", "close");
        connection.send(h1::head(&request)).expect("a listening gateway");
        let head = connection.head();
        assert!((200..500).contains(&head.status), "{method}: {}", head.status);
    }
    let upgrade = Request::new("GET", "/v1/realtime?model=one:m")
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    let head = send(h1::head(&upgrade));
    assert!((200..500).contains(&head.status), "{}", head.status);
    still_serves(&setup().gateway, "strange methods");
}

#[test]
fn the_gateways_headers_sent_many_times_do_nothing() {
    let mut request = Request::chat(BODY).case("many gateway headers");
    for name in ["x-gaud-cluster", "X-GAUD-CLUSTER", "x-gaud-provider", "x-gaud-key", "x-gaud-"] {
        for value in ["two", "", "\t", "a,b", "\u{e9}", "one\" two"] {
            request = request.header(name, value);
        }
    }
    request = request.header("connection", "x-gaud-cluster, authorization, content-length");
    let response = h1::exchange(setup().gateway.addr(), &request);
    assert_eq!(response.header("x-gaud-provider").as_deref(), Some("one"));
    let seen = setup().server.wait("many gateway headers");
    assert!(!seen.headers.0.iter().any(|(name, _)| name.starts_with("x-gaud-")), "{seen:?}");
    assert_eq!(seen.headers.all("authorization"), ["Bearer sk-of-one"]);
    still_serves(&setup().gateway, "gateway headers");
}

#[test]
fn trailers_cannot_set_the_gateways_headers() {
    for model in ["one:m", "two:m"] {
        let case = format!("trailers {model}");
        let request = Request::chat(format!(r#"{{"model":"{model}"}}"#))
            .trailer("x-gaud-cluster", "one")
            .trailer("x-note", "kept")
            .case(&case);
        assert_eq!(h2::exchange(setup().gateway.addr(), &request).status, 200);
        let trailers = setup().server.wait(&case).trailers;
        assert_eq!(trailers.get("x-gaud-cluster"), None, "{case}");
    }
    still_serves(&setup().gateway, "trailers");
}

#[test]
fn framing_that_contradicts_itself_is_refused() {
    for head in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "content-length: -1\r\n",
        "content-length: 99999999999999999999\r\n",
        "content-length: 5, 6\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
    ] {
        let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n{head}\r\n");
        let response = send(format!("{head}2\r\n{{}}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"));
        assert!([400, 501].contains(&response.status), "{head}: {}", response.status);
    }
    still_serves(&setup().gateway, "contradicting framing");
}
