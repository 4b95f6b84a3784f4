//! Gemini's paths, and the credential that its clients write into the query.

use super::setup;
use crate::client::Request;

const BODY: &str = r#"{"contents": [], "model": "open:other"}"#;

#[test]
fn a_key_in_the_query_goes_where_the_others_go() {
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
                let own = if provider == "open" { "client" } else { "sk-of-keyed" };
                for seen in setup().reaches(provider, &path, &request) {
                    let expected = format!("/{version}/models/gemini-2.0-flash:{verb}");
                    assert_eq!((seen.path.as_str(), &*seen.text()), (&*expected, BODY), "{path}");
                    assert_eq!(seen.headers.all("x-goog-api-key"), [own], "{path}");
                }
            }
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn paths_without_a_model_lose_the_key_too() {
    for (method, sent, seen) in [
        ("GET", "/v1beta/files/abc?key=client&a=b", "/v1beta/files/abc?a=b"),
        ("GET", "/v1beta/models?key=client", "/v1beta/models"),
        ("GET", "/v1beta/models/gemini-2.0-flash?key=client", "/v1beta/models/gemini-2.0-flash"),
        ("PATCH", "/v1beta/cachedContents/x?key=client", "/v1beta/cachedContents/x"),
        // A path that is none of the API keeps all that the client sent.
        ("POST", "/upload/v1beta/files?key=client", "/upload/v1beta/files?key=client"),
        ("GET", "/v1/files?key=client&a=b&api-key=x", "/v1/files?a=b"),
    ] {
        for found in setup().reaches("keyed", sent, &Request::new(method, sent)) {
            assert_eq!(found.path, seen);
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn the_body_is_not_read() {
    let path = "/v1beta/models/open:m:generateContent";
    for (what, body) in [("text", "no JSON"), ("models", r#"{"model":1,"model":2}"#), ("none", "")]
    {
        for found in setup().reaches("open", &format!("Gemini {what}"), &Request::post(path, body))
        {
            assert_eq!((&*found.path, &*found.text()), ("/v1beta/models/m:generateContent", body));
        }
    }
}
