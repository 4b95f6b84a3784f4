//! Which request is what.

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn endpoint(method: &str, path: &str) -> Endpoint {
    Classified::classify(method.as_bytes(), path).endpoint
}

#[test]
fn classifies_paths() {
    let body = |is_form: bool, is_optional: bool| {
        let repeats = is_form || !is_optional;
        Endpoint::Model(ModelIn::Body(ModelBody { is_form, is_optional, repeats }))
    };
    let own = |own| Endpoint::Local(own, 0..0);
    for (method, path, expected) in [
        ("POST", "/v1/chat/completions", body(false, false)),
        ("POST", "/v1/chat/completions/", body(false, false)),
        ("GET", "/v1/chat/completions", Endpoint::NoModel),
        ("POST", "/v1/chat/completions/x", Endpoint::NoModel),
        ("POST", "/v1/messages", body(false, false)),
        ("POST", "/v1/messages/count_tokens", body(false, false)),
        ("POST", "/v1/messages/batches", Endpoint::NoModel),
        ("POST", "/v1/audio/transcriptions", body(true, true)),
        ("POST", "/v1/threads/t/runs", body(false, true)),
        ("POST", "/v1/threads/t/runs/r/cancel", Endpoint::NoModel),
        ("GET", "/v1/realtime", Endpoint::Model(ModelIn::Query)),
        ("GET", "/healthz", own(LocalEndpoint::Liveness)),
        ("POST", "/readyz", own(LocalEndpoint::Readiness)),
        ("GET", "/v1/models", own(LocalEndpoint::Models)),
        ("GET", "/v1/models/a%2fb/..%5c", Endpoint::Local(LocalEndpoint::Model, 11..22)),
        ("DELETE", "/v1/models/ft:gpt", Endpoint::NoModel),
        ("GET", "/api/models", own(LocalEndpoint::FrontEndModels)),
        ("POST", "/api/models", own(LocalEndpoint::Refresh)),
        ("DELETE", "/api/models", Endpoint::Unknown),
        ("GET", "/", Endpoint::Unknown),
        ("POST", "/key/generate", Endpoint::Unknown),
        ("POST", "/v1/chat%2Fcompletions", Endpoint::Refused),
        ("POST", "/v1/chat%252fcompletions", Endpoint::Refused),
        ("POST", "/v1%5Cchat/completions", Endpoint::Refused),
        ("GET", "/v1/files/..%2f..%2fkey", Endpoint::Refused),
        ("TRACE", "/v1/files", Endpoint::Refused),
        ("TRACE", "/v1/models", Endpoint::Refused),
    ] {
        assert_eq!(endpoint(method, path), expected, "{method} {path}");
    }
}

#[test]
fn finds_models_in_paths() {
    for (path, expected) in [
        ("/v1/engines/p:gpt/completions", Some("p:gpt")),
        ("/v1/engines/x/chat/completions", Some("x")),
        ("/openai/deployments/a/b/chat/completions", Some("a/b")),
        ("/openai/deployments/a%2Fb/embeddings", Some("a%2Fb")),
        ("/openai/deployments/..%2f..%2fkey/embeddings", None),
        ("/openai/deployments/a%2f%2e/embeddings", Some("a%2f%2e")),
        ("/openai/deployments/a//b/embeddings", None),
        ("/openai/deployments/a%25b/embeddings", None),
        ("/v1beta/models/p:gemini-2.0-flash:streamGenerateContent", Some("p:gemini-2.0-flash")),
        ("/v1/models/gemini:countTokens", Some("gemini")),
    ] {
        let found = match endpoint("POST", path) {
            Endpoint::Model(ModelIn::Path(place, _)) => Some(path.get(place).unwrap()),
            Endpoint::Refused => None,
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn the_api_is_a_list() {
    for path in ["/v1/files", "/v1/chat/completions", "/v1beta/models/m:generateContent"] {
        assert!(endpoint("POST", path).is_api(), "{path}");
    }
    for path in ["/", "/v1", "/v1/", "/key/generate", "/v1/mcp/server", "/v1/model/info"] {
        assert!(!endpoint("POST", path).is_api(), "{path}");
    }
    for path in ["/v1/filesx", "/x/v1/files", "v1/files", "/v1beta/keys", "//v1/files"] {
        assert!(!endpoint("POST", path).is_api(), "{path}");
    }
}

#[test]
fn every_row_can_be_reached() {
    for (index, row) in ROWS.iter().enumerate() {
        let path = row.path.replace("{model}", "m").replace("{id}", "i").replace("{verb}", "v");
        let path = path.replace('*', "x");
        let method = if row.method.is_empty() { "PUT" } else { row.method };
        let first = ROWS.iter().position(|row| {
            (row.method.is_empty() || row.method == method) && fit(row.path, &path).is_some()
        });
        assert_eq!(first, Some(index), "{method} {path}");
    }
}

#[test]
fn each_api_has_its_errors() {
    for (path, expected) in [
        ("/v1/messages", Shape::Anthropic),
        ("/v1/messages/count_tokens", Shape::Anthropic),
        ("/v1/messagesx", Shape::OpenAi),
        ("/v1/chat/completions", Shape::OpenAi),
        ("/v1beta/models/m:generateContent", Shape::Gemini),
        ("/", Shape::OpenAi),
    ] {
        assert_eq!(Classified::classify(b"POST", path).shape, expected, "{path}");
    }
}

#[test]
fn takes_off_the_longest_base_path() {
    let bases = ["/api/litellm/x", "/api/litellm", ""].map(str::to_owned);
    for (path, expected) in [
        ("/v1/models", "/v1/models"),
        ("/api/litellm/v1/models", "/v1/models"),
        ("/api/litellm/x/v1/models", "/v1/models"),
        ("/api/litellmx/v1", "/api/litellmx/v1"),
        ("/api/litellm", "/api/litellm"),
    ] {
        assert_eq!(strip_base(path, &bases), Some(expected), "{path}");
    }
    assert_eq!(strip_base("/v1/models", &bases[..2]), None);
    assert_eq!(strip_base("*", &bases), None);
}

#[test]
fn a_known_path_may_lack_its_version() {
    for (method, path, expected) in [
        ("POST", "/chat/completions?a=b", Some("/v1/chat/completions?a=b")),
        ("GET", "/models", Some("/v1/models")),
        ("POST", "/engines/m/completions", Some("/v1/engines/m/completions")),
        ("GET", "/chat/completions", None),
        ("POST", "/v1/chat/completions", None),
        ("GET", "/files", None),
        ("POST", "/key/generate", None),
    ] {
        assert_eq!(with_version(method.as_bytes(), path).as_deref(), expected, "{path}");
    }
}
