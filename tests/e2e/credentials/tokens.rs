//! Tokens that Envoy adds: from an issuer, and from a file that something else rotates.

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Gateway, Run, wait};
use crate::kit::issuer::{Fault, Issuer, SECRET};
use crate::kit::upstream::{Answer, Provider};
use serde_json::{Value, json};

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

pub(super) fn chat(model: &str) -> Request {
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

/// Waits until the provider answers. Until then the gateway says that it has no token, and nothing else.
#[track_caller]
pub(super) fn wait_for_answer(run: &Run, model: &str) {
    wait::until("an answer", || {
        let answer = ask(run, model);
        if answer.status == 200 {
            return Some(());
        }
        assert_has_no_token(&answer);
        None
    });
}

#[track_caller]
pub(super) fn assert_has_no_token(answer: &Response) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
    let error = answer.json()["error"].clone();
    assert_eq!(error["code"], "provider_credential_unavailable");
    assert_eq!(
        error["message"],
        "The gateway has no credential for the provider 'one'; try again."
    );
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
fn a_token_is_asked_for_anew_before_it_ends_whatever_the_issuers_clock_says() {
    for fault in [Fault::None, Fault::Skewed] {
        let [one, two] = [(); 2].map(|()| Provider::start());
        let issuer = Issuer::start(4, fault);
        let run = Run::start(&config(&one, &issuer.auth(), &two));
        wait_for_answer(&run, "any");
        wait::until("a later token", || {
            assert_eq!(ask(&run, "any").status, 200, "{fault:?}");
            let token = shown(&one, "any").pop().expect("a token");
            (token != "Bearer token-1").then_some(())
        });
    }
}

#[test]
fn a_slow_issuer_is_waited_for_and_asked_once() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(LONG_SECS, Fault::Slow);
    let run = Run::start(&config(&one, &issuer.auth(), &two));
    wait::until("a question for a token", || (issuer.asked() > 0).then_some(()));
    for _ in 0..4 {
        assert_has_no_token(&ask(&run, "straight"));
    }
    issuer.answer();
    wait_for_answer(&run, "straight");
    assert_eq!(shown(&one, "straight"), ["Bearer token-1"]);
    assert_eq!(issuer.asked(), 1);
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
            assert_has_no_token(&ask(&run, "straight"));
        }
        let claude = Request::post("/v1/messages", r#"{"model": "m"}"#)
            .header("anthropic-version", "2023-06-01");
        let answer = h1::exchange(run.addr(), &claude);
        assert_eq!((answer.status, &answer.json()["type"]), (503, &json!("error")));
        // Another target answers in the provider's place.
        assert_eq!(ask(&run, "chain").status, 200);
        assert_eq!(shown(&two, "chain"), ["Bearer sk-two"]);
        let shown = health(&run);
        assert_eq!(
            shown["last_error"], "the gateway has no credential for the provider",
            "{shown}"
        );
        assert_eq!(shown["breaker"], "closed", "{shown}");
        assert!(one.all().is_empty(), "nothing reaches the provider without a token");
        // After an answer without a token Envoy does not ask again.
        if matches!(fault, Fault::Status(_) | Fault::Silent) {
            issuer.set(Fault::None);
            wait_for_answer(&run, "straight");
        }
    }
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

/// Of a chain that begins at `one`, and of one that ends there.
#[test]
fn over_the_hop_each_attempt_has_the_token_of_its_target() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, "sk-file").expect("a file");
    let auth = format!("auth = {{ token_file = \"{}\" }}", path.display());
    let back = "[[fallbacks]]\nmodel = \"two:back\"\nto = [\"one:second\"]\n";
    let run = Run::start(&(config(&one, &auth, &two) + back));
    for (model, [first, second], credentials) in [
        ("chain", [&one, &two], ["Bearer sk-file", "Bearer sk-two"]),
        ("two:back", [&two, &one], ["Bearer sk-two", "Bearer sk-file"]),
    ] {
        first.script(model, Answer::json(503, &json!({"error": {"message": "no"}})));
        let answer = ask(&run, model);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            [first, second].map(|own| shown(own, model)),
            credentials.map(|own| vec![own.to_owned()])
        );
    }
}
