//! Headers: many and long headers pass, on both sides of the hop; more headers are refused with the reason.

use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::shown;
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::raw::{Act, Raw};
use crate::kit::upstream::{Answer, Provider};

const HOP: [&str; 2] = ["", "[retries]\nmax = 1\nbackoff_ms = 10\n"];

fn start(server: &Provider, hop: &str) -> Gateway {
    let tables =
        [provider("one", &server.url(), &[]), provider("two", &server.url(), &["http2 = true"])];
    Gateway::start(&format!("{LISTEN}{}{hop}", tables.concat()), &[])
}

/// Headers of this count and of this length in all.
fn headers(count: usize, length: usize) -> Vec<(String, String)> {
    let each = (length / count).saturating_sub(8).max(1);
    (0..count).map(|number| (format!("x-n-{number:03}"), "v".repeat(each))).collect()
}

const MANY: (usize, usize) = (220, 8 * 1024);
const LONG: (usize, usize) = (40, 130 * 1024);

fn exchange(gateway: &Gateway, request: &Request) -> [Response; 2] {
    [h1::exchange(gateway.addr(), request), h2::exchange(gateway.addr(), request)]
}

#[test]
fn a_response_may_have_many_and_long_headers() {
    for hop in HOP {
        let server = Provider::start();
        let gateway = start(&server, hop);
        for (name, (count, length)) in [("one", MANY), ("one", LONG), ("two", MANY), ("two", LONG)]
        {
            let sent = headers(count, length);
            let case = format!("{name} {count}");
            for _ in 0..2 {
                let answer = Answer::new(200, "application/json", "{}");
                let with =
                    |answer: Answer, (name, value): &(String, String)| answer.header(name, value);
                server.script(&case, sent.iter().fold(answer, with));
            }
            let request = Request::chat(format!(r#"{{"model":"{name}:m"}}"#)).case(&case);
            for response in exchange(&gateway, &request) {
                assert_eq!(response.status, 200, "{case} {hop}: {}", response.text());
                let got =
                    response.headers.0.iter().filter(|(name, _)| name.starts_with("x-n-")).count();
                assert_eq!(got, count, "{case} {hop}");
            }
        }
        gateway.assert_no_trap();
    }
}

#[test]
fn a_request_may_have_many_and_long_headers() {
    for hop in HOP {
        let server = Provider::start();
        let gateway = start(&server, hop);
        for (count, length) in [MANY, LONG] {
            let case = format!("request {count}");
            let mut request = Request::chat(r#"{"model":"one:m"}"#).case(&case);
            for (name, value) in headers(count, length) {
                request = request.header(&name, value);
            }
            for response in exchange(&gateway, &request) {
                assert_eq!(response.status, 200, "{case} {hop}: {}", response.text());
            }
            for seen in server.seen(&case) {
                let got =
                    seen.headers.0.iter().filter(|(name, _)| name.starts_with("x-n-")).count();
                assert_eq!(got, count, "{case} {hop}");
            }
        }
        gateway.assert_no_trap();
    }
}

#[test]
fn more_headers_are_refused_with_the_reason() {
    for hop in HOP {
        let server = Provider::start();
        let gateway = start(&server, hop);
        for (count, length) in [(300, 8 * 1024), (40, 200 * 1024)] {
            let mut request = Request::chat(r#"{"model":"one:m"}"#).case("more");
            for (name, value) in headers(count, length) {
                request = request.header(&name, value);
            }
            let response = h1::exchange(gateway.addr(), &request);
            refusal::headers_too_large().assert_openai("request", &response);
            let case = format!("answer {count}");
            for _ in 0..2 {
                let answer = Answer::new(200, "application/json", "{}");
                let with =
                    |answer: Answer, (name, value): &(String, String)| answer.header(name, value);
                server.script(&case, headers(count, length).iter().fold(answer, with));
            }
            let request = Request::chat(r#"{"model":"one:m"}"#).case(&case);
            let response = h1::exchange(gateway.addr(), &request);
            refusal::bad_provider_response().assert_openai(&case, &response);
        }
        assert!(server.seen("more").is_empty());
        gateway.assert_no_trap();
    }
}

/// Envoy reports headers past its limits and bytes that are not HTTP alike: both count as a failure of the provider.
#[test]
fn a_response_with_more_headers_counts_as_one_that_is_no_http() {
    let garbage: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}";
    for hop in HOP {
        let (server, other) = (
            Provider::start(),
            Raw::start(vec![Act::ReadRequest, Act::Send(garbage), Act::ReadOn]),
        );
        let table = |name: &str, url: &str| {
            format!("[providers.{name}]\nurl = \"{url}\"\nauth = \"none\"\n")
        };
        let tables = [table("many", &server.url()), table("garbage", &other.url())].concat();
        let gateway = Gateway::start(&format!("{LISTEN}{tables}{hop}"), &[]);
        let with = |answer: Answer, (name, value): &(String, String)| answer.header(name, value);
        for _ in 0..2 {
            let answer = Answer::new(200, "application/json", "{}");
            server.script("many", headers(300, 8 * 1024).iter().fold(answer, with));
        }
        for name in ["many", "garbage"] {
            let request = Request::chat(format!(r#"{{"model":"{name}:m"}}"#)).case(name);
            let response = h1::exchange(gateway.addr(), &request);
            refusal::bad_provider_response().assert_openai(name, &response);
            wait::until_true(name, || shown(&gateway, name)["consecutive_failures"] == 1);
            let why = &shown(&gateway, name)["last_error"];
            assert_eq!(why, "the connection was refused or reset, or the response was not HTTP");
        }
        gateway.assert_no_trap();
    }
}
