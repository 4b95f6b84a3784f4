//! No secret reaches a provider that it is not for, or an operator.

use super::attempts::chat;
use crate::kit::client::{CLIENTS, Headers, Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Answer, Provider};

/// A provider, its settings, and the credentials that it is sent; `None` for the client's.
type Row = (&'static str, &'static [&'static str], Option<&'static [(&'static str, &'static str)]>);

const ROWS: [Row; 5] = [
    ("pass", &[], None),
    ("bearer", &["api_key = \"os.environ/K1\""], Some(&[("authorization", "Bearer sk-1")])),
    ("x", &["api_key = \"os.environ/K2\"", "auth = \"x-api-key\""], Some(&[("x-api-key", "sk-2")])),
    (
        "basic",
        &["api_key = \"os.environ/K3\"", "auth = \"basic\""],
        Some(&[("authorization", "Basic dXNlcjpzay0z")]),
    ),
    ("none", &["auth = \"none\""], Some(&[])),
];

const KEYS: [(&str, &str); 3] = [("K1", "sk-1"), ("K2", "sk-2"), ("K3", "user:sk-3")];

const OF_THE_CLIENT: [(&str, &str); 8] = [
    ("authorization", "Bearer of-the-client"),
    ("x-api-key", "of-the-client"),
    ("api-key", "of-the-client"),
    ("x-goog-api-key", "of-the-client"),
    ("openai-organization", "of-the-client"),
    ("helicone-auth", "of-the-client"),
    ("x-litellm-tags", "of-the-client"),
    ("x-original-url", "of-the-client"),
];

/// Words that are part of a secret and of nothing else.
const SECRETS: [&str; 4] = ["sk-1", "sk-2", "dXNlcjpzay0z", "of-the-client"];

/// Every provider, followed by every other that has a configured credential.
fn pairs() -> impl Iterator<Item = (&'static Row, &'static Row)> {
    let after = |first: &'static Row| {
        ROWS.iter().filter(move |(name, ..)| *name != first.0 && *name != "pass")
    };
    ROWS.iter().flat_map(move |first| after(first).map(move |second| (first, second)))
}

fn start(server: &Provider) -> Gateway {
    let tables = ROWS.map(|(name, settings, _)| {
        provider(name, &format!("{}/{name}/v1", server.url()), settings)
    });
    let chain = |((first, ..), (second, ..)): (&Row, &Row)| {
        format!("[[fallbacks]]\nmodel = \"{first}:to-{second}\"\nto = [\"{second}:m\"]\n")
    };
    let chains: String = pairs().map(chain).collect();
    Gateway::start(&format!("{LISTEN}{}{chains}", tables.concat()), &KEYS)
}

/// Lets the first provider fail twice.
fn fail(server: &Provider, case: &str) {
    for status in [500, 502] {
        server.script(case, Answer::new(status, "text/plain", "failed"));
    }
}

#[test]
fn each_attempt_carries_the_credential_of_its_provider() {
    let server = Provider::start();
    let gateway = start(&server);
    for (first, second) in pairs() {
        for client in CLIENTS {
            let case = format!("{} {} {client:?}", first.0, second.0);
            fail(&server, &case);
            let model = format!("{}:to-{}", first.0, second.0);
            let mut request = Request::chat(chat(&model, false)).case(&case);
            for (name, value) in OF_THE_CLIENT {
                request = request.header(name, value);
            }
            assert_eq!(client.send(&gateway, &request).status, 200, "{case}");
            let seen = server.seen(&case);
            assert_eq!(seen.len(), 3, "{case}");
            for (seen, row) in seen.iter().zip([first, first, second]) {
                assert_eq!(seen.path, format!("/{}/v1/chat/completions", row.0), "{case}");
                let expected = row.2.unwrap_or(&OF_THE_CLIENT);
                assert_credentials(&format!("{case} at {}", row.0), &seen.headers, expected);
            }
        }
    }
    gateway.assert_no_trap();
    let shown = gateway.admin().get("/config_dump?include_eds") + &gateway.logs();
    for secret in ["sk-1", "sk-2", "sk-3", "dXNlcjpzay0z"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

/// Fails unless these credentials are sent, and nothing of another in any header.
fn assert_credentials(what: &str, headers: &Headers, expected: &[(&str, &str)]) {
    let of = |(name, _): &(&'static str, &str)| {
        headers.all(name).into_iter().map(|value| (*name, value)).collect::<Vec<_>>()
    };
    let sent: Vec<_> = OF_THE_CLIENT.iter().flat_map(of).collect();
    let sent: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(sent, expected, "{what}");
    for (name, value) in &headers.0 {
        let value = String::from_utf8_lossy(value);
        let is_expected = expected.contains(&(name.as_str(), &value));
        assert!(
            is_expected || !SECRETS.iter().any(|secret| value.contains(secret)),
            "{what}: {name}"
        );
    }
}

#[test]
fn a_client_without_a_credential_has_none_anywhere() {
    let server = Provider::start();
    let gateway = start(&server);
    for _ in 0..2 {
        server.script("without", Answer::broken());
    }
    let request = Request::chat(chat("pass:to-bearer", false)).case("without");
    assert_eq!(h1::exchange(gateway.addr(), &request).status, 200);
    let seen = server.seen("without");
    let keys: Vec<_> = seen.iter().map(|seen| seen.header("authorization")).collect();
    assert_eq!(keys, [None, None, Some("Bearer sk-1".to_owned())]);
    gateway.assert_no_trap();
}
