//! What a key with a list of models may call.

use super::{Setup, chat, code};
use crate::kit::client::Request;
use serde_json::json;

const TABLES: &str =
    "[aliases]\nbest = \"own:m\"\n[[fallbacks]]\nmodel = \"safe\"\nto = [\"own:n\"]\n";

#[test]
fn a_list_of_models_holds_on_every_way_to_name_a_model() {
    let setup = Setup::start("", TABLES);
    let limited = setup.make(&json!({"models": ["gpt-*", "best", "safe"]})).key;
    let bearer = |request: Request| request.header("authorization", format!("Bearer {limited}"));
    let form = |model: &str| {
        let body = format!(
            "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--b--\r\n"
        );
        let mut request = Request::new("POST", "/v1/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=b");
        request.pieces.push(body.into_bytes());
        request
    };
    let azure = |model: &str| {
        Request::post(format!("/openai/deployments/{model}/chat/completions"), "{\"messages\":[]}")
    };
    let gemini =
        |model: &str| Request::post(format!("/v1beta/models/{model}:generateContent"), "{}");
    for model in ["gpt-4o", "open:gpt-4o", "best", "safe"] {
        for request in [chat(model), form(model), azure(model), gemini(model)] {
            let answer = setup.send(&bearer(request.clone()));
            assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
        }
    }
    for model in ["own:m", "open:other", "o1", "bests"] {
        for request in [chat(model), form(model), azure(model), gemini(model)] {
            let answer = setup.send(&bearer(request.case("refused")));
            assert_eq!(answer.status, 403, "{model}: {}", answer.text());
        }
    }
    // What names no model that the gateway reads.
    for request in [
        Request::new("GET", "/v1/files"),
        Request::new("GET", "/team/info"),
        Request::post("/v1/messages/batches", "{\"requests\":[]}"),
        Request::post("/v1/chat/completions", "{\"messages\":[]}"),
    ] {
        let answer = setup.send(&bearer(request.case("refused")));
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    assert_eq!((setup.own.seen("refused").len(), setup.open.seen("refused").len()), (0, 0));
    let answer = setup.ask(&limited, "own:m");
    assert_eq!(code(&answer), "model_not_allowed");
    let said = "This API key may not call the model 'own:m'. GET /v1/models lists the models that it may call.";
    assert_eq!(answer.json()["error"]["message"], said);
}

#[test]
fn the_lists_of_models_are_those_of_the_key() {
    let setup = Setup::start("", TABLES);
    let key = setup.make(&json!({"models": ["gpt-4*", "own:*"]})).key;
    let list = |path: &str| {
        let request = Request::new("GET", path).header("x-api-key", &key);
        let document = setup.send(&request).json();
        let data = document.get("data").unwrap_or(&document).as_array().expect("a list").clone();
        data.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let expected = ["own:m", "own:n", "gpt-4o"];
    assert_eq!(list("/v1/models"), expected);
    assert_eq!(list("/api/models"), expected);
    for (model, status) in [("gpt-4o", 200), ("own:m", 200), ("gpt-5", 403), ("best", 403)] {
        let request = Request::new("GET", format!("/v1/models/{model}")).header("x-api-key", &key);
        assert_eq!(setup.send(&request).status, status, "{model}");
    }
    let all = setup.send(&Request::new("GET", "/v1/models")).text();
    assert!(all.contains("gpt-5") && all.contains("best"), "without a key there are all: {all}");
}
