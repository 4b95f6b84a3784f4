//! An issuer of access tokens: for clients with a secret (RFC 6749, section 4.4), for refresh tokens, each of which it takes
//! once (section 6), and for codes that a person types in (RFC 8628). Its tokens expire, and the test says what is wrong with
//! the issuer.

use super::upstream::{Answer, Gate, Provider, Seen};
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
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
    /// Answers when the test lets it.
    Slow,
    /// Its clock is years wrong.
    Skewed,
}

/// The issuer. Tokens are `token-1`, `token-2` and so on, and so are `refresh-0`, `refresh-1` and so on.
pub(crate) struct Issuer {
    server: Provider,
    state: Arc<State>,
}

struct State {
    given: AtomicU64,
    asked: AtomicU64,
    lifetime_secs: AtomicU64,
    fault: Mutex<Fault>,
    /// Held by [`Fault::Slow`].
    slow: Gate,
    /// What is answered about a code before the tokens.
    person: Mutex<VecDeque<&'static str>>,
    /// For how many seconds a code lives.
    code_secs: Mutex<f64>,
}

impl Issuer {
    pub(crate) fn start(lifetime_secs: u64, fault: Fault) -> Self {
        let state = Arc::new(State {
            given: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            lifetime_secs: AtomicU64::new(lifetime_secs),
            fault: Mutex::new(fault),
            slow: Gate::closed(),
            person: Mutex::default(),
            code_secs: Mutex::new(60.0),
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

    /// The settings of a provider that gets this issuer's tokens for refresh tokens, with these further fields.
    pub(crate) fn refresh_with(&self, secret: &str, scope: &str, further: &str) -> String {
        format!(
            "auth = {{ refresh_token = {{ token_url = \"{url}/token\", device_url = \"{url}/device\", client_id = \"{CLIENT}\", client_secret = \"{secret}\", scopes = [\"{scope}\"]{further} }} }}",
            url = self.server.url()
        )
    }

    /// The same with the first refresh token.
    pub(crate) fn refresh(&self) -> String {
        self.refresh_with(SECRET, SCOPE, ", token = \"refresh-0\"")
    }

    /// What the issuer answers about the next code before the tokens, and for how long the code lives.
    pub(crate) fn person(&self, answers: &[&'static str], code_secs: f64) {
        *self.state.person.lock().expect("answers") = answers.iter().copied().collect();
        *self.state.code_secs.lock().expect("seconds") = code_secs;
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.state.fault.lock().expect("a fault") = fault;
    }

    /// Lets a slow issuer answer.
    pub(crate) fn answer(&self) {
        self.state.slow.open();
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
            Fault::Skewed => Some(self.token(seen).header("date", "Fri, 01 Jan 1999 00:00:00 GMT")),
            Fault::Status(status) => Some(Answer::json(status, &json!({"error": "server_error"}))),
            Fault::NoToken => Some(Answer::json(200, &json!({"token_type": "Bearer"}))),
            Fault::Silent => None,
            Fault::Slow => Some(self.token(seen).held_by(&self.slow)),
        }
    }

    fn token(&self, seen: &Seen) -> Answer {
        let form = fields(&seen.text());
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let refuse = |error: &str| Answer::json(400, &json!({ "error": error }));
        if field("client_id") != CLIENT || field("client_secret") != SECRET {
            return refuse("invalid_client");
        }
        let is_of_device = field("grant_type").ends_with(":device_code");
        if !is_of_device && field("scope") != SCOPE {
            return refuse("invalid_scope");
        }
        if seen.path == "/device" {
            return self.code();
        }
        match field("grant_type") {
            "client_credentials" => self.tokens(false),
            "refresh_token" if field("refresh_token") == self.refresh_token() => self.tokens(true),
            "refresh_token" => refuse("invalid_grant"),
            _ if is_of_device && field("device_code") == "the-device" => {
                match self.person.lock().expect("answers").pop_front() {
                    Some("500") => Answer::json(500, &json!({"error": "server_error"})),
                    Some(error) => refuse(error),
                    None => self.tokens(true),
                }
            }
            _ => refuse("unsupported_grant_type"),
        }
    }

    fn code(&self) -> Answer {
        Answer::json(
            200,
            &json!({
                "device_code": "the-device",
                "user_code": "WXYZ-1234",
                "verification_uri": "https://issuer.example.com/device",
                "expires_in": *self.code_secs.lock().expect("seconds"),
                "interval": 0.02,
            }),
        )
    }

    /// The only one that is taken.
    fn refresh_token(&self) -> String {
        format!("refresh-{}", self.given.load(SeqCst))
    }

    fn tokens(&self, with_refresh: bool) -> Answer {
        let number = self.given.fetch_add(1, SeqCst) + 1;
        let mut tokens = json!({
            "access_token": format!("token-{number}"),
            "token_type": "Bearer",
            "expires_in": self.lifetime_secs.load(SeqCst),
        });
        if with_refresh {
            tokens["refresh_token"] = self.refresh_token().into();
        }
        Answer::json(200, &tokens)
    }
}

fn fields(form: &str) -> HashMap<String, String> {
    let decoded =
        |text: &str| percent_decode_str(text).decode_utf8().expect("UTF-8").replace('+', " ");
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}
