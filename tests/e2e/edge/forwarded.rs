//! What clients have called, as providers are told.

use crate::client::{Request, h1, h2};
use crate::harness::Gateway;
use crate::samples::{LISTEN, provider};
use crate::upstream::Provider;

/// What the provider is told, over each protocol: `x-forwarded-host`, `x-forwarded-proto`, `x-forwarded-for`.
fn told(head: &str, path: &str, headers: &[(&str, &str)]) -> Vec<[Vec<String>; 3]> {
    let server = Provider::start();
    let one = provider("one", &server.url(), &[]);
    let head = format!("allow_hosts = [\"*\"]\n{head}");
    let listen = LISTEN.replace("allow_hosts = [\"gateway\"]\n", "");
    let gateway = Gateway::start(&format!("{listen}default_provider = \"one\"\n{head}{one}"), &[]);
    let mut request =
        Request::post(path, r#"{"model":"one:m"}"#).case("it").header("host", "llm.test");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    for response in [h1::exchange(gateway.addr(), &request), h2::exchange(gateway.addr(), &request)]
    {
        assert_eq!(response.status, 200, "{}", response.text());
    }
    let seen = server.seen("it");
    assert_eq!(seen.len(), 2);
    let all = |name| move |seen: &crate::upstream::Seen| seen.headers.all(name);
    let names = ["x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"];
    for seen in &seen {
        assert_eq!(seen.headers.all("host"), [server.addr().to_string()]);
    }
    seen.iter().map(|seen| names.map(|name| all(name)(seen))).collect()
}

const SAYS: [(&str, &str); 3] = [
    ("x-forwarded-host", "other.test"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-for", "9.9.9.9"),
];

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

const PATHS: [&str; 2] = ["/ui/x", "/v1/chat/completions"];

#[test]
fn a_provider_is_told_what_the_client_has_called() {
    for path in PATHS {
        for retries in ["", "retries = { max = 1 }\n"] {
            for [host, proto, _] in told(retries, path, &[]) {
                assert_eq!(
                    (host, proto),
                    (texts(&["llm.test"]), texts(&["http"])),
                    "{path} {retries}"
                );
            }
        }
    }
}

#[test]
fn what_a_client_says_of_itself_does_not_count() {
    for path in PATHS {
        for retries in ["", "retries = { max = 1 }\n"] {
            for [host, proto, _] in told(retries, path, &SAYS) {
                assert_eq!(
                    (host, proto),
                    (texts(&["llm.test"]), texts(&["http"])),
                    "{path} {retries}"
                );
            }
        }
    }
}

#[test]
fn what_a_trusted_proxy_says_counts() {
    for path in PATHS {
        for retries in ["", "retries = { max = 1 }\n"] {
            let head = format!("trusted_proxies = [\"127.0.0.1\"]\n{retries}");
            for [host, proto, _] in told(&head, path, &SAYS) {
                assert_eq!(
                    (host, proto),
                    (texts(&["other.test"]), texts(&["https"])),
                    "{path} {retries}"
                );
            }
            for [host, proto, _] in told(&head, path, &[]) {
                assert_eq!(
                    (host, proto),
                    (texts(&["llm.test"]), texts(&["http"])),
                    "{path} {retries}"
                );
            }
        }
    }
}
