//! Escapes, dot segments and queries: what the gateway reads is what a provider reads.

use super::setup;
use crate::client::Request;
use crate::refusal;

#[test]
fn escapes_are_read_and_slashes_stay_as_they_are_written() {
    for (sent, seen) in [
        ("open%3Am", "m"),
        ("o%70en%3am", "m"),
        ("open:a/b", "a/b"),
        ("open:a%2Fb", "a%2Fb"),
        ("open:a%2fb%3ac", "a%2Fb:c"),
        ("open:a%20b", "a%20b"),
        ("open:gr%C3%B6%C3%9Fe", "gr%C3%B6%C3%9Fe"),
        ("open:a%3Fb%23c%26d%3De%2B", "a%3Fb%23c%26d%3De%2B"),
    ] {
        for (before, behind) in [
            ("/v1/engines/", "/completions"),
            ("/openai/deployments/", "/embeddings?api-version=1"),
            ("/v1beta/models/", ":generateContent"),
        ] {
            let request = Request::post(format!("{before}{sent}{behind}"), "{}");
            for found in setup().reaches("open", &format!("{before}{sent}"), &request) {
                assert_eq!(found.path, format!("{before}{seen}{behind}"));
            }
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_path_that_two_servers_could_read_in_two_ways_is_refused() {
    for path in [
        "/v1/engines/open:a%2f..%2f..%2fkey/completions",
        "/v1/engines/open:a%2F%2Fb/completions",
        "/v1/engines/open:a%252Fb/completions",
        "/v1/engines/open:a%5Cb/completions",
        "/openai/deployments/..%2f..%2fkey/embeddings",
        "/v1/chat%2fcompletions",
        "/v1%2fchat/completions",
        "/v1/files/%252e%252e/x",
        "/key%2fgenerate",
        "/x%5c..%5ckey",
    ] {
        let refusal = refusal::unknown_url("POST", path);
        setup().refuses(path, &Request::post(path, r#"{"model":"open:m"}"#), &refusal);
    }
    setup().gateway.assert_no_trap();
}

/// Envoy takes them out before the filter looks.
#[test]
fn dot_segments_lead_where_they_say() {
    for (provider, sent, seen) in [
        ("open", "/v1/x/../chat/completions", "/v1/chat/completions"),
        ("open", "/v1/./chat//completions", "/v1/chat/completions"),
        ("open", "/key/%2e%2e/v1/chat/completions", "/v1/chat/completions"),
        ("keyed", "/v1/chat/completions/../../../key/generate", "/key/generate"),
        ("keyed", "/v1/engines/a/%2E%2E/completions", "/v1/engines/completions"),
    ] {
        let request = Request::post(sent, r#"{"model":"open:m"}"#);
        for found in setup().reaches(provider, sent, &request) {
            let is_api = seen.starts_with("/v1");
            assert_eq!(found.path, seen);
            assert_eq!(found.header("x-goog-api-key").is_some(), is_api && provider == "keyed");
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn two_models_in_a_query_are_refused() {
    let refusal = refusal::models_in_query();
    for query in
        ["model=open:a&model=open:a", "model=a&mod%65l=b", "model=a;b", "x;model=a", "model&model"]
    {
        let path = format!("/v1/realtime?{query}");
        setup().refuses(query, &Request::new("GET", &path), &refusal);
        let calls = format!("/v1/realtime/calls?{query}");
        setup().refuses(&format!("calls {query}"), &Request::post(calls, "v=0"), &refusal);
    }
    for query in ["model=open:m", "a=b&mod%65l=open:m", "x;model=open:m", "model"] {
        let path = format!("/v1/chat/completions?{query}");
        let request = Request::post(path, r#"{"model":"open:m"}"#);
        setup().refuses(&format!("chat {query}"), &request, &refusal::model_in_query());
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn what_is_no_name_is_refused() {
    for (path, refusal) in [
        ("/v1/engines/open:%ff/completions", refusal::not_unicode()),
        ("/v1/realtime?model=%ff", refusal::not_unicode()),
        ("/v1/engines/open:a%0ab/completions", refusal::invalid_model("has a control character")),
        ("/v1/realtime?model=open:%7f", refusal::invalid_model("has a control character")),
        ("/v1/realtime?model=", refusal::invalid_model("is empty")),
        ("/v1/realtime?model", refusal::invalid_model("is empty")),
        ("/v1/realtime?model=open:", refusal::missing_model("open:")),
    ] {
        setup().refuses(path, &Request::new("POST", path), &refusal);
    }
    let path = format!("/v1/engines/{}/completions", "m".repeat(513));
    let refusal = refusal::invalid_model("is longer than 512 bytes");
    setup().refuses("long", &Request::new("POST", path), &refusal);
    setup().gateway.assert_no_trap();
}
