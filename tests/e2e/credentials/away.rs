//! Tokens for a refresh token while `gaud` does nothing: Envoy has the last one, and cannot know its end.

use super::refresh::{assert_no_secret, token};
use super::tokens::{ask, config, wait_for_answer};
use crate::kit::harness::{Run, wait};
use crate::kit::issuer::{Fault, Issuer};
use crate::kit::upstream::{Answer, Provider};
use rustix::process::Signal;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const LIFETIME_SECS: u64 = 5;

/// A `gaud run` that does nothing while this lives; its Envoy serves.
struct Stopped<'a>(&'a Run);

impl<'a> Stopped<'a> {
    fn new(run: &'a Run) -> Self {
        run.signal(Signal::STOP);
        Self(run)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

/// What a provider was last shown, and what it no longer takes.
#[derive(Default)]
struct Credentials {
    last: String,
    ended: Option<String>,
}

fn provider() -> (Provider, Arc<Mutex<Credentials>>) {
    let credentials = Arc::new(Mutex::new(Credentials::default()));
    let own = Arc::clone(&credentials);
    let provider = Provider::answering(move |request| {
        let mut own = own.lock().expect("credentials");
        own.last = request.header("authorization").unwrap_or_default();
        let is_ended = own.ended.as_ref() == Some(&own.last);
        Box::pin(async move {
            match is_ended {
                true => Answer::json(401, &json!({"error": {"message": "the token has ended"}})),
                false => Answer::completion(),
            }
        })
    });
    (provider, credentials)
}

#[test]
fn a_token_serves_on_while_gaud_is_away_and_the_next_comes_when_gaud_is_back() {
    let ((one, credentials), two) = (provider(), Provider::start());
    let last = || credentials.lock().expect("credentials").last.clone();
    let issuer = Issuer::start(LIFETIME_SECS, Fault::None);
    let run = Run::start(&config(&one, &issuer.refresh(), &two));
    wait_for_answer(&run, "first");
    let stopped = Stopped::new(&run);
    let (began, given) = (Instant::now(), issuer.given());
    assert_eq!(ask(&run, "straight").status, 200);
    let served = last();
    assert!(served.starts_with("Bearer token-"), "{served}");
    // The whole lifetime, without a question at the issuer: the token is past its end then.
    wait::until_true("the end of the token", || {
        assert_eq!(ask(&run, "straight").status, 200, "{}", run.log());
        assert_eq!((last(), issuer.given()), (served.clone(), given));
        began.elapsed() > Duration::from_secs(LIFETIME_SECS)
    });
    // Nobody but the provider knows that the token has ended, and the client reads what the provider says.
    credentials.lock().expect("credentials").ended = Some(served);
    let answer = ask(&run, "straight");
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(answer.text().contains("the token has ended"), "{}", answer.text());
    drop(stopped);
    wait::until("another token", || (ask(&run, "straight").status == 200).then_some(()));
    assert!(issuer.given() > given);
    assert!(token(&run)["last_error"].is_null());
    assert_no_secret(&run);
}
