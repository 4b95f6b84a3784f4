//! `/v1/engines` and Azure's deployments: the path names the model, and the body may as well.

use super::setup;
use crate::kit::client::Request;
use crate::kit::refusal;

const DEPLOYMENT: &str = "/openai/deployments/open:gpt-4o/chat/completions?api-version=2024-10-21";

const STRIPPED: &str = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";

#[test]
fn the_paths_model_wins_and_the_bodys_is_made_the_same() {
    for (sent, seen) in [
        (r#"{"model": "open:gpt-4o", "n": 1}"#, r#"{"model": "gpt-4o", "n": 1}"#),
        (r#"{"model": "gpt-4o", "n": 1}"#, r#"{"model": "gpt-4o", "n": 1}"#),
        (r#"{"n": 1, "model": "keyed:other"}"#, r#"{"n": 1, "model": "gpt-4o"}"#),
        (r#"{"n": 1, "model": "no:such"}"#, r#"{"n": 1, "model": "gpt-4o"}"#),
        (r#"{ "n": 1 }"#, r#"{ "n": 1 }"#),
        ("{}", "{}"),
    ] {
        for request in [Request::post(DEPLOYMENT, sent), Request::post(DEPLOYMENT, sent).chunked()]
        {
            let what = format!("Azure {sent} {}", request.chunked);
            for found in setup().reaches("open", &what, &request) {
                assert_eq!((&*found.path, &*found.text()), (STRIPPED, seen), "{what}");
            }
        }
    }
    setup().assert_no_trap();
}

#[test]
fn a_deployment_may_have_no_body() {
    for found in setup().reaches("open", "no body", &Request::new("POST", DEPLOYMENT)) {
        assert_eq!(found.path, STRIPPED);
    }
}

#[test]
fn a_deployment_takes_forms() {
    let form = |name: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{name}\r\n--b--\r\n")
    };
    for name in ["open:whisper", "whisper", "another-model"] {
        let path = "/openai/deployments/open:whisper/audio/transcriptions?api-version=1";
        let mut request = Request::new("POST", path);
        request = request.header("content-type", "multipart/form-data; boundary=b");
        request.pieces.push(form(name).into_bytes());
        for found in setup().reaches("open", &format!("form {name}"), &request) {
            let path = "/openai/deployments/whisper/audio/transcriptions?api-version=1";
            assert_eq!((&*found.path, found.text()), (path, form("whisper")), "{name}");
        }
    }
    setup().assert_no_trap();
}

#[test]
fn bad_bodies_are_refused_for_a_deployment() {
    for (body, refusal) in [
        ("[]", refusal::invalid_json("expected a JSON object", 0)),
        (r#"{"model":1}"#, refusal::invalid_type("a number", 9)),
        (r#"{"model":"a","model":"a"}"#, refusal::duplicate_model(19)),
    ] {
        setup().refuses(body, &Request::post(DEPLOYMENT, body), &refusal);
    }
    let twice = format!("{DEPLOYMENT}&model=x");
    setup().refuses("query", &Request::post(twice, "{}"), &refusal::model_in_query());
}

#[test]
fn engines_take_every_name() {
    for (provider, sent, seen) in [
        ("open", "/v1/engines/open:m/completions", "/v1/engines/m/completions"),
        ("open", "/v1/engines/open:org/m/completions?a=b", "/v1/engines/org/m/completions?a=b"),
        ("open", "/engines/open:m/embeddings", "/v1/engines/m/embeddings"),
        ("open", "/v1/engines/fast/chat/completions", "/v1/engines/org/quick/chat/completions"),
        ("keyed", "/v1/engines/m/completions", "/v1/engines/m/completions"),
        (
            "keyed",
            "/v1/engines/ft:gpt:org::id/completions",
            "/v1/engines/ft:gpt:org::id/completions",
        ),
    ] {
        for found in setup().reaches(provider, sent, &Request::post(sent, r#"{"n":1}"#)) {
            assert_eq!((&*found.path, &*found.text()), (seen, r#"{"n":1}"#), "{sent}");
        }
    }
    setup().assert_no_trap();
}
