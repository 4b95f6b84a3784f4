//! Whole requests through a session, as Envoy would show them.

use super::*;
use crate::body::Edit;
use crate::config::File;
use crate::host::memory::Memory;
use crate::request::header_map::serialized;
use crate::room::{Bound, Client, Pot, Purpose};
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CHAT: &str = "/v1/chat/completions";

fn gateway(json: &str) -> Rc<Gateway> {
    let file = File::from_json(json.as_bytes()).unwrap();
    Rc::new(Gateway::compile(&file, &|_| Some("sk-own".to_owned())).unwrap())
}

fn two_providers() -> Rc<Gateway> {
    gateway(
        r#"{"default_provider":"p","body_limit_bytes":1024,"providers":{
            "p":{"url":"http://a"},
            "q":{"url":"http://b/base/v1","api_key":"os.environ/KEY"}}}"#,
    )
}

fn begin(gateway: &Rc<Gateway>, headers: &[(&str, &str)], end: bool) -> (Session, RequestAction) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Session::begin(Rc::clone(gateway), &Memory::default(), &Head::parse(&serialized(&headers)), end)
}

fn post(gateway: &Rc<Gateway>, path: &str) -> Session {
    let (session, action) = begin(gateway, &[(":method", "POST"), (":path", path)], false);
    assert_eq!(action, RequestAction::Hold);
    session
}

fn send(session: &mut Session, bytes: &str, end: bool) -> RequestAction {
    match session.feed(&Memory::default(), bytes.as_bytes()) {
        Ok(()) => session.advance(&Memory::default(), end),
        Err(reply) => RequestAction::Reply(reply),
    }
}

#[track_caller]
fn forwarded(action: RequestAction) -> Outgoing {
    match action {
        RequestAction::Forward(outgoing) => outgoing,
        other => panic!("not forwarded: {other:?}"),
    }
}

/// Status, and the document.
#[track_caller]
fn reply(action: RequestAction) -> (u32, String) {
    match action {
        RequestAction::Reply(reply) => (reply.status, reply.body.to_string()),
        other => panic!("no reply: {other:?}"),
    }
}

fn openai(message: &str, param: &str, code: &str) -> String {
    format!(
        r#"{{"error":{{"message":"{message}","type":"invalid_request_error","param":{param},"code":"{code}"}}}}"#
    )
}

#[test]
fn a_request_leaves_as_soon_as_its_model_has_come() {
    let gateway = two_providers();
    let mut session = post(&gateway, CHAT);
    assert_eq!(send(&mut session, r#"{"n":1,"model":"q:x"#, false), RequestAction::Hold);
    assert!(session.holds_body());
    let outgoing = forwarded(send(&mut session, r#"yz", "messages":["#, false));
    assert_eq!(session.provider().unwrap().name, "q");
    assert_eq!(outgoing.edit, Some(Edit { start: 16, end: 21, with: b"xyz".to_vec() }));
    assert_eq!(outgoing.path.as_deref(), Some("/base/v1/chat/completions"));
    assert_eq!(outgoing.content_length, None);
    assert!(!session.holds_body());
    assert_eq!(send(&mut session, "]}", false), RequestAction::Continue);
    assert_eq!(send(&mut session, "", true), RequestAction::Continue);
}

#[test]
fn an_unchanged_model_is_not_edited() {
    let mut session = post(&two_providers(), CHAT);
    let outgoing = forwarded(send(&mut session, r#"{"model":"llama3.2:latest"}"#, true));
    assert_eq!((outgoing.edit, outgoing.path, outgoing.content_length), (None, None, None));
}

#[test]
fn the_content_length_follows_the_edit() {
    let body = r#"{"model":"q:a\"b"}"#;
    let length = body.len().to_string();
    let headers = [(":method", "POST"), (":path", CHAT), ("content-length", &length)];
    let (mut session, _) = begin(&two_providers(), &headers, false);
    let outgoing = forwarded(send(&mut session, body, false));
    assert_eq!(outgoing.edit.unwrap().with, br#"a\"b"#);
    assert_eq!(outgoing.content_length, Some(body.len() as u64 - 2));
}

#[test]
fn a_counted_body_is_judged_before_its_last_byte_goes_on() {
    let body = r#"{"model":"q:a","x":["#;
    let length = body.len().to_string();
    let headers = [(":method", "POST"), (":path", CHAT), ("content-length", &length)];
    let (mut session, _) = begin(&two_providers(), &headers, false);
    let (status, body) = reply(send(&mut session, body, false));
    let message = "The body is not valid JSON: the body ends before its JSON object does at byte \
                   offset 20.";
    assert_eq!((status, body), (400, openai(message, "null", "invalid_json")));
}

#[test]
fn a_fault_after_the_model_is_refused_late() {
    let mut session = post(&two_providers(), CHAT);
    forwarded(send(&mut session, r#"{"model":"q:a","#, false));
    let (status, body) = reply(send(&mut session, r#""model":"b"}"#, false));
    let message = "The body cannot be routed: a second 'model' at byte offset 21.";
    assert_eq!((status, body), (400, openai(message, "\"model\"", "duplicate_model")));
    assert!(session.provider().is_none());
    assert_eq!(
        session.advance(&Memory::default(), true),
        RequestAction::Hold,
        "nothing more goes on"
    );
}

#[test]
fn an_object_without_a_model_leaves_when_it_ends() {
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(send(&mut session, r#"{"a":1"#, false), RequestAction::Hold);
    let outgoing = forwarded(send(&mut session, "}", false));
    assert_eq!(outgoing.edit, None);
    assert_eq!(session.provider().unwrap().name, "p");
    assert_eq!(reply(send(&mut session, "x", false)).0, 400);
}

#[test]
fn trailers_end_a_body() {
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(send(&mut session, r#"{"a":1"#, false), RequestAction::Hold);
    assert_eq!(reply(session.advance(&Memory::default(), true)).0, 400);
}

#[test]
fn a_request_without_a_model_goes_to_the_default_provider_or_is_refused() {
    let mut session = post(&two_providers(), CHAT);
    forwarded(send(&mut session, "{}", true));
    let strict = gateway(r#"{"providers":{"p":{"url":"http://a"}}}"#);
    let mut session = post(&strict, CHAT);
    let message = "The request names no 'model', and this gateway has no default provider.";
    let expected = (404, openai(message, "\"model\"", "model_not_found"));
    assert_eq!(reply(send(&mut session, "{}", true)), expected);
    let mut session = post(&strict, CHAT);
    let message = "The model 'gpt-4o' does not exist: no provider of this gateway takes it. GET \
                   /v1/models lists the models.";
    let expected = (404, openai(message, "\"model\"", "model_not_found"));
    assert_eq!(reply(send(&mut session, r#"{"model":"gpt-4o"}"#, true)), expected);
    let (_, action) = begin(&strict, &[(":method", "GET"), (":path", "/v1/files?a=b")], true);
    let expected = (404, openai("Unknown URL: GET /v1/files.", "null", "unknown_url"));
    assert_eq!(reply(action), expected);
}

#[test]
fn models_without_a_usable_name_are_refused() {
    for (model, message, code) in [
        ("", "The 'model' is empty.", "invalid_model"),
        ("a\\nb", "The 'model' has a control character.", "invalid_model"),
        ("a\\u0085", "The 'model' has a control character.", "invalid_model"),
        (
            "q:",
            "The model 'q:' is a namespace with nothing after it; write a model's name there.",
            "missing_model",
        ),
    ] {
        let mut session = post(&two_providers(), CHAT);
        let action = send(&mut session, &format!("{{\"model\":\"{model}\"}}"), true);
        assert_eq!(reply(action), (400, openai(message, "\"model\"", code)), "{model}");
    }
}

#[test]
fn a_body_beyond_the_limit_is_not_held() {
    let mut session = post(&two_providers(), CHAT);
    let filler = format!("{{\"x\":\"{}", "y".repeat(1018));
    assert_eq!(send(&mut session, &filler, false), RequestAction::Hold);
    let (status, body) = reply(send(&mut session, "y", false));
    let message = "The body's first 1024 bytes hold no 'model'; send 'model' before the long \
                   parts, or raise body_limit_bytes.";
    assert_eq!((status, body), (413, openai(message, "null", "request_too_large")));
    // The model's place counts, and not the place of the piece with the model.
    let filler = format!("{{\"x\":\"{}\"", "y".repeat(1000));
    let with = |model: &str| format!("{filler},\"model\":\"{model}\",\"z\":\"after\"}}");
    let mut session = post(&two_providers(), CHAT);
    forwarded(send(&mut session, &with("abc"), false));
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(reply(send(&mut session, &with("abcdefgh"), false)).0, 413);
}

#[test]
fn bodies_that_cannot_be_read_are_refused_at_once() {
    let chat = [(":method", "POST"), (":path", CHAT)];
    let (_, action) = begin(&two_providers(), &chat, true);
    let message = "The request has no body; send a JSON object with a 'model'.";
    assert_eq!(reply(action), (400, openai(message, "null", "invalid_json")));
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(
        reply(session.advance(&Memory::default(), true)),
        (400, openai(message, "null", "invalid_json"))
    );
    let (_, action) =
        begin(&two_providers(), &[chat[0], chat[1], ("content-encoding", "br")], false);
    assert_eq!(reply(action).0, 415);
}

#[test]
fn a_model_that_a_provider_could_read_elsewhere_is_refused() {
    for query in ["model=b", "a=1&model", "mod%65l=b", "%6D%6f%64%65%6c=b", "a;model=b", "Model=b"]
    {
        let path = format!("{CHAT}?{query}");
        let (_, action) = begin(&two_providers(), &[(":method", "POST"), (":path", &path)], false);
        let message = "The URL's query names a 'model' too; name it in the body alone.";
        let expected = (400, openai(message, "\"model\"", "duplicate_model"));
        assert_eq!(reply(action), expected, "{query}");
    }
    for query in ["", "models=b", "a=model", "model%3Db", "mod%6=1", "%"] {
        post(&two_providers(), &format!("{CHAT}?{query}"));
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    let (_, action) = begin(&two_providers(), &[(":method", "POST"), (":path", CHAT), form], false);
    assert_eq!(reply(action).0, 415);
}

#[test]
fn a_path_that_another_server_could_read_differently_is_not_passed_on() {
    let all = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    for (method, path, status, code, message) in [
        (
            "POST",
            "/v1/chat%2fcompletions",
            400,
            "ambiguous_path",
            "Another server could read the path as /v1/chat/completions, which names a model; \
             write it exactly so.",
        ),
        (
            "GET",
            "/v1/files/..%2F..%2Fkey",
            400,
            "ambiguous_path",
            "Another server could read a path outside the API; write the path without '..' and \
             '%2E'.",
        ),
        (
            "POST",
            "/openai/deployments/a%2f%2fb/embeddings",
            400,
            "ambiguous_path",
            "Another server could read another model in the path; write the name without dots as \
             segments, '//', ';', '?', '#', '%25' and '\\\\'.",
        ),
        (
            "POST",
            "/key/x%0a",
            400,
            "ambiguous_path",
            "The path has a control character; leave it out.",
        ),
        (
            "POST",
            "/v1/files/../../../key",
            400,
            "ambiguous_path",
            "The path leads above its root; write it without '..'.",
        ),
        (
            "TRACE",
            "/v1/files",
            405,
            "method_not_allowed",
            &format!("The path does not take TRACE; use {}.", all.replace(", ", " or ")),
        ),
        (
            "PUT",
            "/v1/embeddings",
            405,
            "method_not_allowed",
            "The path does not take PUT; use POST.",
        ),
    ] {
        let (_, action) = begin(&two_providers(), &[(":method", method), (":path", path)], true);
        if let (405, RequestAction::Reply(reply)) = (status, &action) {
            let allowed = if method == "PUT" { "POST" } else { all };
            assert_eq!(reply.headers, [("allow", allowed.to_owned())]);
        }
        assert_eq!(reply(action), (status, openai(message, "null", code)), "{path}");
    }
}

#[test]
fn base_paths_are_stripped() {
    let mut session = post(&two_providers(), "/api/litellm/v1/chat/completions?a=b");
    let to_p = forwarded(send(&mut session, r#"{"model":"x"}"#, true));
    assert_eq!(to_p.path.as_deref(), Some("/v1/chat/completions?a=b"));
    let get = |path| begin(&two_providers(), &[(":method", "GET"), (":path", path)], true);
    assert_eq!(forwarded(get("/api/litellm/key/info").1).path.as_deref(), Some("/key/info"));
    assert_eq!(forwarded(get("/v1/files").1).path, None);
    let only = gateway(
        r#"{"default_provider":"p","base_paths":["/x"],"providers":{"p":{"url":"http://a"}}}"#,
    );
    let (_, action) = begin(&only, &[(":method", "GET"), (":path", "/v1/models")], true);
    assert_eq!(reply(action).0, 404);
    let (_, action) = begin(&only, &[(":method", "GET"), (":path", "/healthz")], true);
    assert_eq!(reply(action), (200, r#"{"status":"ok"}"#.to_owned()));
}

#[test]
fn messages_get_anthropics_errors() {
    let mut session = post(&two_providers(), "/v1/messages");
    let (status, body) = reply(send(&mut session, "[]", false));
    let expected = "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\
                    \"The body is not valid JSON: expected a JSON object at byte offset 0.\"}}";
    assert_eq!((status, body.as_str()), (400, expected));
}

#[test]
fn the_gateways_key_goes_only_to_paths_of_the_api() {
    for (path, expected) in [
        ("/v1/files", true),
        ("/api/litellm/v1/files?a=b", true),
        ("/v1", false),
        ("/v1/mcp/server", false),
        ("/key/generate", false),
        ("/api/litellm/key/generate", false),
        ("/v1beta/files", true),
        ("/v1beta/keys", false),
        ("/x/v1/files", false),
    ] {
        let (_, action) = begin(&two_providers(), &[(":method", "POST"), (":path", path)], true);
        assert_eq!(forwarded(action).credentials.is_some(), expected, "{path}");
    }
}

#[test]
fn a_body_without_a_model_passes_unread() {
    let headers = [(":method", "POST"), (":path", "/v1/files"), ("authorization", "Bearer c")];
    let (mut session, action) = begin(&two_providers(), &headers, false);
    let outgoing = forwarded(action);
    assert_eq!(outgoing.credentials.unwrap().names().collect::<Vec<_>>(), ["authorization"]);
    assert!(matches!(session.phase, Phase::Passing));
    assert_eq!(send(&mut session, "not json", true), RequestAction::Continue);
}

/// Begins a request without a body.
fn get(gateway: &Rc<Gateway>, path: &str) -> RequestAction {
    begin(gateway, &[(":method", "GET"), (":path", path)], true).1
}

#[test]
fn a_namespace_is_stripped_in_the_path_and_in_the_body() {
    for (body, edit) in [
        (r#"{"messages":[]}"#, None),
        (r#"{"model":"xyz"}"#, None),
        (r#"{"model":"other"}"#, Some(Edit { start: 10, end: 15, with: b"xyz".to_vec() })),
    ] {
        let mut session = post(&two_providers(), "/openai/deployments/q:xyz/embeddings?v=1");
        let outgoing = forwarded(send(&mut session, body, true));
        assert_eq!(session.provider().unwrap().name, "q");
        assert_eq!(outgoing.path.as_deref(), Some("/base/openai/deployments/xyz/embeddings?v=1"));
        assert_eq!(outgoing.edit, edit, "{body}");
    }
}

#[test]
fn a_query_may_name_the_model_of_the_path_again_where_the_name_stays() {
    let gateway = two_providers();
    for query in ["deployment=m&v=1", "v=1&model=%6d"] {
        forwarded(get(&gateway, &format!("/openai/deployments/m/realtime?{query}")));
    }
    for path in [
        "/openai/deployments/m/realtime?deployment=q:x",
        "/openai/deployments/m/realtime?Deployment=m",
        "/openai/deployments/m/realtime?deployment=m&model=n",
        "/openai/deployments/m/realtime?deployment=m&deployment=m",
        "/openai/deployments/q:m/realtime?deployment=q:m",
        "/openai/deployments/q:m/realtime?deployment=m",
    ] {
        let (status, body) = reply(get(&gateway, path));
        assert_eq!(status, 400, "{path}");
        assert!(body.contains("\"duplicate_model\""), "{path}: {body}");
    }
}

#[test]
fn a_model_in_the_path_needs_no_body() {
    let path = "/v1/engines/q%3Aa%2Fb/completions";
    let (_, action) = begin(&two_providers(), &[(":method", "POST"), (":path", path)], true);
    assert_eq!(forwarded(action).path.as_deref(), Some("/base/v1/engines/a%2Fb/completions"));
    let path = "/v1beta/models/q:a/b:streamGenerateContent?alt=sse&key=client";
    let mut session = post(&two_providers(), path);
    let expected = "/base/v1beta/models/a/b:streamGenerateContent?alt=sse";
    let outgoing = forwarded(send(&mut session, r#"{"contents":[]}"#, true));
    assert_eq!((outgoing.path.as_deref(), outgoing.edit), (Some(expected), None));
    let path = "/v1/models/q:m";
    let (session, action) =
        begin(&two_providers(), &[(":method", "DELETE"), (":path", path)], false);
    assert_eq!(forwarded(action).path.as_deref(), Some("/base/v1/models/m"));
    assert!(matches!(session.phase, Phase::Passing));
}

#[test]
fn geminis_body_names_the_model_as_a_resource() {
    for (path, body, sent) in [
        (
            "q:e:embedContent",
            r#"{"model":"models/q:e","content":1}"#,
            r#"{"model":"models/e","content":1}"#,
        ),
        ("q:e:embedContent", r#"{"model":"models\/q:e"}"#, r#"{"model":"models/e"}"#),
        ("q:e:embedContent", r#"{"model":"models/e"}"#, r#"{"model":"models/e"}"#),
        ("q:e:embedContent", r#"{"model":"other"}"#, r#"{"model":"e"}"#),
        (
            "q:e:countTokens",
            r#"{"contents":[{"args":{"model":"T"}}]}"#,
            r#"{"contents":[{"args":{"model":"T"}}]}"#,
        ),
        (
            "e:batchEmbedContents",
            r#"{"requests":[{"model":"models/e"}]}"#,
            r#"{"requests":[{"model":"models/e"}]}"#,
        ),
        (
            "e:generateContent",
            r#"{"contents":[{"model":"models/x"}]}"#,
            r#"{"contents":[{"model":"models/x"}]}"#,
        ),
    ] {
        let mut session = post(&two_providers(), &format!("/v1beta/models/{path}"));
        let outgoing = forwarded(send(&mut session, body, true));
        let seen = outgoing.edit.map(|edit| edit.apply(body.into()));
        assert_eq!(String::from_utf8(seen.unwrap_or(body.into())).unwrap(), sent, "{path}");
    }
    let mut session = post(&two_providers(), "/v1beta/cachedContents");
    let outgoing = forwarded(send(&mut session, r#"{"model":"models/q:e"}"#, true));
    assert_eq!(outgoing.edit, Some(Edit { start: 10, end: 20, with: b"models/e".to_vec() }));
    assert_eq!(session.provider().unwrap().name, "q");
}

#[test]
fn a_model_in_an_object_that_would_have_to_change_is_refused() {
    let said = |model: &str| {
        let message = format!(
            "An object in the body names the model '{model}', which this gateway does not change \
             there; write a name that needs no change: the one that the provider knows."
        );
        (400, openai(&message, "\"model\"", "unread_model"))
    };
    for (path, body, model) in [
        (
            "/v1beta/models/q:e:batchEmbedContents",
            r#"{"requests":[{"model":"models/q:e"}]}"#,
            "models/q:e",
        ),
        (
            "/v1beta/models/q:e:batchEmbedContents",
            r#"{"requests":[{"model":"models/e"}]}"#,
            "models/e",
        ),
        (
            "/v1beta/models/e:batchEmbedContents",
            r#"{"requests":[{"model":"models/x"}]}"#,
            "models/x",
        ),
        (
            "/v1beta/models/e:countTokens",
            r#"{"generateContentRequest":{"model":"models/x"}}"#,
            "models/x",
        ),
        (
            "/v1/models/q:e:countTokens",
            r#"{"generateContentRequest":{"model":"models/q:e"}}"#,
            "models/q:e",
        ),
    ] {
        let mut session = post(&two_providers(), path);
        let (status, body) = reply(send(&mut session, body, true));
        let message = format!("An object in the body names the model '{model}', which");
        assert!(status == 400 && body.contains(&message), "{path}: {body}");
    }
    for (model, is_known) in [("x", true), ("q:x", false), ("p:x", false), ("", false)] {
        let mut session = begin(
            &two_providers(),
            &[(":method", "POST"), (":path", "/v1/evals"), ("authorization", "c")],
            false,
        );
        assert!(matches!(session.1, RequestAction::Forward(_)), "the body streams");
        let body = format!(r#"{{"data_source":{{"model":"{model}"}}}}"#);
        match send(&mut session.0, &body, true) {
            RequestAction::Continue => assert!(is_known, "{model}"),
            action => {
                assert!(!is_known, "{model}");
                assert_eq!(reply(action), said(model));
            }
        }
    }
}

#[test]
fn a_websocket_of_responses_names_its_model_in_the_url() {
    let path = |query| format!("/v1/responses{query}");
    let action = get(&two_providers(), &path("?model=q:m"));
    assert_eq!(forwarded(action).path.as_deref(), Some("/base/v1/responses?model=m"));
    let message = "The WebSocket's URL names no 'model'; use HTTP, or write ?model= into the URL.";
    let expected = (426, openai(message, "null", "websocket_model"));
    assert_eq!(reply(get(&two_providers(), &path(""))), expected);
    let action = get(&two_providers(), "/openai/realtime?api-version=1&deployment=q:m");
    let expected = "/base/openai/realtime?api-version=1&deployment=m";
    assert_eq!(forwarded(action).path.as_deref(), Some(expected));
}

#[test]
fn a_content_type_is_ascii_where_the_body_is_read() {
    let odd = ("content-type", "\u{a0}application/x-www-form-urlencoded");
    let (_, action) = begin(&two_providers(), &[(":method", "POST"), (":path", CHAT), odd], false);
    let message = "The content-type is not a media type in ASCII, or has a space before it; send application/json.";
    assert_eq!(reply(action), (415, openai(message, "null", "unsupported_media_type")));
    let (_, action) =
        begin(&two_providers(), &[(":method", "POST"), (":path", "/v1/files"), odd], false);
    forwarded(action);
}

#[test]
fn a_credential_in_a_query_passes_with_the_others() {
    let path = "/v1beta/models/p:a:countTokens?key=client";
    let (_, action) = begin(&two_providers(), &[(":method", "POST"), (":path", path)], true);
    let expected = "/v1beta/models/a:countTokens?key=client";
    assert_eq!(forwarded(action).path.as_deref(), Some(expected));
}

#[test]
fn a_namespace_is_stripped_in_the_query() {
    let action = get(&two_providers(), "/v1/realtime?a=b&model=q%3Ax%2By");
    assert_eq!(forwarded(action).path.as_deref(), Some("/base/v1/realtime?a=b&model=x%2By"));
    assert_eq!(
        forwarded(get(&two_providers(), "/v1/realtime?model=p%3A5")).path.as_deref(),
        Some("/v1/realtime?model=5")
    );
    assert_eq!(forwarded(get(&two_providers(), "/v1/realtime?call_id=c")).path, None);
    for query in [
        "model=a&model=b",
        "model=a&mod%65l=b",
        "model=a;b",
        "x;model=a",
        "Model=a",
        "model=a&MODEL=b",
        "model=a&deployment=b",
    ] {
        let (status, body) = reply(get(&two_providers(), &format!("/v1/realtime?{query}")));
        assert!(status == 400 && body.contains("duplicate_model"), "{query}: {body}");
    }
    let (_, body) = reply(get(&two_providers(), "/v1/realtime?model=%ff"));
    assert_eq!(body, openai("The 'model' in the URL is not UTF-8.", "\"model\"", "invalid_model"));
}

#[test]
fn a_form_is_read_only_where_an_endpoint_takes_forms() {
    let form = ("content-type", "multipart/form-data; boundary=b");
    let begin_at = |path, content_type| {
        begin(&two_providers(), &[(":method", "POST"), (":path", path), content_type], false)
    };
    let (mut session, _) = begin_at("/v1/audio/transcriptions", form);
    let part = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nq:whisper\r\n";
    let action = send(&mut session, &format!("{part}--b--\r\n"), false);
    let start = part.find("q:").unwrap() as u64;
    let edit = Edit { start, end: start + 9, with: b"whisper".to_vec() };
    assert_eq!(forwarded(action).edit, Some(edit));
    let (status, body) = reply(begin_at(CHAT, form).1);
    assert!(status == 415 && body.contains("unsupported_media_type"), "{body}");
    let without = ("content-type", "multipart/form-data");
    let (status, body) = reply(begin_at("/v1/images/edits", without).1);
    assert!(status == 400 && body.contains("invalid_form"), "{body}");
    let (mut session, _) = begin_at("/v1/images/edits", form);
    let (status, body) = reply(send(&mut session, "--b\n", false));
    assert!(status == 400 && body.contains("The body is not a valid form: "), "{body}");
}

#[test]
fn an_optional_body_may_be_empty() {
    let run = [(":method", "POST"), (":path", "/v1/threads/t/runs")];
    forwarded(begin(&two_providers(), &run, true).1);
    let mut session = post(&two_providers(), "/v1/threads/t/runs");
    forwarded(session.advance(&Memory::default(), true));
}

#[test]
fn a_404_names_the_model_that_was_probably_meant() {
    let gateway = gateway(r#"{"providers":{"p":{"url":"http://a","models":["gpt-4o-mini"]}}}"#);
    let mut session = post(&gateway, CHAT);
    let message = "The model 'gpt-4o-mimi' does not exist: no provider of this gateway takes it. Did you mean \
                   'p:gpt-4o-mini'? GET /v1/models lists the models.";
    let expected = (404, openai(message, "\"model\"", "model_not_found"));
    assert_eq!(reply(send(&mut session, r#"{"model":"gpt-4o-mimi"}"#, true)), expected);
    let message =
        "The model 'p:gpt-4o-mimi' is not in this gateway's list. Did you mean 'p:gpt-4o-mini'?";
    let expected = (404, openai(message, "\"model\"", "model_not_found"));
    assert_eq!(reply(get(&gateway, "/v1/models/p:gpt-4o-mimi")), expected);
}

#[test]
fn the_gateway_answers_requests_for_lists() {
    let gateway = gateway(
        r#"{"default_provider":"p","aliases":{"fast":"q:m"},"providers":{
            "p":{"url":"http://a","models":["a/b"]},"q":{"url":"http://b","models":["m"]}}}"#,
    );
    let list = reply(get(&gateway, "/v1/models")).1;
    for name in ["\"a/b\"", "\"q:m\"", "\"fast\""] {
        assert!(list.contains(&format!("{{\"id\":{name},\"object\":\"model\"")), "{list}");
    }
    for path in ["/v1/models/a/b", "/v1/models/a%2Fb", "/models/p:a%2fb", "/v1/models/q%3am"] {
        let (status, body) = reply(get(&gateway, path));
        assert!(status == 200 && body.contains("\"object\":\"model\""), "{path}: {body}");
    }
    let (status, body) = reply(get(&gateway, "/v1/models/other"));
    let expected =
        openai("The model 'other' is not in this gateway's list.", "\"model\"", "model_not_found");
    assert_eq!((status, body), (404, expected));
    let anthropic = [(":method", "GET"), (":path", "/v1/models"), ("anthropic-version", "1")];
    let list = reply(begin(&gateway, &anthropic, true).1).1;
    assert!(list.starts_with(r#"{"data":[{"type":"model","id":"a/b""#), "{list}");
    let list = reply(get(&gateway, "/api/models")).1;
    assert!(
        list.starts_with(r#"[{"id":"a/b","name":"a/b","provider":"p","contextWindow":null}"#),
        "{list}"
    );
    let post = [(":method", "POST"), (":path", "/api/models")];
    let answer = reply(begin(&gateway, &post, false).1).1;
    assert!(
        answer.starts_with(r#"{"success":true,"message":""#) && answer.ends_with(r#","count":3}"#),
        "{answer}"
    );
}

#[test]
fn a_body_in_pieces_comes_back_whole_with_its_edit() {
    let pieces = [r#"{"messages":"abc"#, r#"def","mod"#, r#"el":"q:xyz","n":1"#];
    let mut session = post(&two_providers(), CHAT);
    let host = Memory::default();
    let mut forwarded = None;
    for piece in pieces {
        let read = |start: usize, size: usize| piece.as_bytes()[start..start + size].to_vec();
        match session.receive(&host, piece.len(), false, &read) {
            (RequestAction::Hold, splice) => assert_eq!(splice, Default::default()),
            (RequestAction::Forward(_), splice) => {
                let rest = &piece.as_bytes()[splice.replaced..];
                forwarded = Some([&splice.pieces.concat(), rest].concat());
            }
            (other, _) => panic!("{other:?}"),
        }
    }
    let expected = r#"{"messages":"abcdef","model":"xyz","n":1"#;
    assert_eq!(forwarded.as_deref(), Some(expected.as_bytes()));
}

/// `{"model":"q:m"}` in two members of a gzip, which are cut in the middle of the model.
const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\xcd\x4f\x49\xcd\x51\xb2\x52\x2a\x04\x00\x78\x0f\xbe\x81\x0b\x00\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\xca\x55\xaa\x05\x00\x0b\xd4\xdb\x77\x04\x00\x00\x00";

fn gzipped(gateway: &Rc<Gateway>, path: &str, encoding: &str) -> (Session, RequestAction) {
    let headers = [(":method", "POST"), (":path", path), ("content-encoding", encoding)];
    begin(gateway, &headers, false)
}

/// Lets the body come in two pieces, the second with the end.
fn receive(session: &mut Session, body: &[u8], cut: usize) -> (RequestAction, crate::body::Splice) {
    let (first, second) = body.split_at(cut);
    let read = |piece: &[u8], start: usize, size: usize| {
        piece.get(start..).map(|rest| rest.get(..size).unwrap_or(rest).to_vec()).unwrap_or_default()
    };
    let host = Memory::default();
    let (action, splice) =
        session.receive(&host, first.len(), false, &|start, size| read(first, start, size));
    if action != RequestAction::Hold {
        return (action, splice);
    }
    assert_eq!(splice, crate::body::Splice::default());
    session.receive(&host, second.len(), true, &|start, size| read(second, start, size))
}

#[test]
fn a_compressed_body_is_read_as_its_plain_text() {
    for encoding in ["gzip", "X-GZIP"] {
        for cut in 0..GZIPPED.len() {
            let (mut session, action) = gzipped(&two_providers(), CHAT, encoding);
            assert_eq!(action, RequestAction::Hold);
            let (action, splice) = receive(&mut session, GZIPPED, cut);
            let outgoing = forwarded(action);
            assert_eq!((outgoing.is_decompressed, outgoing.content_length), (true, Some(13)));
            assert_eq!(splice.pieces.concat(), br#"{"model":"m"}"#);
            assert_eq!(splice.replaced, GZIPPED.len() - cut, "all that is in Envoy's buffer");
        }
    }
}

#[test]
fn a_compressed_body_that_is_not_whole_is_refused() {
    let cases = [
        (&GZIPPED[..GZIPPED.len() - 1], 400, "ends before its end"),
        (&[GZIPPED, b"x"].concat(), 400, "ends before its end"),
        (&[GZIPPED, &[b'x'; 20]].concat(), 400, "not what content-encoding says"),
        (br#"{"model":"q:m"}"#, 400, "not what content-encoding says"),
        (b"", 400, "has no body"),
        // Held compressed, it is longer than body_limit_bytes.
        (&[b'x'; 1025][..], 413, "more than 1024 bytes"),
    ];
    for (body, status, problem) in cases {
        let (mut session, _) = gzipped(&two_providers(), CHAT, "gzip");
        let (got, document) = reply(receive(&mut session, body, 0).0);
        assert!(got == status && document.contains(problem), "{status} {problem}: {document}");
    }
}

#[test]
fn an_encoding_that_is_not_read_is_refused_where_the_body_is_read() {
    let gateway = two_providers();
    for encoding in ["zstd", "br", "compress", "gzip, gzip"] {
        for path in [CHAT, "/v1/messages/batches", "/v1/batches"] {
            assert_eq!(reply(gzipped(&gateway, path, encoding).1).0, 415, "{path} {encoding}");
        }
        for path in ["/v1/files", "/v1/uploads/u/parts", "/key/generate"] {
            forwarded(gzipped(&gateway, path, encoding).1);
        }
    }
    for encoding in ["", " ", "identity", "Identity"] {
        let (mut session, _) = gzipped(&gateway, CHAT, encoding);
        assert!(!forwarded(send(&mut session, r#"{"model":"x"}"#, true)).is_decompressed);
    }
}

/// Shows a session a piece of its body.
fn show(session: &mut Session, host: &Memory, piece: &str, end: bool) -> RequestAction {
    let read = |start, size| piece.bytes().skip(start).take(size).collect();
    session.receive(host, piece.len(), end, &read).0
}

fn held_bytes() -> usize {
    Purpose::Held.pot(|pot| pot.bytes())
}

#[test]
fn only_a_body_that_must_be_held_needs_room() {
    let gateway = two_providers();
    let host = Memory::default();
    let limits = gateway.rooms.held;
    let full = Place::new(Purpose::Held, 1, Client::V4([192, 0, 2, 1]), u64::MAX);
    full.take(limits.client, limits).unwrap();
    host.turn_to(2, Client::V4([192, 0, 2, 1]));
    let mut early = post(&gateway, CHAT);
    forwarded(show(&mut early, &host, r#"{"model":"q:a","x":1}"#, true));
    assert_eq!(held_bytes(), limits.client);
    assert_eq!(host.count_of(Metric::Bound(Bound::ClientShare)), 0);
}

#[test]
fn held_bytes_have_their_room_until_the_request_leaves() {
    let gateway = two_providers();
    let host = Memory::default();
    host.turn_to(7, Client::V4([192, 0, 2, 1]));
    let held = |session: &mut Session| {
        assert_eq!(show(session, &host, r#"{"x":"#, false), RequestAction::Hold);
        assert!(held_bytes() > 5);
    };
    let mut forward = post(&gateway, CHAT);
    held(&mut forward);
    forwarded(show(&mut forward, &host, r#"1,"model":"q:a""#, false));
    assert_eq!(held_bytes(), 0);
    let mut refused = post(&gateway, CHAT);
    held(&mut refused);
    assert_eq!(reply(show(&mut refused, &host, "x", false)).0, 400);
    assert_eq!(held_bytes(), 0);
    let mut leaves = post(&gateway, CHAT);
    held(&mut leaves);
    drop(leaves);
    assert_eq!(held_bytes(), 0);
}

#[test]
fn a_wait_for_the_model_ends_by_its_time_or_for_another_request() {
    let gateway = two_providers();
    for (reject, status, bound) in [
        (Reject::ModelLate, 408, Bound::Model),
        (Reject::NoRoom(Bound::Held), 503, Bound::Held),
        (Reject::NoRoom(Bound::ClientShare), 503, Bound::ClientShare),
    ] {
        let host = Memory::at(1000);
        host.turn_to(7, Client::Unknown);
        let mut session = post(&gateway, CHAT);
        assert_eq!(show(&mut session, &host, r#"{"x":"#, false), RequestAction::Hold);
        host.set_clock(60_999);
        assert!(Purpose::Held.pot(|pot| pot.late(host.now_ms())).is_empty());
        host.set_clock(61_000);
        assert_eq!(Purpose::Held.pot(|pot| pot.late(host.now_ms())), [7]);
        assert_eq!(session.end_waiting(&host, &reject).status, status);
        assert_eq!(host.count_of(Metric::Bound(bound)), 1);
        assert_eq!(held_bytes(), 0);
        assert_eq!(show(&mut session, &host, "1", false), RequestAction::Hold);
    }
}

#[test]
fn a_compressed_body_passes_untouched_where_it_is_not_read() {
    for path in ["/v1/files", "/v1/uploads/u/parts", "/key/generate", "/v1/vector_stores"] {
        let (mut session, action) = gzipped(&two_providers(), path, "gzip");
        assert!(!forwarded(action).is_decompressed, "{path}");
        let (action, splice) = receive(&mut session, b"no gzip", 3);
        assert_eq!((action, splice), (RequestAction::Continue, crate::body::Splice::default()));
    }
}

#[test]
fn a_body_for_which_there_is_no_room_is_refused() {
    let gateway = gateway(
        r#"{"body_limit_bytes":1024,"held_limit_bytes":140000,"providers":{"p":{"url":"http://a"}}}"#,
    );
    let host = Memory::default();
    let limits = gateway.rooms.held;
    let small: Vec<_> = (0..limits.client / 64 + 1)
        .map(|number| {
            let place = Place::new(Purpose::Held, number as u32, Client::Unknown, u64::MAX);
            _ = place.take(64, limits);
            place
        })
        .collect();
    host.turn_to(u32::MAX, Client::Unknown);
    let mut session = post(&gateway, CHAT);
    let (status, body) = reply(show(&mut session, &host, r#"{"x":"a"#, false));
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("gateway_busy") && body.contains("of this address"), "{body}");
    assert_eq!(host.count_of(Metric::Bound(Bound::ClientShare)), 1);
    assert_eq!(Purpose::Held.pot(Pot::evicted), []);
    drop(small);
    assert_eq!(held_bytes(), 0);
}

#[test]
fn long_lists_have_room_for_their_time() {
    let models: Vec<_> = (0..200).map(|number| format!("\"model-{number}\"")).collect();
    let gateway = gateway(&format!(
        r#"{{"lists_limit_bytes":30000,"client_share_percent":50,"providers":{{"p":{{"url":"http://a","models":[{}]}}}}}}"#,
        models.join(",")
    ));
    let host = Memory::at(1000);
    let ask = |stream: u32, client: Client, path: &str| {
        host.turn_to(stream, client);
        let headers: Vec<_> = [(":method", "GET"), (":path", path)]
            .map(|(name, value)| (name, value.as_bytes()))
            .to_vec();
        let head = serialized(&headers);
        let (session, action) =
            Session::begin(Rc::clone(&gateway), &host, &Head::parse(&head), true);
        (session, reply(action).0)
    };
    let [one, two] = [1, 2].map(|number| Client::V4([192, 0, 2, number]));
    let first = ask(1, one, "/v1/models");
    assert_eq!((first.1, Purpose::Lists.pot(|pot| pot.bytes()) > 10_000), (200, true));
    // The client's share, then the room of all; short answers need none.
    assert_eq!(ask(2, one, "/v1/models").1, 503);
    assert_eq!(ask(3, one, "/healthz").1, 200);
    assert_eq!(ask(3, one, "/v1/models/p:model-7").1, 200);
    assert_eq!(ask(4, two, "/v1/models").1, 200);
    assert_eq!(ask(5, Client::Unknown, "/v1/models").1, 503);
    assert_eq!(host.count_of(Metric::Bound(Bound::ClientShare)), 1);
    assert_eq!(host.count_of(Metric::Bound(Bound::Lists)), 1);
    // The second list is over, and its time is up; the first stream is not over.
    Purpose::Lists.pot(|pot| pot.expire(1999));
    assert_eq!(ask(6, two, "/v1/models").1, 503);
    Purpose::Lists.pot(|pot| pot.expire(2000));
    assert_eq!(ask(7, two, "/v1/models").1, 200);
    assert_eq!(ask(8, one, "/v1/models").1, 503);
    drop(first);
    Purpose::Lists.pot(|pot| pot.expire(5000));
    assert_eq!(Purpose::Lists.pot(|pot| pot.bytes()), 0);
}

/// The further attempts of a request that went over the hop; `None` where Envoy is not to keep the body.
#[track_caller]
fn crossed(action: RequestAction) -> Option<u32> {
    match action {
        RequestAction::Cross { retries_max, .. } => retries_max,
        other => panic!("not over the hop: {other:?}"),
    }
}

#[test]
fn models_in_the_objects_of_a_compressed_body_are_read() {
    let (mut session, action) = gzipped(&two_providers(), "/v1/messages/batches", "gzip");
    assert_eq!(action, RequestAction::Hold);
    let (status, document) = reply(receive(&mut session, GZIPPED, 0).0);
    assert!(status == 400 && document.contains("does not change there"), "{document}");
}

#[test]
fn a_body_is_kept_where_there_is_room() {
    let gateway = gateway(
        r#"{"body_limit_bytes":1024,"kept_limit_bytes":2048,"client_share_percent":50,"retries":{"max":1},
            "providers":{"p":{"url":"http://a","match":["*"]}}}"#,
    );
    let host = Memory::default();
    let kept = || Purpose::Kept.pot(|pot| pot.bytes());
    let begun = |stream: u32, client: u8, length: Option<&str>| {
        host.turn_to(stream, Client::V4([192, 0, 2, client]));
        let mut headers = vec![(":method", "POST"), (":path", CHAT)];
        headers.extend(length.map(|length| ("content-length", length)));
        begin(&gateway, &headers, false).0
    };
    let body = r#"{"model":"m"}"#;
    // By its length, and by the limit where the length is not known or larger.
    let mut known = begun(1, 1, Some("20"));
    assert_eq!(crossed(show(&mut known, &host, r#"{"model":"m","x":"#, false)), Some(1));
    assert_eq!(kept(), 20);
    let mut open = begun(2, 2, None);
    assert_eq!(crossed(show(&mut open, &host, r#"{"model":"m""#, false)), Some(1));
    assert_eq!(kept(), 20 + 1024);
    let mut long = begun(3, 3, Some("1000000"));
    assert_eq!(crossed(show(&mut long, &host, r#"{"model":"m","#, false)), None);
    assert_eq!((kept(), host.count_of(Metric::Bound(Bound::Kept))), (20 + 1024, 1));
    let mut share = begun(4, 2, Some("13"));
    assert_eq!(crossed(show(&mut share, &host, body, true)), None);
    assert_eq!(host.count_of(Metric::Bound(Bound::ClientShare)), 1);
    // The whole body has come: its length is known.
    assert_eq!(show(&mut open, &host, "}", true), RequestAction::Continue);
    assert_eq!(kept(), 20 + 13);
    let mut whole = begun(5, 2, None);
    assert_eq!(crossed(show(&mut whole, &host, body, true)), Some(1));
    assert_eq!(kept(), 20 + 13 + 13);
    drop((known, open, long, share, whole));
    assert_eq!(kept(), 0);
}
