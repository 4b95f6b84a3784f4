//! Whole requests through a session, as Envoy would show them.

use super::*;
use crate::config::File;
use crate::head::tests::serialized;
use crate::metrics::BreakerState;
use crate::store::Store;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A world in which nothing is shared.
struct World;

impl Store for World {
    fn load(&self, _: &str) -> Option<(Vec<u8>, u32)> {
        None
    }

    fn swap(&self, _: &str, _: &[u8], _: Option<u32>) -> bool {
        true
    }
}

impl Host for World {
    fn now_ms(&self) -> u64 {
        0
    }

    fn count(&self, _: Metric) {}

    fn show_state(&self, _: ProviderId, _: BreakerState) {}
}

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

fn begin(gateway: &Rc<Gateway>, headers: &[(&str, &str)], end: bool) -> (Session, Step) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Session::begin(Rc::clone(gateway), &World, &Head::parse(&serialized(&headers)), end)
}

fn post(gateway: &Rc<Gateway>, path: &str) -> Session {
    let (session, step) = begin(gateway, &[(":method", "POST"), (":path", path)], false);
    assert_eq!(step, Step::Hold);
    session
}

fn send(session: &mut Session, bytes: &str, end: bool) -> Step {
    match session.feed(&World, bytes.as_bytes()) {
        Ok(()) => session.advance(&World, end),
        Err(reply) => Step::Reply(reply),
    }
}

#[track_caller]
fn release(step: Step) -> Release {
    match step {
        Step::Release(release) => release,
        other => panic!("no release: {other:?}"),
    }
}

/// Status, and the document.
#[track_caller]
fn reply(step: Step) -> (u32, String) {
    match step {
        Step::Reply(reply) => (reply.status, reply.body),
        other => panic!("no reply: {other:?}"),
    }
}

fn openai(message: &str, param: &str, code: &str) -> String {
    format!(
        r#"{{"error":{{"message":"{message}","type":"invalid_request_error","param":{param},"code":"{code}"}}}}"#
    )
}

#[test]
fn the_request_is_released_as_soon_as_its_model_is_there() {
    let gateway = two_providers();
    let mut session = post(&gateway, CHAT);
    assert_eq!(send(&mut session, r#"{"n":1,"model":"q:x"#, false), Step::Hold);
    assert!(session.holds_body());
    let release = release(send(&mut session, r#"yz", "messages":["#, false));
    assert_eq!(session.provider().unwrap().name, "q");
    assert_eq!(release.edit, Some(Edit { start: 16, end: 21, with: b"xyz".to_vec() }));
    assert_eq!(release.path.as_deref(), Some("/base/v1/chat/completions"));
    assert_eq!(release.content_length, None);
    assert!(!session.holds_body());
    assert_eq!(send(&mut session, "]}", false), Step::Continue);
    assert_eq!(send(&mut session, "", true), Step::Continue);
}

#[test]
fn an_unchanged_model_is_no_edit() {
    let mut session = post(&two_providers(), CHAT);
    let release = release(send(&mut session, r#"{"model":"llama3.2:latest"}"#, true));
    assert_eq!((release.edit, release.path, release.content_length), (None, None, None));
}

#[test]
fn the_content_length_follows_the_edit() {
    let body = r#"{"model":"q:a\"b"}"#;
    let length = body.len().to_string();
    let headers = [(":method", "POST"), (":path", CHAT), ("content-length", &length)];
    let (mut session, _) = begin(&two_providers(), &headers, false);
    let release = release(send(&mut session, body, false));
    assert_eq!(release.edit.unwrap().with, br#"a\"b"#);
    assert_eq!(release.content_length, Some(body.len() as u64 - 2));
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
fn what_is_wrong_behind_the_model_is_refused_late() {
    let mut session = post(&two_providers(), CHAT);
    release(send(&mut session, r#"{"model":"q:a","#, false));
    let (status, body) = reply(send(&mut session, r#""model":"b"}"#, false));
    let message = "The body cannot be routed: a second 'model' at byte offset 21.";
    assert_eq!((status, body), (400, openai(message, "\"model\"", "duplicate_model")));
    assert!(session.provider().is_none());
    assert_eq!(session.advance(&World, true), Step::Hold, "nothing more goes on");
}

#[test]
fn an_object_without_a_model_is_released_when_it_ends() {
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(send(&mut session, r#"{"a":1"#, false), Step::Hold);
    let release = release(send(&mut session, "}", false));
    assert_eq!(release.edit, None);
    assert_eq!(session.provider().unwrap().name, "p");
    assert_eq!(reply(send(&mut session, "x", false)).0, 400);
}

#[test]
fn trailers_end_a_body_that_had_no_end() {
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(send(&mut session, r#"{"a":1"#, false), Step::Hold);
    assert_eq!(reply(session.advance(&World, true)).0, 400);
}

#[test]
fn no_model_goes_to_the_default_provider_or_nowhere() {
    let mut session = post(&two_providers(), CHAT);
    release(send(&mut session, "{}", true));
    let strict = gateway(r#"{"providers":{"p":{"url":"http://a"}}}"#);
    let mut session = post(&strict, CHAT);
    let message = "The request names no 'model', and this gateway has no default provider.";
    let expected = (404, openai(message, "\"model\"", "model_not_found"));
    assert_eq!(reply(send(&mut session, "{}", true)), expected);
    let mut session = post(&strict, CHAT);
    let message = "The model 'gpt-4o' does not exist: no provider of this gateway takes it.";
    let expected = (404, openai(message, "\"model\"", "model_not_found"));
    assert_eq!(reply(send(&mut session, r#"{"model":"gpt-4o"}"#, true)), expected);
    let (_, step) = begin(&strict, &[(":method", "GET"), (":path", "/v1/files?a=b")], true);
    let expected = (404, openai("Unknown URL: GET /v1/files.", "null", "unknown_url"));
    assert_eq!(reply(step), expected);
}

#[test]
fn models_without_a_usable_name_are_refused() {
    for (model, message, code) in [
        ("", "The 'model' is empty.", "invalid_model"),
        ("a\\nb", "The 'model' has a control character.", "invalid_model"),
        ("a\\u0085", "The 'model' has a control character.", "invalid_model"),
        (
            "q:",
            "The model 'q:' is a namespace with nothing behind it; write a model's name there.",
            "missing_model",
        ),
    ] {
        let mut session = post(&two_providers(), CHAT);
        let step = send(&mut session, &format!("{{\"model\":\"{model}\"}}"), true);
        assert_eq!(reply(step), (400, openai(message, "\"model\"", code)), "{model}");
    }
}

#[test]
fn more_than_the_limit_is_not_held() {
    let mut session = post(&two_providers(), CHAT);
    let filler = format!("{{\"x\":\"{}", "y".repeat(1018));
    assert_eq!(send(&mut session, &filler, false), Step::Hold);
    let (status, body) = reply(send(&mut session, "y", false));
    let message = "The body's first 1024 bytes hold no 'model'; send 'model' before the long \
                   parts, or raise body_limit_bytes.";
    assert_eq!((status, body), (413, openai(message, "null", "request_too_large")));
    // It is the model's own place that counts, not that of the piece it comes in.
    let filler = format!("{{\"x\":\"{}\"", "y".repeat(1000));
    let with = |model: &str| format!("{filler},\"model\":\"{model}\",\"z\":\"behind\"}}");
    let mut session = post(&two_providers(), CHAT);
    release(send(&mut session, &with("abc"), false));
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(reply(send(&mut session, &with("abcdefgh"), false)).0, 413);
}

#[test]
fn bodies_that_cannot_be_read_are_refused_at_once() {
    let chat = [(":method", "POST"), (":path", CHAT)];
    let (_, step) = begin(&two_providers(), &chat, true);
    let message = "The request has no body; send a JSON object with a 'model'.";
    assert_eq!(reply(step), (400, openai(message, "null", "invalid_json")));
    let mut session = post(&two_providers(), CHAT);
    assert_eq!(
        reply(session.advance(&World, true)),
        (400, openai(message, "null", "invalid_json"))
    );
    let (_, step) = begin(&two_providers(), &[chat[0], chat[1], ("content-encoding", "br")], false);
    assert_eq!(reply(step).0, 415);
}

#[test]
fn a_model_that_a_provider_could_read_elsewhere_is_refused() {
    for query in ["model=b", "a=1&model", "mod%65l=b", "%6D%6f%64%65%6c=b", "a;model=b"] {
        let path = format!("{CHAT}?{query}");
        let (_, step) = begin(&two_providers(), &[(":method", "POST"), (":path", &path)], false);
        let message = "The URL's query names a 'model' too; name it in the body alone.";
        let expected = (400, openai(message, "\"model\"", "duplicate_model"));
        assert_eq!(reply(step), expected, "{query}");
    }
    for query in ["", "models=b", "a=model", "model%3Db", "mod%6=1", "%"] {
        post(&two_providers(), &format!("{CHAT}?{query}"));
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    let (_, step) = begin(&two_providers(), &[(":method", "POST"), (":path", CHAT), form], false);
    assert_eq!(reply(step).0, 415);
}

#[test]
fn what_another_server_could_read_otherwise_is_not_passed_on() {
    for (method, path) in [
        ("POST", "/v1/chat%2fcompletions"),
        ("POST", "/v1/..%2Fkey/generate"),
        ("GET", "/v1/models/..%2fkey"),
        ("TRACE", "/v1/files"),
    ] {
        let (_, step) = begin(&two_providers(), &[(":method", method), (":path", path)], true);
        assert_eq!(reply(step).0, 404, "{path}");
    }
    let escaped = [(":method", "GET"), (":path", "/v1/models/openai%2Fgpt-4o")];
    assert!(release(begin(&two_providers(), &escaped, true).1).replaces.is_some());
}

#[test]
fn base_paths_are_taken_off() {
    let mut session = post(&two_providers(), "/api/litellm/v1/chat/completions?a=b");
    let to_p = release(send(&mut session, r#"{"model":"x"}"#, true));
    assert_eq!(to_p.path.as_deref(), Some("/v1/chat/completions?a=b"));
    let get = |path| begin(&two_providers(), &[(":method", "GET"), (":path", path)], true);
    assert_eq!(release(get("/api/litellm/key/info").1).path.as_deref(), Some("/key/info"));
    assert_eq!(release(get("/v1/models").1).path, None);
    let only = gateway(
        r#"{"default_provider":"p","base_paths":["/x"],"providers":{"p":{"url":"http://a"}}}"#,
    );
    let (_, step) = begin(&only, &[(":method", "GET"), (":path", "/v1/models")], true);
    assert_eq!(reply(step).0, 404);
    let (_, step) = begin(&only, &[(":method", "GET"), (":path", "/healthz")], true);
    assert_eq!(reply(step), (200, r#"{"status":"ok"}"#.to_owned()));
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
fn the_gateways_key_goes_to_the_api_alone() {
    for (path, expected) in [
        ("/v1/files", true),
        ("/api/litellm/v1/files?a=b", true),
        ("/v1", false),
        ("/v1/mcp/server", false),
        ("/key/generate", false),
        ("/api/litellm/key/generate", false),
        ("/v1beta/models", false),
        ("/x/v1/files", false),
    ] {
        let (_, step) = begin(&two_providers(), &[(":method", "POST"), (":path", path)], true);
        assert_eq!(release(step).replaces.is_some(), expected, "{path}");
    }
}

#[test]
fn what_has_no_model_passes_unread() {
    let headers = [(":method", "POST"), (":path", "/v1/files"), ("authorization", "Bearer c")];
    let (mut session, step) = begin(&two_providers(), &headers, false);
    let release = release(step);
    assert_eq!(release.replaces.unwrap().names().collect::<Vec<_>>(), ["authorization"]);
    assert!(!session.reads_body());
    assert_eq!(send(&mut session, "not json", true), Step::Continue);
}
