//! Tokens that Envoy adds: from an issuer, and from a file that something else rotates.

use crate::kit::client::{Client, Line, Request, Response, h1};
use crate::kit::harness::{Gateway, Run, wait};
use crate::kit::issuer::{Fault, Issuer, SECRET};
use crate::kit::load::Load;
use crate::kit::upstream::{Answer, Provider};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG_SECS: u64 = 3600;

/// A gateway with the provider `one`, whose `auth` this is, and `two` with a key; `chain` begins at `one` and goes on to `two`.
pub(super) fn config(one: &Provider, auth: &str, two: &Provider) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 2\nallow_hosts = [\"gateway\"]\n\
         default_provider = \"one\"\n[retries]\nmax = 0\n\
         [providers.one]\nurl = \"{}/v1\"\n{auth}\n[providers.two]\nurl = \"{}/v1\"\napi_key = \"sk-two\"\n\
         [[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n",
        one.url(),
        two.url(),
    )
}

fn chat(model: &str) -> Request {
    Request::chat(json!({"model": model, "messages": []}).to_string())
        .case(model)
        .header("authorization", "Bearer sk-of-the-client")
}

pub(super) fn ask(run: &Run, model: &str) -> Response {
    h1::exchange(run.addr(), &chat(model))
}

/// What the provider was last shown of a case.
pub(super) fn shown(server: &Provider, case: &str) -> Vec<String> {
    server.seen(case).last().expect("a request").headers.all("authorization")
}

#[track_caller]
pub(super) fn wait_for_answer(run: &Run, model: &str) {
    wait::until("an answer", || (ask(run, model).status == 200).then_some(()));
}

fn health(run: &Run) -> Value {
    h1::exchange(run.addr(), &Request::new("GET", "/health")).json()["providers"]["one"].clone()
}

#[test]
fn a_token_of_an_issuer_goes_with_the_api_alone() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(LONG_SECS, Fault::None);
    let run = Run::start(&config(&one, &issuer.auth(), &two));
    wait_for_answer(&run, "ready");
    assert_eq!(ask(&run, "straight").status, 200);
    assert_eq!(shown(&one, "straight"), ["Bearer token-1"]);
    // What is not recognised keeps the client's credential, and has none of the gateway's.
    let other = Request::new("GET", "/other/path")
        .case("other")
        .header("authorization", "Bearer sk-of-the-client");
    let answer = h1::exchange(run.addr(), &other);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-gaud-provider").as_deref(), Some("one"));
    assert_eq!(shown(&one, "other"), ["Bearer sk-of-the-client"]);
    // Over the hop each attempt has the credential of its target.
    one.script("chain", Answer::json(503, &json!({"error": {"message": "no"}})));
    assert_eq!(ask(&run, "chain").status, 200);
    assert_eq!(shown(&one, "chain"), ["Bearer token-1"]);
    assert_eq!(shown(&two, "chain"), ["Bearer sk-two"]);
    assert_eq!(issuer.given(), 1);
    let dump =
        run.admin().get("/config_dump?include_eds") + &run.admin().get("/stats") + &run.log();
    for secret in [SECRET, "token-1", "sk-two"] {
        assert!(!dump.contains(secret), "{secret} shows");
    }
}

#[test]
fn a_token_is_asked_for_anew_before_it_ends() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(4, Fault::None);
    let run = Run::start(&config(&one, &issuer.auth(), &two));
    wait_for_answer(&run, "any");
    wait::until("a later token", || {
        assert_eq!(ask(&run, "any").status, 200);
        let token = shown(&one, "any").pop().expect("a token");
        (token != "Bearer token-1").then_some(())
    });
}

#[test]
fn without_a_token_the_client_gets_a_clear_error_until_there_is_one() {
    for (fault, secret, scope) in [
        (Fault::Status(500), SECRET, "models"),
        (Fault::NoToken, SECRET, "models"),
        (Fault::Silent, SECRET, "models"),
        (Fault::None, "wrong", "models"),
        (Fault::None, SECRET, "wrong"),
    ] {
        let [one, two] = [(); 2].map(|()| Provider::start());
        let issuer = Issuer::start(LONG_SECS, fault);
        let run = Run::start(&config(&one, &issuer.auth_with(secret, scope), &two));
        wait::until("a question for a token", || (issuer.asked() > 0).then_some(()));
        // More often than opens a breaker.
        for _ in 0..4 {
            let answer = ask(&run, "straight");
            assert_eq!(answer.status, 503, "{fault:?}: {}", answer.text());
            assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
            let error = answer.json()["error"].clone();
            assert_eq!(error["code"], "provider_credential_unavailable");
            assert_eq!(
                error["message"],
                "The gateway has no token for the provider 'one'; try again."
            );
        }
        let claude = Request::post("/v1/messages", r#"{"model": "m"}"#)
            .header("anthropic-version", "2023-06-01");
        let answer = h1::exchange(run.addr(), &claude);
        assert_eq!((answer.status, &answer.json()["type"]), (503, &json!("error")));
        // Another target answers in the provider's place.
        assert_eq!(ask(&run, "chain").status, 200);
        assert_eq!(shown(&two, "chain"), ["Bearer sk-two"]);
        let shown = health(&run);
        assert_eq!(shown["last_error"], "the gateway has no token for the provider", "{shown}");
        assert_eq!(shown["breaker"], "closed", "{shown}");
        assert!(one.all().is_empty(), "nothing reaches the provider without a token");
        // After an answer without a token Envoy does not ask again.
        if fault == Fault::Status(500) {
            issuer.set(Fault::None);
            wait_for_answer(&run, "straight");
        }
    }
}

fn replace(path: &Path, token: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, format!("{token}\n")).expect("a file");
    std::fs::rename(next, path).expect("a place");
}

/// Requests for `one` by this many clients, and the answers other than 200.
pub(super) fn load(run: &Run, clients: usize) -> (Load, Arc<Mutex<Vec<Option<Response>>>>) {
    let addr = run.addr();
    let failed = Arc::new(Mutex::new(Vec::new()));
    let failures = Arc::clone(&failed);
    let load = Load::start(
        clients,
        0..u64::MAX,
        move |_| Line::open(Client::Http1, addr),
        move |line, _| {
            let response = line.exchange(&chat("one:m"), Duration::ZERO);
            if response.as_ref().is_none_or(|own| own.status != 200) {
                failures.lock().expect("a list").push(response);
            }
        },
    );
    (load, failed)
}

#[test]
fn a_token_of_a_file_is_rotated_under_load_and_no_request_fails() {
    let [slow, two] = [(); 2].map(|()| Provider::start());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let one = Provider::answering(move |request| {
        let token = request.header("authorization").unwrap_or_default();
        heard.lock().expect("a list").push(token);
        Box::pin(async { Answer::completion() })
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    replace(&path, "sk-file-0");
    let auth = format!("auth = {{ token_file = \"{}\" }}", path.display());
    let further = format!("[providers.slow]\nurl = \"{}/v1\"\n{auth}\n", slow.url());
    let run = Run::start(&(config(&one, &auth, &two) + &further));
    let (answer, mut pump) = Answer::events();
    slow.script("stream", answer);
    let mut stream = h1::Connection::open(run.addr());
    stream.send_request(&Request::chat(r#"{"model":"slow:m","messages":[]}"#).case("stream"));
    pump.send(b"data: {\"choices\":[{}]}\n\n").expect("a gateway that reads");
    let head = stream.head();
    assert_eq!(
        slow.wait_until("stream", |_| true).headers.all("authorization"),
        ["Bearer sk-file-0"]
    );
    let (load, failed) = load(&run, 20);
    for round in 1..=5 {
        let token = format!("sk-file-{round}");
        replace(&path, &token);
        wait::until(&token, || {
            let last = seen.lock().expect("a list").last().cloned();
            (last? == format!("Bearer {token}")).then_some(())
        });
    }
    load.stop(0);
    load.join();
    assert!(failed.lock().expect("a list").is_empty(), "{:?}", failed.lock().expect("a list"));
    pump.send(b"data: [DONE]\n\n").expect("the stream goes on");
    drop(pump);
    let response = stream.body(head);
    assert!(response.complete && response.text().ends_with("data: [DONE]\n\n"));
    let dump =
        run.admin().get("/config_dump?include_eds") + &run.admin().get("/stats") + &run.log();
    assert!(!dump.contains("sk-file"), "a token shows");
}

#[test]
fn a_rendered_configuration_adds_the_token_of_a_file() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, "sk-file").expect("a file");
    let auth = format!("auth = {{ token_file = \"{}\" }}", path.display());
    let gateway = Gateway::start(&config(&one, &auth, &two), &[("GAUD_TWO_API_KEY", "sk-two")]);
    assert_eq!(h1::exchange(gateway.addr(), &chat("straight")).status, 200);
    assert_eq!(shown(&one, "straight"), ["Bearer sk-file"]);
}
