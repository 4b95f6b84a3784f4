//! Which request is what.

use super::examples::{EXAMPLES, Outcome};
use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const BASES: [&str; 2] = ["/api/litellm", ""];

fn endpoint(method: &str, path: &str) -> Endpoint {
    Classified::classify(method.as_bytes(), path, &BASES.map(str::to_owned)).endpoint
}

fn method(allow: &str) -> Endpoint {
    Endpoint::Refused(Refused::Method { allow: allow.to_owned() })
}

#[test]
fn classifies_paths() {
    let of = |is_form: bool, is_optional: bool, repeats: bool| ModelBody {
        is_form,
        is_optional,
        repeats,
        resource: "",
        is_nested: false,
    };
    let body = |is_form, is_optional| {
        Endpoint::Model(ModelIn::Body(of(is_form, is_optional, is_form || !is_optional)))
    };
    let own = |own| Endpoint::Local(own, 0..0);
    for (method, path, expected) in [
        ("POST", "/v1/chat/completions", body(false, false)),
        ("POST", "/v1/chat/completions/", body(false, false)),
        ("GET", "/v1/chat/completions", Endpoint::Model(ModelIn::Query)),
        ("POST", "/v1/cachedContents", endpoint("POST", "/v1beta/cachedContents")),
        ("GET", "/v1/agents/a", Endpoint::NoModel),
        ("POST", "/v1/chat/completions/x", Endpoint::NoModel),
        ("POST", "/v1/messages", body(false, false)),
        ("POST", "/v1/messages/count_tokens", body(false, false)),
        ("POST", "/v1/messages/batches", Endpoint::Model(ModelIn::Nested)),
        ("GET", "/v1/messages/batches", Endpoint::NoModel),
        ("GET", "/v1/messages/batches/b/results", Endpoint::NoModel),
        ("POST", "/v1/audio/transcriptions", body(true, true)),
        ("POST", "/v1/threads/t/runs", body(false, true)),
        ("GET", "/v1/threads/t/runs", Endpoint::NoModel),
        ("POST", "/v1/threads/t/runs/r/cancel", Endpoint::NoModel),
        ("GET", "/v1/realtime", Endpoint::Model(ModelIn::Query)),
        ("GET", "/v1/responses", Endpoint::Model(ModelIn::QueryOrMessage)),
        ("GET", "/v1/responses/r", Endpoint::NoModel),
        ("GET", "/healthz", own(LocalEndpoint::Liveness)),
        ("POST", "/readyz", own(LocalEndpoint::Readiness)),
        ("GET", "/v1/models", own(LocalEndpoint::Models)),
        ("HEAD", "/v1/models", own(LocalEndpoint::Models)),
        ("HEAD", "/api/models", own(LocalEndpoint::FrontEndModels)),
        ("GET", "/openai/v1/models", own(LocalEndpoint::Models)),
        ("GET", "/openai/models", own(LocalEndpoint::Models)),
        ("GET", "/v1/models/a%2fb/..%5c", Endpoint::Local(LocalEndpoint::Model, 11..22)),
        ("DELETE", "/v1/models/ft:gpt", Endpoint::Model(ModelIn::Path(11..17, None))),
        ("GET", "/api/models", own(LocalEndpoint::FrontEndModels)),
        ("POST", "/api/models", own(LocalEndpoint::Refresh)),
        ("DELETE", "/api/models", Endpoint::Unknown),
        ("GET", "/", Endpoint::Unknown),
        ("POST", "/key/generate", Endpoint::Unknown),
        ("OPTIONS", "/key/generate", Endpoint::Unknown),
        ("POST", "/openai/v1/responses", body(false, false)),
        ("POST", "/openai/responses", body(false, false)),
        ("POST", "/v1beta/openai/chat/completions", body(false, false)),
        ("POST", "/v1alpha/openai/v1/embeddings", body(false, false)),
        ("GET", "/openai/realtime", Endpoint::Model(ModelIn::Query)),
        ("GET", "/openai/files/f/content", Endpoint::NoModel),
        ("POST", "/openai/key/generate", Endpoint::Unknown),
        ("POST", "/openaix/v1/responses", Endpoint::Unknown),
        ("GET", "/openai/deployments", Endpoint::NoModel),
        ("GET", "/openai/deployments/d", Endpoint::Refused(Refused::UnreadModel)),
        ("GET", "/ws/google.Bidi", Endpoint::Refused(Refused::UnreadModel)),
        ("POST", "/upload/v1beta/files", Endpoint::NoModel),
        ("GET", "/v1alpha/files/f", Endpoint::NoModel),
        ("GET", "/v1beta1/models", Endpoint::NoModel),
    ] {
        assert_eq!(endpoint(method, path), expected, "{method} {path}");
    }
}

#[test]
fn methods_are_a_list() {
    let all = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    for (name, path, allow) in [
        ("TRACE", "/v1/files", all),
        ("TRACE", "/v1/models", all),
        ("post", "/v1/chat/completions", all),
        ("Post", "/key/generate", all),
        ("QUERY", "/", all),
        ("", "/", all),
        ("PUT", "/v1/chat/completions", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/chat/completions", "GET, HEAD, POST"),
        ("GET", "/v1/embeddings", "POST"),
        ("HEAD", "/v1/messages", "POST"),
        ("PATCH", "/v1/assistants/a", "GET, HEAD, POST, DELETE"),
        ("PUT", "/openai/deployments/m/embeddings", "POST"),
        ("GET", "/openai/v1/embeddings", "POST"),
        ("PUT", "/v1beta/models/m:generateContent", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/files", "GET, HEAD, POST, PUT, PATCH, DELETE"),
        ("OPTIONS", "/v1/models", "GET, HEAD"),
        ("OPTIONS", "/v1/realtime", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ] {
        assert_eq!(endpoint(name, path), method(allow), "{name} {path}");
    }
}

#[test]
fn finds_models_in_paths() {
    for (path, expected) in [
        ("/v1/engines/p:gpt/completions", Some("p:gpt")),
        ("/v1/engines/x/chat/completions", Some("x")),
        ("/openai/engines/x/completions", Some("x")),
        ("/openai/v1/engines/x/completions", Some("x")),
        ("/openai/deployments/a/b/chat/completions", Some("a/b")),
        ("/openai/deployments/a%2Fb/embeddings", Some("a%2Fb")),
        ("/openai/deployments/A%2fB/embeddings", Some("A%2fB")),
        ("/openai/deployments/a%20b%3Ac/responses", Some("a%20b%3Ac")),
        ("/openai/deployments/..%2f..%2fkey/embeddings", None),
        ("/openai/deployments/a%2f%2e/embeddings", None),
        ("/openai/deployments/a//b/embeddings", None),
        ("/openai/deployments/a%25b/embeddings", Some("a%25b")),
        ("/openai/deployments/a%252Fb/embeddings", None),
        ("/openai/deployments/a;b/embeddings", None),
        ("/openai/deployments/a%3bb/embeddings", None),
        ("/openai/deployments/a%3fb/embeddings", None),
        ("/openai/deployments/a%23b/embeddings", None),
        ("/openai/deployments/a%20/embeddings", None),
        ("/openai/deployments/x/Chat/completions", None),
        ("/v1beta/models/p:gemini-2.0-flash:streamGenerateContent", Some("p:gemini-2.0-flash")),
        ("/v1beta/models/a%3AgenerateContent:generateContent", Some("a%3AgenerateContent")),
        ("/v1beta/models/a:generateContent%3Fb:generateContent", None),
        ("/v1alpha/models/g:embedContent", Some("g")),
        ("/v1beta/tunedModels/g:generateContent", Some("g")),
        ("/v1/models/gemini:countTokens", Some("gemini")),
    ] {
        let found = match endpoint("POST", path) {
            Endpoint::Model(ModelIn::Path(place, _)) => Some(path.get(place).unwrap()),
            Endpoint::Refused(_) => None,
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(found, expected, "{path}");
    }
}

/// The examples that the documentation shows; a test of the gateway sends them.
#[test]
fn paths_are_passed_or_refused_as_the_examples_say() {
    for example in EXAMPLES {
        let endpoint = endpoint(example.method, example.path);
        let is_refused = matches!(endpoint, Endpoint::Refused(_));
        assert_eq!(is_refused, example.outcome == Outcome::Refused, "{example:?}: {endpoint:?}");
        if !is_refused {
            let has_key = example.outcome == Outcome::ProvidersKey;
            assert_eq!(endpoint.is_api(), has_key, "{example:?}: {endpoint:?}");
        }
    }
}

/// Paths of every row that names a model.
fn named() -> impl Iterator<Item = (&'static str, String)> {
    let rows = ROWS.iter().filter(|row| row.meaning.names_model());
    rows.map(|row| {
        let path = row.path.replace("{model}", "a:m").replace("{id}", "i").replace("{verb}", "v");
        (if row.method.is_empty() { "POST" } else { row.method }, path.replace('*', "x"))
    })
}

/// Other spellings of a path: at each slash, at the end, and of each letter.
fn mutated(path: &str) -> Vec<String> {
    let mut all = Vec::new();
    let ends =
        ["%20", "%09", "%0a", "%0d", "%00", "%7f", "%85", "%c2%a0", "%e2%80%a8", ";", ";x=y"];
    let ends =
        ends.into_iter().chain(["%3b", "%3bx", "%3fx", "%23", "//", "/.", "/x/..", "/%2e", "\\"]);
    let ends = ends.chain(["%2f", "%5c", "%252f", "%25%32%66", "/./", "%2f%2e", " ", "%e2%80%8b"]);
    for (at, letter) in path.char_indices() {
        let (before, after) = (path.get(..at).unwrap(), path.get(at..).unwrap());
        let rest = path.get(at.saturating_add(1)..).unwrap();
        if letter == '/' || at == 0 {
            let slashes =
                ["//", "/./", "/x/../", "%2f", "%5c", "\\", "\\/", "/%2e/", "/%20/", "/%252f"];
            all.extend(slashes.map(|slash| format!("{before}{slash}{}", rest)));
            all.extend(ends.clone().map(|end| format!("{before}{end}{after}")));
        } else {
            let upper = letter.to_ascii_uppercase();
            let code = letter as u32;
            for other in [
                format!("{upper}"),
                format!("%{code:02x}"),
                format!("%25{code:02X}"),
                format!("%{:02x}", upper as u32),
            ] {
                all.push(format!("{before}{other}{}", rest));
            }
        }
    }
    all.extend(ends.map(|end| format!("{path}{end}")));
    all.retain(|other| other != path);
    all
}

/// Whatever the spelling: the provider's key goes with the model that was read, or not at all.
#[test]
fn no_spelling_takes_the_key_past_the_model() {
    let mut seen = 0;
    for (row, (method, path)) in named().enumerate() {
        let as_sent = endpoint(method, &path);
        // Each row is written in every seventh way; all rows together in every way.
        for other in mutated(&path).into_iter().skip(row % 7).step_by(7) {
            let read = endpoint(method, &other);
            seen += 1;
            match &read {
                Endpoint::Refused(_) => {}
                Endpoint::Model(_) => assert_eq!(
                    std::mem::discriminant(&read),
                    std::mem::discriminant(&as_sent),
                    "{method} {other}"
                ),
                // Another letter makes another path: no reading of it leads back.
                Endpoint::NoModel | Endpoint::Unknown | Endpoint::Local(..) => {
                    let back = readings(&other).unwrap();
                    let same = |one: &String| one.trim_end_matches('/').eq_ignore_ascii_case(&path);
                    assert!(!back.iter().any(same), "{method} {other}: {read:?}");
                }
            }
        }
    }
    assert!(seen > 2_000, "{seen}");
}

/// What a server could read as a path outside the API has no key either.
#[test]
fn no_spelling_takes_the_key_out_of_the_api() {
    for row in ROWS.iter().filter(|row| row.meaning.has_key()) {
        let path = row.path.replace("{model}", "m").replace("{id}", "i").replace("{verb}", "v");
        let path = path.replace('*', "x/y");
        let ups = [
            "/../../../../key/generate",
            "/..%2f..%2f..%2f..%2fkey",
            "/%2e%2e/%2e%2e/../../../key",
        ];
        for up in ups.into_iter().chain([
            r"\..\..\..\..\key",
            "/..;/..;/..;/..;/..;/key",
            "/%252e%252e/../../../../key",
        ]) {
            for method in ["GET", "POST"] {
                let read = endpoint(method, &format!("{path}{up}"));
                assert!(!read.is_api(), "{method} {path}{up}: {read:?}");
            }
        }
    }
}

#[test]
fn control_characters_are_refused_everywhere() {
    for path in
        ["/v1/files/a", "/v1/chat/completions", "/key/generate", "/v1/engines/m/completions"]
    {
        for code in (0..0x20).chain(0x7f..0xa0) {
            for escape in
                [format!("%{code:02x}"), format!("%c2%{code:02X}"), format!("%25{code:02x}")]
            {
                let is_utf8 = escape.starts_with("%c2");
                let path = format!("{path}{escape}");
                let is_refused = matches!(endpoint("POST", &path), Endpoint::Refused(_));
                assert!(is_refused, "{path} {is_utf8}");
            }
        }
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
        let path = path.replace('*', "x/y");
        let method = if row.method.is_empty() { "PUT" } else { row.method };
        let first = ROWS.iter().position(|row| {
            row.takes(method.as_bytes()) && fit_row(row, &path, Case::Exact).is_some()
        });
        assert_eq!(first, Some(index), "{method} {path}");
        let is_own = |method: &&str| {
            Found::first(ROWS, &path, Case::Exact, |row| row.takes(method.as_bytes()))
                .is_some_and(|found| std::ptr::eq(found.row, row))
        };
        let is_refused = |method: &&str| matches!(endpoint(method, &path), Endpoint::Refused(_));
        let reached = METHODS.into_iter().filter(is_own).any(|method| !is_refused(&method));
        assert_eq!(reached, row.meaning != Meaning::Unreadable, "{path}");
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
        ("/v1alpha/models/m:embedContent", Shape::Gemini),
        ("/", Shape::OpenAi),
    ] {
        assert_eq!(Classified::classify(b"POST", path, &[]).shape, expected, "{path}");
    }
}

#[test]
fn takes_off_base_paths() {
    let bases = ["/api/litellm/x", "/api/litellm", ""].map(str::to_owned);
    for (path, expected) in [
        ("/v1/models", &["/v1/models"][..]),
        ("/api/litellm/v1/models", &["/v1/models", "/api/litellm/v1/models"]),
        ("/api/litellm/x/v1/models", &["/v1/models", "/x/v1/models", "/api/litellm/x/v1/models"]),
        ("/api/litellmx/v1", &["/api/litellmx/v1"]),
        ("/api/litellm", &["/api/litellm"]),
    ] {
        assert_eq!(below_bases(path, &bases).collect::<Vec<_>>(), expected, "{path}");
    }
    assert_eq!(below_bases("/v1/models", &bases[..2]).next(), None);
    assert_eq!(below_bases("*", &bases).next(), None);
}

#[test]
fn a_known_path_may_lack_its_version() {
    for (path, expected) in [
        ("/chat/completions?a=b", Some("/v1/chat/completions?a=b")),
        ("/chat/completions/?a=b", Some("/v1/chat/completions/?a=b")),
        ("/models", Some("/v1/models")),
        ("/engines/m/completions", Some("/v1/engines/m/completions")),
        ("/models/m:generateContent", Some("/v1/models/m:generateContent")),
        ("/interactions", None),
        ("/v1/chat/completions", None),
        ("/openai/chat/completions", None),
        ("/files", None),
        ("/chat", None),
        ("/tokenize", None),
        ("/key/generate", None),
    ] {
        assert_eq!(with_version(path).as_deref(), expected, "{path}");
    }
}
