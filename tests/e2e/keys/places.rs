//! Every place where clients put a key, and what providers see of it.

use super::{Setup, chat, code};
use crate::kit::client::h1::{self, Connection};
use crate::kit::client::{Request, h1::exchange};
use crate::kit::upstream::Answer;

#[test]
fn a_key_opens_from_every_place_and_goes_no_further() {
    let setup = Setup::start("", "");
    let key = setup.make_any().key;
    let escaped = key.replace('-', "%2D");
    for (provider, model) in [("own", "own:m"), ("open", "open:m")] {
        let request = || chat(model).case("place");
        let with_query = |query: &str| {
            let body = format!(r#"{{"model":"{model}"}}"#);
            Request::post(format!("/v1/chat/completions?{query}"), body).case("place")
        };
        for request in [
            request().header("authorization", format!("Bearer {key}")),
            request().header("authorization", format!("bearer {key}")),
            request().header("x-api-key", &key),
            request().header("api-key", &key),
            request().header("x-goog-api-key", &key),
            request().header("authorization", format!("Bearer {key}")).header("x-api-key", &key),
            with_query(&format!("key={key}")),
            with_query(&format!("a=b&key={escaped}&c=d")),
        ] {
            let answer = setup.send(&request);
            assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
            assert_eq!(answer.header("x-gaud-provider").as_deref(), Some(provider));
        }
    }
    assert_eq!((setup.own.seen("place").len(), setup.open.seen("place").len()), (8, 8));
    assert!(
        setup
            .own
            .seen("place")
            .iter()
            .all(|seen| { seen.header("authorization").as_deref() == Some("Bearer sk-of-own") })
    );
    assert!(setup.open.seen("place").iter().all(|seen| seen.header("authorization").is_none()));
    let queries: Vec<_> = setup.open.seen("place").iter().map(|seen| seen.path.clone()).collect();
    assert_eq!(queries[7], "/v1/chat/completions?a=b&c=d");
    setup.assert_nowhere(&key);
}

#[test]
fn a_browsers_websocket_has_its_key_among_the_subprotocols() {
    let setup = Setup::start("", "");
    let key = setup.make_any().key;
    for (provider, server) in [("own", &setup.own), ("open", &setup.open)] {
        server.script("socket", Answer::websocket());
        let request = Request::new("GET", format!("/v1/realtime?model={provider}:m"))
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", format!("realtime, openai-insecure-api-key.{key}"))
            .case("socket");
        let mut connection = Connection::open(setup.run.addr());
        connection.send(h1::head(&request)).expect("a listening gateway");
        assert_eq!(connection.head().status, 101);
        let seen = server.wait_until("socket", |_| true);
        assert_eq!(seen.header("sec-websocket-protocol").as_deref(), Some("realtime"));
    }
    setup.assert_nowhere(&key);
}

/// On paths outside the API the client's own credentials pass: never a key of Gaud's.
#[test]
fn a_key_does_not_pass_on_paths_outside_the_api_nor_over_the_hop() {
    // What waits for a first byte goes over the hop, as chains do.
    let tables =
        "first_token_secs = 30\n[[fallbacks]]\nmodel = \"own:chained\"\nto = [\"own:n\"]\n";
    let setup = Setup::start("", tables);
    let key = setup.make_any().key;
    let bearer = || format!("Bearer {key}");
    let request = Request::new("GET", format!("/team/info?key={key}&a=b"))
        .header("authorization", bearer())
        .header("x-litellm-api-key", "sk-1234")
        .case("path");
    assert_eq!(setup.send(&request).status, 200);
    let seen = setup.open.wait("path");
    assert_eq!((seen.header("authorization"), seen.path.as_str()), (None, "/team/info?a=b"));
    assert_eq!(seen.header("x-litellm-api-key").as_deref(), Some("sk-1234"), "the other passes");
    setup.own.script("hop", Answer::new(500, "application/json", "{}"));
    for (model, provider) in [("own:chained", "own"), ("open:m", "open")] {
        let request = chat(model).header("authorization", bearer()).case("hop");
        let answer = exchange(setup.run.addr(), &request);
        assert_eq!(
            (answer.status, answer.header("x-gaud-provider").as_deref()),
            (200, Some(provider))
        );
    }
    assert_eq!((setup.own.seen("hop").len(), setup.open.seen("hop").len()), (2, 1));
    setup.assert_nowhere(&key);
}

#[test]
fn what_is_not_a_valid_key_gets_the_same_answer() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    let revoked = setup.make_any();
    setup.ask_admin("DELETE", &format!("/admin/keys/{}", revoked.id), &serde_json::json!({}), 200);
    let blocked = setup.make(&serde_json::json!({"blocked": true}));
    let unknown = format!("sk-prx-abcdefghijkl-{}", "x".repeat(32));
    let answers: Vec<_> = [&revoked.key, &blocked.key, &unknown, "sk-prx-", "sk-prx-abc-def"]
        .iter()
        .map(|key| setup.ask(key, "own:m"))
        .collect();
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (401, &answers[0].body), "{}", answer.text());
        assert_eq!(code(answer), "invalid_api_key");
    }
    let expired = setup.make(&serde_json::json!({"expires_secs": 1_000_000_000}));
    let answer = setup.ask(&expired.key, "own:m");
    assert_eq!((answer.status, code(&answer).as_str()), (401, "expired_key"));
    let admin = setup.ask(&setup.run.admin_key(), "own:m");
    assert_eq!((admin.status, code(&admin).as_str()), (403, "admin_key"));
}
