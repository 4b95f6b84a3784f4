//! A provider's key and headers go with the table's paths, and with no other.

use super::{asking, request, rows, setup, stays_home};
use crate::kit::client::Request;
use crate::kit::upstream::Seen;
use gaud::request::credentials::CLIENT_CREDENTIALS;

/// Paths of LiteLLM and others that are none of the table's, and such as look like it.
const UNKNOWN: [&str; 21] = [
    "/",
    "/key/generate",
    "/key/generate?key=of-the-client",
    "/model/new",
    "/health/liveliness",
    "/openapi.json",
    "/ui/",
    "/spend/logs",
    "/v1",
    "/v1/",
    "/v1/mcp/server",
    "/v1/model/info",
    "/v1/chatx",
    "/v1/filesx/y",
    "/v2/model/info",
    "/v1beta/keys",
    "/v1beta/modelsx/m:generateContent",
    "/openai/deployment/m/chat/completions",
    "/files",
    "/x/v1/files",
    "/other/v1/chat/completions",
];

fn with_credentials(mut request: Request) -> Request {
    for name in CLIENT_CREDENTIALS {
        request = request.header(name, "of-the-client");
    }
    request.header("x-both", "of-the-client").header("x-more", "of-the-client")
}

/// The credentials and configured headers that a provider has seen.
fn credentials(seen: &Seen) -> Vec<(&'static str, String)> {
    let names = CLIENT_CREDENTIALS.into_iter().chain(["x-both", "x-more"]);
    let all = |name| seen.headers.all(name).into_iter().map(move |value| (name, value));
    names.flat_map(all).collect()
}

fn expected(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[test]
fn the_tables_paths_carry_the_providers_key_and_headers() {
    let home = expected(&[
        ("authorization", "Bearer sk-of-home"),
        ("x-both", "of-home"),
        ("x-more", "of-the-client"),
    ]);
    let away = expected(&[("x-api-key", "sk-of-away"), ("x-both", "of-away"), ("x-more", "more")]);
    for (row, method) in rows() {
        let request = with_credentials(asking(row, method, "away:m"));
        let (provider, expected) = match stays_home(row) {
            true => ("home", &home),
            false => ("away", &away),
        };
        let case = format!("key {method} {}", row.path);
        for seen in setup().reaches(provider, &case, &request) {
            assert_eq!(credentials(&seen), *expected, "{case}");
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_header_that_comes_twice_is_replaced_whole() {
    let request = Request::chat(r#"{"model":"away:m"}"#);
    let twice = request.header("x-both", "first").header("x-more", "a").header("x-both", "second");
    for seen in setup().reaches("away", "twice", &twice.header("x-more", "b")) {
        assert_eq!(seen.headers.all("x-both"), ["of-away"]);
        assert_eq!(seen.headers.all("x-more"), ["more"]);
    }
}

#[test]
fn other_paths_pass_unchanged_without_the_key() {
    let body = r#"{"model": "away:m"}"#;
    for path in UNKNOWN {
        for method in ["GET", "POST"] {
            let case = format!("unknown {method} {path}");
            let bare = request(method, path, body);
            for seen in setup().reaches("home", &case, &bare) {
                assert_eq!(credentials(&seen), [], "{case}");
                assert_eq!((&*seen.method, &*seen.path), (method, path), "{case}");
                assert_eq!(seen.text(), if method == "GET" { "" } else { body }, "{case}");
            }
            let case = format!("{case} with credentials");
            for seen in setup().reaches("home", &case, &with_credentials(bare)) {
                let clients = credentials(&seen);
                assert_eq!(clients.len(), CLIENT_CREDENTIALS.len() + 2, "{case}");
                assert!(clients.iter().all(|(_, value)| value == "of-the-client"), "{case}");
            }
        }
    }
    setup().gateway.assert_no_trap();
}
