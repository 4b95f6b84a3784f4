//! Whose request a span and a line are of: the public id of the key, and its user.

use super::lines::wait_for as wait_for_lines;
use super::{admin, chat, completion, config, tracing};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::harness::version::spans_say_more;
use crate::kit::otlp::{CLIENT, SERVER, Span, spans, wait_for};
use crate::kit::upstream::Provider;
use serde_json::{Value, json};

const USER: &str = "team,1";

/// A key of the user's, and its public id.
fn make(run: &Run) -> (String, String) {
    let post = |path: &str, body: Value| admin(run, Request::post(path, body.to_string()));
    post("/admin/users", json!({"id": USER}));
    let made = post("/admin/keys", json!({"name": "app", "user": USER}));
    let text = |field: &str| made[field].as_str().expect("a text").to_owned();
    (text("key"), text("id"))
}

fn ask(run: &Run, key: &str, model: &str) {
    let request = Request::chat(chat(model)).case(model);
    let request = request.header("authorization", format!("Bearer {key}"));
    assert_eq!(h1::exchange(run.addr(), &request).status, 200, "{model}");
}

#[test]
fn lines_name_the_key_and_its_user() {
    let (one, two) = (Provider::start(), Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let run =
        Run::start(&config(&one, &two, &format!("[access_log]\npath = \"{}\"\n", path.display())));
    let (key, id) = make(&run);
    for server in [&one, &two] {
        server.always("straight", 200, completion(20, 7).to_string());
    }
    ask(&run, &key, "straight");
    ask(&run, &key, "chain");
    // The request straight; the request over the hop, and its attempt.
    for line in wait_for_lines(&path, 3) {
        assert_eq!((&line["key"], &line["user"]), (&json!(id), &json!(USER)), "{line}");
    }
    let text = std::fs::read_to_string(&path).expect("a log");
    let secret = key.rsplit('-').next().expect("a secret part");
    assert!(!text.contains(secret), "{text}");
}

#[test]
fn a_line_without_a_key_names_nobody() {
    let (one, two) = (Provider::start(), Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let run =
        Run::start(&config(&one, &two, &format!("[access_log]\npath = \"{}\"\n", path.display())));
    assert_eq!(h1::exchange(run.addr(), &Request::chat(chat("straight"))).status, 200);
    let line = &wait_for_lines(&path, 1)[0];
    assert_eq!((&line["key"], &line["user"]), (&Value::Null, &Value::Null), "{line}");
}

#[test]
fn spans_name_the_key_and_its_user() {
    if !spans_say_more() {
        return;
    }
    let [one, two, collector] = [(); 3].map(|()| Provider::start());
    let run = Run::start(&config(&one, &two, &tracing(&collector, "")));
    let (key, id) = make(&run);
    ask(&run, &key, "straight");
    ask(&run, &key, "chain");
    let is = |kind: u64, model: &'static str| {
        move |span: &Span| span.kind == kind && span.get("gaud.model.asked") == model
    };
    let found =
        wait_for(&collector, [&is(SERVER, "straight"), &is(SERVER, "chain"), &is(CLIENT, "chain")]);
    for span in &found {
        assert_eq!((span.get("gaud.key"), span.get("gaud.user")), (id.as_str(), USER), "{span:?}");
    }
    let secret = key.rsplit('-').next().expect("a secret part");
    for span in spans(&collector) {
        assert!(!format!("{span:?}").contains(secret), "{span:?}");
    }
}
