//! Bodies that are refused, with the exact answer; a provider never sees such a request complete.

use crate::kit::client::{Client, Request, h1};
use crate::kit::pair::Pair;
use crate::kit::refusal;

/// Bodies that are not a JSON object, with the problem and its offset.
fn not_json() -> Vec<(Vec<u8>, &'static str, usize)> {
    let rows: [(&[u8], _, _); 18] = [
        (b"{", "the body ends before its JSON object does", 1),
        (b" \n", "the body ends before its JSON object does", 2),
        (b"[]", "expected a JSON object", 0),
        (b"\"one:m\"", "expected a JSON object", 0),
        (b"\xef\xbb\xbf{}", "expected a JSON object", 0),
        (b"{,}", "expected a key or '}'", 1),
        (br#"{"model":"one:m",}"#, "expected a key", 17),
        (br#"{"model" "one:m"}"#, "expected ':'", 9),
        (br#"{"model":}"#, "expected a value", 9),
        (br#"{"model":"one:m" "n":1}"#, "expected ',' or '}'", 17),
        (br#"{"model":"one:m","n":01}"#, "expected ',' or '}'", 22),
        (br#"{"model":"one:m","n":NaN}"#, "expected a value", 21),
        (br#"{"model":"one:m","n":nul}"#, "expected true, false or null", 24),
        (br#"{"model":"one:m","n":"\x"}"#, "invalid escape in a string", 23),
        (b"{\"model\":\"one:m\",\"n\":\"\xff\"}", "invalid UTF-8", 22),
        (b"{\"model\":\"one:m\",\"n\":\"\n\"}", "unescaped control character in a string", 22),
        (br#"{"model":"one:m"}{}"#, "unexpected bytes after the JSON object", 17),
        (br#"{"model":"one:m"} x"#, "unexpected bytes after the JSON object", 18),
    ];
    rows.map(|(body, problem, offset)| (body.to_vec(), problem, offset)).into()
}

#[test]
fn invalid_json_is_refused() {
    for (index, (body, problem, offset)) in not_json().into_iter().enumerate() {
        let refusal = refusal::invalid_json(problem, offset);
        Pair::both_refuse(&format!("no JSON {index}"), &Request::chat(body), &refusal);
    }
}

#[test]
fn too_deep_nesting_and_too_long_keys_are_refused() {
    let nested = |levels| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let deep = refusal::invalid_json("nested deeper than 127 levels", 131);
    Pair::both_refuse("deep", &Request::chat(nested(127)), &deep);
    let key = format!(r#"{{"{}":1}}"#, "k".repeat(257));
    let long = refusal::invalid_json("a top-level key longer than 256 bytes", 258);
    Pair::both_refuse("long key", &Request::chat(key), &long);
    for (case, body) in
        [("deep enough", nested(126)), ("key", format!(r#"{{"{}":1}}"#, "k".repeat(256)))]
    {
        let response = h1::exchange(Pair::shared().gateway.addr(), &Request::chat(body).case(case));
        assert_eq!(response.status, 200, "{case}: {}", response.text());
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_second_model_is_refused() {
    for (index, (body, offset)) in [
        (r#"{"model":"one:m","model":"one:m"}"#, 23),
        (r#"{"model":"one:m","model":"two:x"}"#, 23),
        (r#"{"model":"one:m","n":1,"m\u006fdel":"x"}"#, 34),
        (r#"{"m\u006fdel":"one:m","model":null}"#, 28),
        (r#"{"model":"m","a":{"model":1},"model":"m"}"#, 35),
    ]
    .into_iter()
    .enumerate()
    {
        let refusal = refusal::duplicate_model(offset);
        Pair::both_refuse(&format!("second model {index}"), &Request::chat(body), &refusal);
    }
}

#[test]
fn a_model_that_is_not_a_string_is_refused() {
    for (value, found) in [
        ("1", "a number"),
        ("-1e3", "a number"),
        ("true", "a boolean"),
        ("[\"one:m\"]", "an array"),
        ("{\"one:m\":1}", "an object"),
    ] {
        let request = Request::chat(format!(r#"{{"model":{value}}}"#));
        Pair::both_refuse(&format!("type {value}"), &request, &refusal::invalid_type(found, 9));
    }
}

#[test]
fn an_invalid_model_name_is_refused() {
    for (index, (model, detail)) in [
        ("", "is empty"),
        (r"one:a\nb", "has a control character"),
        (r"one:a\r\nx-evil: 1", "has a control character"),
        (r"one:\u0000", "has a control character"),
        (r"one:\u007f", "has a control character"),
        (r"one:\u0085", "has a control character"),
    ]
    .into_iter()
    .enumerate()
    {
        let request = Request::chat(format!(r#"{{"model":"{model}"}}"#));
        let refusal = refusal::invalid_model(detail);
        Pair::both_refuse(&format!("name {index}"), &request, &refusal);
    }
    let long = "m".repeat(513);
    for (case, model, problem, offset) in [
        ("half", r"one:\ud83d", "has half a surrogate pair", 20),
        ("long", long.as_str(), "is longer than 512 bytes", 522),
    ] {
        let request = Request::chat(format!(r#"{{"model":"{model}"}}"#));
        let refusal = refusal::unreadable_model(problem, offset);
        Pair::both_refuse(case, &request, &refusal);
    }
    for namespace in ["one:", "two:"] {
        let request = Request::chat(format!(r#"{{"model":"{namespace}","n":1}}"#));
        Pair::both_refuse(namespace, &request, &refusal::missing_model(namespace));
    }
}

#[test]
fn a_key_that_is_model_in_another_case_is_refused() {
    for (body, offset) in [
        (r#"{"model":"one:m","Model":"two:m"}"#, 23),
        (r#"{"MODEL":"two:m","model":"one:m"}"#, 7),
        (r#"{"m\u004fdel":"two:m"}"#, 12),
    ] {
        let refusal = refusal::model_in_other_case(offset);
        Pair::both_refuse(body, &Request::chat(body), &refusal);
    }
}

#[test]
fn a_body_in_a_charset_other_than_utf8_is_refused() {
    for charset in ["utf-7", "UTF-16", "unicode_escape", "utf-8; charset=utf-7", "\"utf-8", ""] {
        let content_type = format!("application/json; charset={charset}");
        let request = Request::chat(r#"{"model":"one:m"}"#).header("content-type", &content_type);
        Pair::both_refuse(&content_type, &request, &refusal::other_charset());
    }
    for good in ["; charset=UTF-8", ";charset=\"utf8\"", "; x=y; charset=us-ascii"] {
        let content_type = format!("application/json{good}");
        let request = Request::chat(r#"{"model":"one:m"}"#).header("content-type", &content_type);
        Pair::shared().arrives(&content_type, Client::Http1, &request, br#"{"model":"m"}"#);
    }
}

#[test]
fn what_some_servers_take_for_another_media_type_is_refused() {
    let body = r#"{"model":"one:m","x":"&model=two:m&"}"#;
    for content_type in ["json", "application/json x/y", "text/a/b"] {
        let request = Request::chat(body).header("content-type", content_type);
        Pair::both_refuse(content_type, &request, &refusal::malformed_media_type());
    }
    for content_type in ["\"application/x-www-form-urlencoded\"", "text/x; a=Multipart/Form-Data"] {
        let request = Request::chat(body).header("content-type", content_type);
        Pair::both_refuse(content_type, &request, &refusal::unsupported_media_type());
    }
    // HTTP/2 can carry a space before a value. Where Envoy strips the space, the gateway sees a form.
    for content_type in [" application/x-www-form-urlencoded", "\tmultipart/form-data; boundary=b"]
    {
        let request = Request::chat(body).header("content-type", content_type).case(content_type);
        let response = Client::Http2.send(&Pair::shared().gateway, &request);
        assert_eq!(response.status, 415, "{content_type:?}: {}", response.text());
        Pair::shared().never_complete(content_type);
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_body_in_an_unknown_encoding_is_refused() {
    for encoding in ["compress", "x-unknown", "gzip, x-unknown"] {
        let request = Request::chat(r#"{"model":"one:m"}"#).header("content-encoding", encoding);
        let refusal = refusal::unsupported_content_encoding();
        Pair::both_refuse(encoding, &request, &refusal);
    }
    let request = Request::chat(r#"{"model":"one:m"}"#).header("content-encoding", "identity");
    assert_eq!(h1::exchange(Pair::shared().gateway.addr(), &request).status, 200);
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn anthropics_endpoint_gets_anthropics_shape() {
    for (path, body, refusal) in [
        ("/v1/messages", "[]", refusal::invalid_json("expected a JSON object", 0)),
        ("/v1/messages", r#"{"model":1}"#, refusal::invalid_type("a number", 9)),
        ("/v1/messages?beta=true", r#"{"model":"one:"}"#, refusal::missing_model("one:")),
        ("/v1/messages/count_tokens", r#"{"model":""}"#, refusal::invalid_model("is empty")),
        ("/api/litellm/v1/messages", r#"{"model":""}"#, refusal::invalid_model("is empty")),
    ] {
        let response = h1::exchange(Pair::shared().gateway.addr(), &Request::post(path, body));
        refusal.assert_anthropic(path, &response);
    }
    Pair::shared().gateway.assert_no_trap();
}
