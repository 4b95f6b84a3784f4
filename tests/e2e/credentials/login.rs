//! `gaud login`: a person types in a code at the issuer, and the gateway has a refresh token.

use super::refresh::{assert_no_secret, token};
use super::tokens::{ask, config, shown, wait_for_answer};
use crate::kit::harness::{Run, wait};
use crate::kit::issuer::{Fault, Issuer, SCOPE, SECRET};
use crate::kit::upstream::Provider;
use std::path::Path;
use std::process::Command;

const LONG_SECS: u64 = 3600;

const CODE: &str = "gaud: open https://issuer.example.com/device and type in WXYZ-1234\n";

fn login(folder: &Path, provider: &str) -> (bool, String) {
    gaud(folder, &["login", provider])
}

/// Whether a verb succeeds in a folder with a configuration, and what the verb says.
fn gaud(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaud"));
    command.args(arguments).current_dir(folder).env_clear();
    command.env("XDG_STATE_HOME", folder.join("state"));
    let output = command.output().expect("gaud runs");
    let said = [output.stderr, output.stdout].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_gateway_that_runs_takes_a_login_over() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(LONG_SECS, Fault::None);
    // The issuer does not know this refresh token.
    let auth = issuer.refresh_with(SECRET, SCOPE, ", token = \"refresh-9\"");
    let run = Run::start(&config(&one, &auth, &two));
    let refused = "the issuer refuses the refresh token; run `gaud login one`, or set providers.one.auth.refresh_token.token";
    wait::until("a refusal", || (token(&run)["last_error"] == refused).then_some(()));
    assert_eq!((ask(&run, "straight").status, issuer.asked()), (503, 1));
    issuer.person(&["authorization_pending", "authorization_pending"], 60.0);
    let said = login(run.folder(), "one");
    assert_eq!(said, (true, format!("{CODE}one: the refresh token is stored\n")));
    wait_for_answer(&run, "straight");
    assert_eq!(shown(&one, "straight"), ["Bearer token-1"]);
    run.wait_for("the provider 'one' has a new refresh token");
    let (succeeded, said) = gaud(run.folder(), &["status"]);
    assert!(succeeded && said.contains("\none: token: valid for "), "{said}");
    let tokens = run.folder().join("state/gaud/tokens");
    wait::until("one file", || (std::fs::read_dir(&tokens).ok()?.count() == 1).then_some(()));
    assert_no_secret(&run);
}

#[test]
fn a_login_before_the_first_run_is_enough() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let issuer = Issuer::start(LONG_SECS, Fault::None);
    let folder = tempfile::tempdir().expect("a folder").keep();
    let toml = config(&one, &issuer.refresh_with(SECRET, SCOPE, ""), &two);
    std::fs::write(folder.join("gaud.toml"), toml).expect("a file");
    // The issuer fails once; the question comes again.
    issuer.person(&["500"], 60.0);
    let (succeeded, said) = login(&folder, "one");
    assert!(succeeded, "{said}");
    let run = Run::start_in(folder, &[]);
    assert_eq!(ask(&run, "straight").status, 200, "the token is there at the start");
    assert_eq!(shown(&one, "straight"), ["Bearer token-1"]);
}

#[test]
fn a_login_that_fails_says_why_and_stores_nothing() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    for (fault, scope, person, code_secs, said) in [
        (
            Fault::None,
            SCOPE,
            &["access_denied"][..],
            60.0,
            "gaud: the issuer says that access was denied\n",
        ),
        (
            Fault::None,
            SCOPE,
            &["expired_token"],
            60.0,
            "gaud: the code has ended; run `gaud login` again\n",
        ),
        (
            Fault::None,
            SCOPE,
            &["authorization_pending"; 1000],
            0.2,
            "gaud: the code has ended; run `gaud login` again\n",
        ),
        (Fault::None, "wrong", &[], 60.0, "gaud: the issuer answers invalid_scope\n"),
        (Fault::Status(502), SCOPE, &[], 60.0, "gaud: the issuer answers with status 502\n"),
        (Fault::NoToken, SCOPE, &[], 60.0, "gaud: the issuer's answer has no code\n"),
    ] {
        let issuer = Issuer::start(LONG_SECS, fault);
        issuer.person(person, code_secs);
        let toml = config(&one, &issuer.refresh_with(SECRET, scope, ""), &two);
        std::fs::write(folder.path().join("gaud.toml"), toml).expect("a file");
        let begun = if person.is_empty() { "" } else { CODE };
        assert_eq!(login(folder.path(), "one"), (false, format!("{begun}{said}")));
        assert!(!folder.path().join("state/gaud/tokens").exists());
    }
    let wrong = "gaud: two has no auth.refresh_token; these providers have: one\n";
    assert_eq!(login(folder.path(), "two"), (false, wrong.to_owned()));
}
