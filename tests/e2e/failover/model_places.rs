//! Requests that name their model elsewhere than in a JSON body.

use super::attempts::{Step, assert_arrived};
use super::fault::Fault::{Good, Status};
use super::fleet::{Fleet, with_headers};
use crate::kit::client::{CLIENTS, Request};
use crate::kit::upstream::Framing;

const STEPS: &[Step] =
    &[("one:pair", Status(500)), ("one:pair", Status(503)), ("two:second", Good)];

/// The provider's base path, and the model, at each attempt.
const ATTEMPTS: [(&str, &str); 3] =
    [("/one", "pair"), ("/one", "pair"), ("/a/longer/path/to/two", "second")];

/// Sends the request for a model, and fails unless each attempt has the path and body of its provider.
fn arrives(name: &str, kind: &str, request: impl Fn(&str) -> (String, Vec<u8>)) {
    let fleet = Fleet::shared();
    let (path, body) = request("one:pair");
    for client in CLIENTS {
        let case = format!("{name} {client:?}");
        let _pumps = fleet.script(&case, STEPS, false);
        let mut sent = with_headers(Request::post(&path, &body)).case(&case);
        sent.headers.0.retain(|(name, _)| name != "content-type");
        let response = client.send(&fleet.gateway, &sent.header("content-type", kind));
        assert_eq!(response.status, 200, "{case}: {}", response.text());
        assert_eq!(response.headers.all("x-gaud-attempts"), ["3"], "{case}");
        let attempts = fleet.attempts(&case);
        assert_eq!(attempts.len(), 3, "{case}");
        for ((member, seen), (root, model)) in attempts.iter().zip(ATTEMPTS) {
            let (path, body) = request(model);
            assert_eq!(seen.path, format!("{root}{path}"), "{case}");
            assert_arrived(&case, member, seen, &body);
            assert_eq!(seen.header("content-type").as_deref(), Some(kind), "{case}");
        }
    }
    fleet.gateway.assert_no_trap();
}

#[test]
fn a_form_is_edited_for_every_attempt() {
    for path in ["/v1/audio/transcriptions", "/v1/images/edits"] {
        arrives(path, "multipart/form-data; boundary=x", |model| {
            let file = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n";
            let field = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
            let pad = "one:pair \u{0} model ".repeat(1000);
            let body = format!("{field}{model}\r\n{file}\r\n{pad}\r\n--x--\r\n");
            (path.to_owned(), body.into_bytes())
        });
    }
}

#[test]
fn a_form_with_its_model_last_is_edited_for_every_attempt() {
    arrives("model last", "multipart/form-data; boundary=x", |model| {
        let file = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
        let field = "\r\n--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
        let body = format!("{file}{}{field}{model}\r\n--x--\r\n", "abc".repeat(50_000));
        ("/v1/audio/translations".to_owned(), body.into_bytes())
    });
}

#[test]
fn a_path_is_edited_for_every_attempt() {
    for (start, end) in [
        ("/openai/deployments/", "/embeddings?api-version=2024-10-21"),
        ("/v1beta/models/", ":generateContent"),
        ("/v1beta/models/", ":streamGenerateContent?alt=sse"),
    ] {
        arrives(&format!("{start}{end}"), "application/json", |model| {
            (format!("{start}{model}{end}"), b"{\"a\":[1.50]}".to_vec())
        });
    }
}

#[test]
fn a_path_and_a_body_are_edited_for_every_attempt() {
    arrives("both", "application/json", |model| {
        let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
        (format!("/openai/deployments/{model}/chat/completions"), body.into_bytes())
    });
}

/// Gemini's clients repeat the path's model in the body, as a resource.
#[test]
fn a_resource_in_the_body_is_edited_for_every_attempt() {
    arrives("resource", "application/json", |model| {
        let body = format!(r#"{{"model":"models/{model}","content":{{}}}}"#);
        (format!("/v1beta/models/{model}:embedContent"), body.into_bytes())
    });
    arrives("no resource", "application/json", |model| {
        let body = format!(r#"{{"model":"{model}","contents":[]}}"#);
        (format!("/v1beta/models/{model}:generateContent"), body.into_bytes())
    });
}

/// `null` is as good as nothing where the path names the model.
#[test]
fn a_null_in_the_body_stays_at_every_attempt() {
    arrives("null", "application/json", |model| {
        let path = format!("/openai/deployments/{model}/chat/completions?api-version=1");
        (path, br#"{"model":null,"messages":[]}"#.to_vec())
    });
}

#[test]
fn a_path_is_edited_where_the_body_has_no_length() {
    let fleet = Fleet::shared();
    let case = "chunked path";
    let _pumps = fleet.script(case, STEPS, false);
    let request = Request::post("/v1/engines/one:pair/completions", "{\"a\":1}").chunked();
    let response = CLIENTS[0].send(&fleet.gateway, &request.case(case));
    assert_eq!(response.status, 200, "{}", response.text());
    let seen = fleet.attempts(case);
    let framings: Vec<_> = seen.iter().map(|(_, seen)| seen.framing()).collect();
    assert_eq!(framings, [Framing::Chunked, Framing::Chunked, Framing::Unsaid]);
    for ((_, seen), (root, model)) in seen.iter().zip(ATTEMPTS) {
        assert_eq!(seen.text(), "{\"a\":1}");
        assert_eq!(seen.path, format!("{root}/v1/engines/{model}/completions"));
    }
    fleet.gateway.assert_no_trap();
}
