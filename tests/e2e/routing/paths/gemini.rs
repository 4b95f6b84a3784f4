//! Gemini's paths, and the credential that its clients write into the query.

use super::setup;
use crate::kit::client::Request;
use crate::kit::refusal;

const BODY: &str = r#"{"contents": [], "args": {"model": "open:other"}}"#;

#[test]
fn a_key_in_the_query_is_treated_like_other_credentials() {
    for (sent, kept, removed) in [
        ("generateContent?key=client", "generateContent?key=client", "generateContent"),
        (
            "streamGenerateContent?alt=sse&key=client",
            "streamGenerateContent?alt=sse&key=client",
            "streamGenerateContent?alt=sse",
        ),
        ("countTokens?k%65y=client&a=b&key", "countTokens?k%65y=client&a=b&key", "countTokens?a=b"),
        (
            "countTokens?a=b%26&monkey=1",
            "countTokens?a=b%26&monkey=1",
            "countTokens?a=b%26&monkey=1",
        ),
    ] {
        for version in ["v1beta", "v1"] {
            for (provider, verb) in [("open", kept), ("keyed", removed)] {
                let path = format!("/{version}/models/{provider}:gemini-2.0-flash:{sent}");
                let request = Request::post(&path, BODY).header("x-goog-api-key", "client");
                let key = if provider == "open" { "client" } else { "sk-of-keyed" };
                for seen in setup().reaches(provider, &path, &request) {
                    let expected = format!("/{version}/models/gemini-2.0-flash:{verb}");
                    assert_eq!((seen.path.as_str(), &*seen.text()), (&*expected, BODY), "{path}");
                    assert_eq!(seen.headers.all("x-goog-api-key"), [key], "{path}");
                }
            }
        }
    }
    setup().assert_no_trap();
}

#[test]
fn paths_without_a_model_lose_the_key_too() {
    for (method, sent, seen) in [
        ("GET", "/v1beta/files/abc?key=client&a=b", "/v1beta/files/abc?a=b"),
        ("GET", "/v1beta/models?key=client", "/v1beta/models"),
        ("GET", "/v1beta/models/gemini-2.0-flash?key=client", "/v1beta/models/gemini-2.0-flash"),
        ("PATCH", "/v1beta/cachedContents/x?key=client", "/v1beta/cachedContents/x"),
        ("POST", "/upload/v1beta/files?Key=client", "/upload/v1beta/files"),
        // A path that is not of the API keeps all that the client sent.
        ("POST", "/upload/v2/files?key=client", "/upload/v2/files?key=client"),
        ("GET", "/v1/files?key=client&a=b&api-key=x", "/v1/files?a=b"),
    ] {
        for found in setup().reaches("keyed", sent, &Request::new(method, sent)) {
            assert_eq!(found.path, seen);
        }
    }
    setup().assert_no_trap();
}

#[test]
fn the_body_names_the_model_that_the_path_names() {
    for (provider, path, sent, seen) in [
        (
            "open",
            "open:m:embedContent",
            r#"{"model": "models/open:m", "x": 1}"#,
            r#"{"model": "models/m", "x": 1}"#,
        ),
        (
            "open",
            "open:m:generateContent",
            r#"{"model": "models/other"}"#,
            r#"{"model": "models/m"}"#,
        ),
        ("open", "open:m:generateContent", r#"{"model": "m"}"#, r#"{"model": "m"}"#),
        (
            "keyed",
            "m:batchEmbedContents",
            r#"{"requests": [{"model": "models/m"}]}"#,
            r#"{"requests": [{"model": "models/m"}]}"#,
        ),
        (
            "open",
            "open:m:countTokens",
            r#"{"contents": [{"model": "x"}]}"#,
            r#"{"contents": [{"model": "x"}]}"#,
        ),
        ("open", "open:m:generateContent", "", ""),
    ] {
        for version in ["v1beta", "v1alpha", "v1beta1"] {
            let request = Request::post(format!("/{version}/models/{path}"), sent);
            for found in setup().reaches(provider, &format!("{version} {path} {sent}"), &request) {
                let path = format!("/{version}/models/{}", path.trim_start_matches("open:"));
                assert_eq!((&*found.path, &*found.text()), (&*path, seen));
            }
        }
    }
    setup().assert_no_trap();
}

#[test]
fn an_object_of_the_body_that_names_another_model_is_refused() {
    for (path, body, model) in [
        (
            "open:m:batchEmbedContents",
            r#"{"requests": [{"model": "models/open:m"}]}"#,
            "models/open:m",
        ),
        ("m:batchEmbedContents", r#"{"requests": [{"model": "models/other"}]}"#, "models/other"),
        (
            "m:countTokens",
            r#"{"generateContentRequest": {"model": "models/other"}}"#,
            "models/other",
        ),
    ] {
        setup().each(&format!("{path} {body}"), |way, client, case| {
            let request = Request::post(format!("/v1beta/models/{path}"), body).case(case);
            let response = client.send(&way.gateway, &request);
            refusal::unread_model(model).assert_gemini(case, &response);
            assert!(way.server.seen(case).is_empty(), "{case}");
        });
    }
}

#[test]
fn a_cache_goes_where_its_model_goes() {
    let sent = r#"{"model": "models/open:m", "ttl": "1s"}"#;
    let request = Request::post("/v1beta/cachedContents", sent);
    for found in setup().reaches("open", "cache", &request) {
        assert_eq!(found.text(), r#"{"model": "models/m", "ttl": "1s"}"#);
    }
}
