//! Tokens that `gaud run` gets for a refresh token and gives to Envoy.

use super::tokens::{ask, assert_has_no_token, config, shown, wait_for_answer};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::issuer::{Fault, Issuer, SCOPE, SECRET};
use crate::kit::upstream::Provider;
use serde_json::Value;

const LONG_SECS: u64 = 3600;

/// What the control server knows of the token of `one`.
pub(super) fn token(run: &Run) -> Value {
    let key = run.admin_key();
    let status =
        Request::new("GET", "/admin/status").header("authorization", format!("Bearer {key}"));
    h1::exchange(run.addr(), &status).json()["providers"]["one"]["token"].clone()
}

pub(super) fn assert_no_secret(run: &Run) {
    let page =
        run.admin().get("/config_dump?include_eds") + &run.admin().get("/stats") + &run.log();
    let page = page + &token(run).to_string();
    for secret in [SECRET, "token-", "refresh-"] {
        assert!(!page.contains(secret), "{secret} shows");
    }
}

#[test]
fn a_refresh_token_that_was_rotated_serves_the_next_run() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(LONG_SECS, Fault::Skewed);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    // The folder goes with this test, and not with a run.
    std::fs::write(at("keep"), "").expect("a file");
    std::fs::write(at("gaud.toml"), config(&one, &issuer.refresh(), &two)).expect("a file");
    let start = || Run::start_again(folder.path().to_owned(), &[]);
    let first = start();
    wait_for_answer(&first, "first");
    drop(first);
    // The token of the run before still lives.
    let second = start();
    assert_eq!(ask(&second, "second").status, 200);
    assert_eq!((shown(&one, "second"), issuer.given()), (vec!["Bearer token-1".to_owned()], 1));
    drop(second);
    // A token that has ended is not used, and the issuer takes the rotated refresh token alone.
    let file = at("state/gaud/tokens/one.json");
    let text = std::fs::read(&file).expect("a file");
    let mut stored: Value = serde_json::from_slice(&text).expect("JSON");
    stored["since_ms"] = 0.into();
    std::fs::write(&file, stored.to_string()).expect("a file");
    let third = start();
    wait_for_answer(&third, "third");
    assert_eq!(shown(&one, "third"), ["Bearer token-2"]);
}

#[test]
fn a_token_serves_until_its_end_while_the_issuer_fails() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(5, Fault::None);
    let run = Run::start(&config(&one, &issuer.refresh(), &two));
    wait_for_answer(&run, "first");
    issuer.set(Fault::Status(500));
    wait::until("a failure", || token(&run)["last_error"].is_string().then_some(()));
    assert_eq!(ask(&run, "meanwhile").status, 200, "the token lives");
    let said = "the issuer answers with status 500; the issuer is asked again";
    assert_eq!(token(&run)["last_error"], said);
    let answer = wait::until("the end of the token", || {
        let answer = ask(&run, "straight");
        (answer.status != 200).then_some(answer)
    });
    assert_has_no_token(&answer);
    assert_eq!(ask(&run, "chain").status, 200, "another target answers");
    run.wait_for("the provider 'one' gets no token: the issuer answers with status 500");
    issuer.set(Fault::None);
    wait_for_answer(&run, "again");
    assert_eq!(token(&run)["last_error"], Value::Null);
    assert_no_secret(&run);
}

#[test]
fn what_is_wrong_with_an_issuer_is_said() {
    for (fault, secret, scope, said) in [
        (
            Fault::Status(500),
            SECRET,
            SCOPE,
            "the issuer answers with status 500; the issuer is asked again",
        ),
        (
            Fault::NoToken,
            SECRET,
            SCOPE,
            "the issuer's answer has no access token; the issuer is asked again",
        ),
        (
            Fault::None,
            "wrong",
            SCOPE,
            "the issuer answers invalid_client; the issuer is asked again",
        ),
        (
            Fault::None,
            SECRET,
            "wrong",
            "the issuer answers invalid_scope; the issuer is asked again",
        ),
        (
            Fault::Silent,
            SECRET,
            SCOPE,
            "the issuer does not answer: there was no answer within 10 s; the issuer is asked again",
        ),
    ] {
        let [one, two] = [(); 2].map(|()| Provider::start());
        let issuer = Issuer::start(LONG_SECS, fault);
        let auth = issuer.refresh_with(secret, scope, ", token = \"refresh-0\"");
        let run = Run::start(&config(&one, &auth, &two));
        wait::until("a question for a token", || (issuer.asked() > 0).then_some(()));
        assert_has_no_token(&ask(&run, "straight"));
        let own = wait::until("an error", || {
            Some(token(&run)).filter(|own| own["last_error"].is_string())
        });
        assert_eq!(own["last_error"], said);
        assert!(one.all().is_empty(), "nothing reaches the provider without a token");
        // The next question comes when the silence is over.
        if fault != Fault::Silent && secret == SECRET && scope == SCOPE {
            issuer.set(Fault::None);
            wait_for_answer(&run, "straight");
        }
        assert_no_secret(&run);
    }
}

#[test]
fn refresh_tokens_need_a_control_server() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(LONG_SECS, Fault::None);
    let folder = tempfile::tempdir().expect("a folder").keep();
    let with = config(&one, &issuer.refresh(), &two);
    std::fs::write(folder.join("gaud.toml"), config(&one, "auth = \"none\"", &two))
        .expect("a file");
    let run = Run::start_in(folder, &["--no-control"]);
    run.write(&with);
    run.wait_for(
        "auth.refresh_token keeps its tokens in the data folder of the control server; start without --no-control",
    );
    assert_eq!((ask(&run, "straight").status, issuer.asked()), (200, 0));
}
