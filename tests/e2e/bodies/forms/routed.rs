//! Forms, JSON, and the endpoints that take one or both.

use super::{TRANSCRIPTIONS, file, form, model, of_type, part, post};
use crate::kit::client::{CLIENTS, Request};
use crate::kit::pair::Pair;
use crate::kit::refusal;

#[test]
fn a_form_without_a_model_goes_to_the_default_provider_whole() {
    let other = part("name=\"prompt\"", "", b"name=\"model\"\r\n\r\ntwo:m");
    let body = form(&[part("name=\"models\"", "", b"two:m"), other, file(200_000)]);
    for client in CLIENTS {
        for (framing, chunked) in [("fixed", false), ("open", true)] {
            let mut request = post(TRANSCRIPTIONS, body.clone()).cut_every(30_000);
            request.chunked = chunked;
            let case = format!("no model {framing} {client:?}");
            Pair::shared().arrives(&case, client, &request, &body);
            assert!(!Pair::shared().server.wait(&case).http2, "{case}: not the default");
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_form_that_has_no_parts_goes_to_the_default_provider() {
    for client in CLIENTS {
        let body = form(&[]);
        let case = format!("no parts {client:?}");
        Pair::shared().arrives(&case, client, &post(TRANSCRIPTIONS, body.clone()), &body);
    }
}

#[test]
fn a_json_body_on_a_forms_endpoint_works() {
    for path in ["/v1/images/edits", "/v1/videos", "/v1/ocr", TRANSCRIPTIONS] {
        for client in CLIENTS {
            let request = Request::post(path, r#"{"n":1,"model":"two:ocr-1"}"#);
            let case = format!("JSON {path} {client:?}");
            Pair::shared().arrives(&case, client, &request, br#"{"n":1,"model":"ocr-1"}"#);
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_form_on_an_endpoint_for_json_is_refused() {
    let refusal = refusal::unsupported_media_type();
    let body = form(&[model("one:m")]);
    for path in ["/v1/chat/completions", "/v1/embeddings", "/v1/batches", "/v1/threads/t/runs"] {
        let request = post(path, body.clone());
        Pair::shared().refuses(&format!("form on {path}"), &request, &refusal);
        let encoded = of_type(path, "application/x-www-form-urlencoded", b"model=one:m".into());
        Pair::shared().refuses(&format!("encoded form on {path}"), &encoded, &refusal);
    }
    for (case, content_type) in [
        ("encoded form", "application/x-www-form-urlencoded"),
        ("encoded form, charset", "Application/X-WWW-Form-Urlencoded; charset=utf-8"),
    ] {
        let request = of_type(TRANSCRIPTIONS, content_type, b"model=one:m".into());
        Pair::shared().refuses(case, &request, &refusal);
    }
    Pair::shared().gateway.assert_no_trap();
}

/// Envoy makes one header of the two, with a comma between them.
#[test]
fn a_form_with_two_content_types_is_refused() {
    let types = ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"];
    for (index, form) in types.into_iter().enumerate() {
        let json = of_type(TRANSCRIPTIONS, "application/json", br#"{"model":"one:m"}"#.into());
        let request = json.header("content-type", form);
        let refusal = refusal::unsupported_media_type();
        Pair::shared().refuses(&format!("JSON, then form {index}"), &request, &refusal);
    }
    let request = post(TRANSCRIPTIONS, form(&[model("one:m")]));
    let request = request.header("content-type", "application/json");
    let message = "The form cannot be read: content-type is malformed: a boundary of more than \
                   letters, digits and \"'+_-.\" must be quoted.";
    let refusal = refusal::invalid_form("", 0).saying(message);
    Pair::shared().refuses("form, then JSON", &request, &refusal);
}

#[test]
fn a_form_declared_as_json_is_refused() {
    let request = of_type(TRANSCRIPTIONS, "application/json", form(&[model("one:m")]));
    let refusal = refusal::invalid_json("expected a JSON object", 0);
    Pair::shared().refuses("said to be JSON", &request, &refusal);
}

#[test]
fn a_model_beyond_the_limit_is_refused() {
    const LIMIT: usize = 1_048_576;
    let Pair { gateway, server } = Pair::start(&format!("body_limit_bytes = {LIMIT}"));
    for client in CLIENTS {
        for (framing, chunked) in [("fixed", false), ("open", true)] {
            let send = |case: &str, parts: &[Vec<u8>]| {
                let mut request = post(TRANSCRIPTIONS, form(parts)).cut_every(50_000).case(case);
                request.chunked = chunked;
                client.send(&gateway, &request)
            };
            for size in [LIMIT, 4 * LIMIT] {
                let case = format!("over {size} {client:?} {framing}");
                let response = send(&case, &[file(size), model("one:m")]);
                refusal::request_too_large(LIMIT).assert_openai(&case, &response);
                assert!(server.seen(&case).is_empty(), "{case}");
            }
            let case = format!("under {client:?} {framing}");
            assert_eq!(send(&case, &[file(LIMIT - 2000), model("one:m")]).status, 200, "{case}");
            let case = format!("early {client:?} {framing}");
            assert_eq!(send(&case, &[model("one:m"), file(4 * LIMIT)]).status, 200, "{case}");
        }
    }
    gateway.assert_no_trap();
}
