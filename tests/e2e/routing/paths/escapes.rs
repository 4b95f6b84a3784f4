//! Escapes, dot segments and queries: what the gateway reads is what a provider reads.

use super::setup;
use crate::kit::client::Request;
use crate::kit::refusal;

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
        ("open:b%26d%3De%2B", "b%26d%3De%2B"),
    ] {
        for (before, after) in [
            ("/v1/engines/", "/completions"),
            ("/openai/deployments/", "/embeddings?api-version=1"),
            ("/v1beta/models/", ":generateContent"),
        ] {
            let request = Request::post(format!("{before}{sent}{after}"), "{}");
            for found in setup().reaches("open", &format!("{before}{sent}"), &request) {
                assert_eq!(found.path, format!("{before}{seen}{after}"));
            }
        }
    }
    setup().assert_no_trap();
}

#[test]
fn a_path_that_two_servers_could_read_in_two_ways_is_refused() {
    let chat = || refusal::read_as("/v1/chat/completions");
    for (path, refusal) in [
        ("/v1/engines/open:a%2f..%2f..%2fkey/completions", refusal::leaves_api()),
        ("/v1/engines/open:a%2F%2Fb/completions", refusal::two_models()),
        ("/v1/engines/open:a%252Fb/completions", refusal::two_models()),
        ("/v1/engines/open:a%5Cb/completions", refusal::two_models()),
        ("/v1/engines/open:a;b/completions", refusal::two_models()),
        ("/openai/deployments/..%2f..%2fkey/embeddings", refusal::leaves_api()),
        ("/v1/chat%2fcompletions", chat()),
        ("/v1%2fchat/completions", chat()),
        ("/v1/chat/completions%20", chat()),
        ("/v1/chat/completions;", chat()),
        ("/v1/Chat/completions", chat()),
        ("/api/litellm/v1/chat/completions%3b", chat()),
        ("/chat%2fcompletions", chat()),
        ("/v1/chat/completions%0a", refusal::control_in_path()),
        ("/key/generate%c2%80", refusal::control_in_path()),
        ("/v1/files/%252e%252e/x", refusal::leaves_api()),
        ("/x/..%2f..%2fkey", refusal::above_root()),
    ] {
        setup().refuses(path, &Request::post(path, r#"{"model":"open:m"}"#), &refusal);
    }
    setup().assert_no_trap();
}

/// Where no reading of them names a model, they stay as they are.
#[test]
fn dots_and_slashes_reach_the_provider_as_they_are() {
    for (path, has_key) in [
        ("/v1/files/a/../b", true),
        ("/v1/files/a/./b", true),
        ("/v1/files/gs://b//o", true),
        ("/v1/files/a%2Fb%3A%20;c", true),
        ("/key/x/../generate", false),
        ("/key//generate", false),
        ("/key%2fgenerate", false),
        ("/key/a%25b", false),
    ] {
        for found in setup().reaches("keyed", path, &Request::new("GET", path)) {
            assert_eq!(found.path, path);
            assert_eq!(found.header("x-goog-api-key").is_some(), has_key, "{path}");
        }
    }
    for (path, refusal) in [
        ("/v1/x/../chat/completions", refusal::read_as("/v1/chat/completions")),
        ("/v1/./chat//completions", refusal::read_as("/v1/chat/completions")),
        ("/key/%2e%2e/v1/chat/completions", refusal::read_as("/v1/chat/completions")),
        ("/v1/files/../../key/generate", refusal::leaves_api()),
        ("/v1/engines/a/%2E%2E/completions", refusal::two_models()),
    ] {
        setup().refuses(path, &Request::post(path, r#"{"model":"open:m"}"#), &refusal);
    }
    setup().assert_no_trap();
}

#[test]
fn two_models_in_a_query_are_refused() {
    let refusal = refusal::models_in_query();
    for query in [
        "model=open:a&model=open:a",
        "model=a&mod%65l=b",
        "model=a;b",
        "x;model=a",
        "model&model",
        "model=open:a&model[]=b",
        "Model=open:a",
        "model%20=open:a",
        "[model]=open:a",
        "model=open:a+b",
        "model=open:a%zz",
        "model=open:a[]=b",
        "deployment[]=open:a",
    ] {
        let path = format!("/v1/realtime?{query}");
        setup().refuses(query, &Request::new("GET", &path), &refusal);
        let calls = format!("/v1/realtime/calls?{query}");
        setup().refuses(&format!("calls {query}"), &Request::post(calls, "v=0"), &refusal);
    }
    for query in ["model=open:m", "a=b&mod%65l=open:m", "x;model=open:m", "model", "model[]=open:m"]
    {
        let path = format!("/v1/chat/completions?{query}");
        let request = Request::post(path, r#"{"model":"open:m"}"#);
        setup().refuses(&format!("chat {query}"), &request, &refusal::model_in_query());
    }
    setup().assert_no_trap();
}

#[test]
fn invalid_names_are_refused() {
    for (path, refusal) in [
        ("/v1/engines/open:%ff/completions", refusal::not_unicode()),
        ("/v1/realtime?model=%ff", refusal::not_unicode()),
        ("/v1/engines/open:a%0ab/completions", refusal::control_in_path()),
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
    setup().assert_no_trap();
}
