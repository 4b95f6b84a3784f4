//! Tokens that change under load and beside a stream: no request fails, and no stream is cut.

use super::refresh::{assert_no_secret, token};
use super::tokens::{chat, config, wait_for_answer};
use crate::kit::client::{Client, Line, Request, Response, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::issuer::{Fault, Issuer};
use crate::kit::load::Load;
use crate::kit::upstream::pipe::Pump;
use crate::kit::upstream::{Answer, Provider};
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CLIENTS: usize = 12;

/// An issuer's tokens live for so long.
const SHORT_SECS: u64 = 4;

/// The credentials that a provider was shown, each once.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<BTreeSet<String>>>);

impl Shown {
    fn all(&self) -> BTreeSet<String> {
        self.0.lock().expect("a set").clone()
    }
}

/// A provider whose answer to the case `stream` the test writes, and that answers all else at once.
fn provider() -> (Provider, Shown, Pump) {
    let (stream, pump) = Answer::events();
    let (stream, shown) = (Mutex::new(Some(stream)), Shown::default());
    let heard = shown.clone();
    let provider = Provider::answering(move |request| {
        let credential = request.header("authorization").unwrap_or_default();
        heard.0.lock().expect("a set").insert(credential);
        let is_stream = request.header("x-case").as_deref() == Some("stream");
        let answer = if is_stream { stream.lock().expect("an answer").take() } else { None };
        Box::pin(async { answer.unwrap_or_else(Answer::completion) })
    });
    (provider, shown, pump)
}

/// Requests for `one` by many clients, and the answers other than 200.
fn load(run: &Run) -> (Load, Arc<Mutex<Vec<Option<Response>>>>) {
    let addr = run.addr();
    let failed = Arc::new(Mutex::new(Vec::new()));
    let failures = Arc::clone(&failed);
    let load = Load::start(
        CLIENTS,
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

/// Runs a gateway whose provider has this `auth`, and lets the token change so often, with clients that ask all the time and a
/// stream under way. `change` is told the number of the change.
fn rotate(auth: &str, changes: usize, change: impl Fn(&Run, usize)) -> (Run, Shown) {
    let ((one, shown, mut pump), two) = (provider(), Provider::start());
    let run = Run::start(&config(&one, auth, &two));
    wait_for_answer(&run, "first");
    let mut stream = h1::Connection::open(run.addr());
    stream.send_request(&Request::chat(r#"{"model":"one:m","messages":[]}"#).case("stream"));
    pump.send(b"data: {\"choices\":[{}]}\n\n").expect("a gateway that reads");
    let head = stream.head();
    let (load, failed) = load(&run);
    for number in 1..=changes {
        let before = shown.all().len();
        change(&run, number);
        wait::until_true("another token", || shown.all().len() > before);
    }
    load.stop(0);
    load.join();
    assert!(failed.lock().expect("a list").is_empty(), "{:?}", failed.lock().expect("a list"));
    pump.send(b"data: [DONE]\n\n").expect("the stream goes on");
    drop(pump);
    let response = stream.body(head);
    assert!(response.complete && response.text().ends_with("data: [DONE]\n\n"));
    (run, shown)
}

pub(super) fn replace(path: &Path, token: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, format!("{token}\n")).expect("a file");
    std::fs::rename(next, path).expect("a place");
}

#[test]
fn a_token_of_a_file_is_rotated_and_no_request_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    replace(&path, "sk-file-0");
    let auth = format!("auth = {{ token_file = \"{}\" }}", path.display());
    let (run, shown) = rotate(&auth, 5, |_, number| replace(&path, &format!("sk-file-{number}")));
    let expected = (0..=5).map(|number| format!("Bearer sk-file-{number}"));
    assert_eq!(shown.all(), expected.collect());
    let dump =
        run.admin().get("/config_dump?include_eds") + &run.admin().get("/stats") + &run.log();
    assert!(!dump.contains("sk-file"), "a token shows");
}

#[test]
fn tokens_that_envoy_gets_are_rotated_and_no_request_fails() {
    let issuer = Issuer::start(SHORT_SECS, Fault::None);
    let (run, shown) = rotate(&issuer.auth(), 2, |_, _| ());
    // The last may be on its way.
    let expected: BTreeSet<_> =
        (1..=issuer.given()).map(|number| format!("Bearer token-{number}")).collect();
    assert!(shown.all().len() >= 3 && shown.all().is_subset(&expected), "{:?}", shown.all());
    assert_no_secret(&run);
}

#[test]
fn tokens_for_a_refresh_token_are_rotated_and_no_request_fails() {
    let issuer = Issuer::start(SHORT_SECS, Fault::None);
    // A configuration that is refused meanwhile changes nothing.
    let (run, _) = rotate(&issuer.refresh(), 2, |run, _| run.write("nonsense = 1\n"));
    let file = run.folder().join("state/gaud/tokens/one.json");
    assert_eq!(std::fs::metadata(file).expect("a file").permissions().mode() & 0o777, 0o600);
    let own = token(&run);
    assert_eq!(
        (&own["kind"], &own["last_error"]),
        (&"refresh_token".into(), &Value::Null),
        "{own}"
    );
    assert!(own["valid_until_secs"].as_i64() > Some(1_700_000_000), "{own}");
    assert_no_secret(&run);
}
