//! An issuer of access tokens, for clients with a secret (RFC 6749, section 4.4). Its tokens expire, and the test says what
//! is wrong with the issuer.

use super::upstream::{Answer, Provider, Seen};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

pub(crate) const CLIENT: &str = "gateway";
pub(crate) const SECRET: &str = "secret-of-the-client";
pub(crate) const SCOPE: &str = "models";

/// What is wrong with an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Answers with this status.
    Status(u16),
    /// Answers with something else than a token.
    NoToken,
    /// Never answers.
    Silent,
}

/// The issuer. Tokens are `token-1`, `token-2` and so on.
pub(crate) struct Issuer {
    server: Provider,
    state: Arc<State>,
}

struct State {
    given: AtomicU64,
    asked: AtomicU64,
    lifetime_secs: AtomicU64,
    fault: Mutex<Fault>,
}

impl Issuer {
    pub(crate) fn start(lifetime_secs: u64, fault: Fault) -> Self {
        let state = Arc::new(State {
            given: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            lifetime_secs: AtomicU64::new(lifetime_secs),
            fault: Mutex::new(fault),
        });
        let own = Arc::clone(&state);
        let server = Provider::answering(move |seen| {
            let state = Arc::clone(&own);
            Box::pin(async move {
                match state.answer(&seen) {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            })
        });
        Self { server, state }
    }

    /// The settings of a provider that gets this issuer's tokens.
    pub(crate) fn auth(&self) -> String {
        self.auth_with(SECRET, SCOPE)
    }

    pub(crate) fn auth_with(&self, secret: &str, scope: &str) -> String {
        format!(
            "auth = {{ oauth2 = {{ token_url = \"{}/token\", client_id = \"{CLIENT}\", client_secret = \"{secret}\", scopes = [\"{scope}\"] }} }}",
            self.server.url()
        )
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.state.fault.lock().expect("a fault") = fault;
    }

    /// How many tokens were given.
    pub(crate) fn given(&self) -> u64 {
        self.state.given.load(SeqCst)
    }

    /// How often a token was asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.state.asked.load(SeqCst)
    }
}

impl State {
    /// `None` where the issuer is silent.
    fn answer(&self, seen: &Seen) -> Option<Answer> {
        self.asked.fetch_add(1, SeqCst);
        match *self.fault.lock().expect("a fault") {
            Fault::None => Some(self.token(seen)),
            Fault::Status(status) => Some(Answer::json(status, &json!({"error": "server_error"}))),
            Fault::NoToken => Some(Answer::json(200, &json!({"token_type": "Bearer"}))),
            Fault::Silent => None,
        }
    }

    fn token(&self, seen: &Seen) -> Answer {
        let form = seen.text();
        let has = |pair: String| form.split('&').any(|own| own == pair);
        let refuse = |error: &str| Answer::json(400, &json!({ "error": error }));
        if !has("grant_type=client_credentials".to_owned()) {
            return refuse("unsupported_grant_type");
        }
        if !has(format!("client_id={CLIENT}")) || !has(format!("client_secret={SECRET}")) {
            return refuse("invalid_client");
        }
        if !has(format!("scope={SCOPE}")) {
            return refuse("invalid_scope");
        }
        let number = self.given.fetch_add(1, SeqCst) + 1;
        Answer::json(
            200,
            &json!({
                "access_token": format!("token-{number}"),
                "token_type": "Bearer",
                "expires_in": self.lifetime_secs.load(SeqCst),
            }),
        )
    }
}
