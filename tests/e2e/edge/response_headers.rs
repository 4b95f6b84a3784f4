//! A provider's headers do not speak for the gateway, for Envoy, or for the host that clients call.

use crate::kit::client::{Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Answer, Provider};

/// Headers that no client may get from a provider.
const FORGED: [&str; 22] = [
    "x-gaud-cluster",
    "x-gaud-run",
    "x-gaud-crossing",
    "x-gaud-retry",
    "x-gaud-wait",
    "X-Gaud-Attempts",
    "X-Gaud-Provider",
    "x-gaud-anything",
    "x-envoy-immediate-health-check-fail",
    "x-envoy-overloaded",
    "x-envoy-ratelimited",
    "x-envoy-degraded",
    "x-envoy-attempt-count",
    "x-envoy-upstream-canary",
    "x-envoy-upstream-service-time",
    "x-envoy-decorator-operation",
    "x-accel-redirect",
    "x-accel-buffering",
    "x-sendfile",
    "x-lighttpd-send-file",
    "alt-svc",
    "strict-transport-security",
];

fn answer(status: u16) -> Answer {
    let forged = |answer: Answer, name: &&str| answer.header(name, "forged").header(name, "again");
    let answer = FORGED.iter().fold(Answer::new(status, "application/json", "{}"), forged);
    answer.header("x-gaud", "stays").header("x-envoy", "stays").header("x-accel", "stays")
}

#[track_caller]
fn assert_clean(what: &str, response: &Response, own: &[(&str, &str)]) {
    let begins =
        |name: &str| ["x-gaud-", "x-envoy-", "x-accel-"].iter().any(|p| name.starts_with(p));
    let known =
        |name: &str| begins(name) || FORGED.iter().any(|forged| name.eq_ignore_ascii_case(forged));
    let mut left: Vec<_> = response.headers.0.iter().filter(|(name, _)| known(name)).collect();
    left.sort();
    let expected: Vec<_> =
        own.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    assert_eq!(left, expected.iter().collect::<Vec<_>>(), "{what}");
    for name in ["x-gaud", "x-envoy", "x-accel"] {
        assert_eq!(response.headers.all(name), ["stays"], "{what}: {name}");
    }
}

fn ask(gateway: &Gateway, case: &str, model: &str) -> [Response; 2] {
    let request = Request::chat(format!(r#"{{"model":"{model}"}}"#)).case(case);
    [h1::exchange(gateway.addr(), &request), h2::exchange(gateway.addr(), &request)]
}

#[test]
fn a_providers_headers_do_not_speak_for_the_gateway() {
    let server = Provider::start();
    let one = provider("one", &server.url(), &[]);
    let two = provider("two", &server.url(), &["http2 = true"]);
    let gateway = Gateway::start(&format!("{LISTEN}{one}{two}"), &[]);
    for name in ["one", "two"] {
        for status in [200, 404, 500] {
            (0..2).for_each(|_| server.script("direct", answer(status)));
            for response in ask(&gateway, "direct", &format!("{name}:m")) {
                assert_eq!(response.status, status, "{name}: {}", response.text());
                assert_clean(name, &response, &[("x-gaud-provider", name)]);
            }
        }
    }
    gateway.assert_no_trap();
}

/// `x-envoy-ratelimited` would keep Envoy's router from the next attempt, `x-gaud-retry` would bring one about.
#[test]
fn a_providers_headers_do_not_control_the_attempts() {
    let server = Provider::start();
    let one = provider("one", &server.url(), &["auth = \"none\""]);
    let two = provider("two", &server.url(), &["auth = \"none\"", "http2 = true"]);
    let retries = "[retries]\nmax = 1\nbackoff_ms = 10\n";
    let gateway = Gateway::start(&format!("{LISTEN}{one}{two}{retries}"), &[]);
    for name in ["one", "two"] {
        for (statuses, attempts) in [(vec![200], "1"), (vec![404], "1"), (vec![500, 200], "2")] {
            let all = statuses.iter().chain(&statuses);
            all.for_each(|status| server.script("hop", answer(*status)));
            for response in ask(&gateway, "hop", &format!("{name}:m")) {
                assert_eq!(Some(&response.status), statuses.last(), "{name}: {}", response.text());
                let own = [("x-gaud-attempts", attempts), ("x-gaud-provider", name)];
                assert_clean(name, &response, &own);
            }
        }
    }
    gateway.assert_no_trap();
}
