//! The tokens that the keeper, the configuration in effect and the control server share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::shown::{Shown, State};
use crate::native::lock::lock;
use crate::native::render::AccessTokens;
use crate::native::settings::{Loaded, Refresh, Token};

/// When Envoy is given again what it could not be given.
const AGAIN: Duration = Duration::from_secs(2);

/// The tokens of all providers. Clones share them.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Shared>);

#[derive(Default)]
struct Shared {
    now: Mutex<Now>,
    changed: Notify,
}

#[derive(Default)]
struct Now {
    /// Of the configuration in effect.
    wanted: Vec<Token>,
    access: AccessTokens,
    states: BTreeMap<String, State>,
}

impl Tokens {
    fn now(&self) -> MutexGuard<'_, Now> {
        lock(&self.0.now)
    }

    /// These providers have tokens from now on.
    pub fn want(&self, loaded: &Loaded) {
        self.now().wanted.clone_from(&loaded.tokens);
    }

    /// What Envoy is to have now.
    pub fn access(&self) -> AccessTokens {
        self.now().access.clone()
    }

    /// Returns when Envoy is to have others. One task waits.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Says a little later that Envoy is to have others.
    pub fn again(&self) {
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            sleep(AGAIN).await;
            shared.changed.notify_one();
        });
    }

    #[cfg(test)]
    pub(super) fn want_refresh(&self, provider: &str, settings: Refresh) {
        let source = crate::native::settings::TokenSource::Refreshed(Box::new(settings));
        let token = Token { provider: provider.to_owned(), variable: None, source };
        self.now().wanted = vec![token];
    }

    pub(super) fn wanted(&self) -> BTreeMap<String, Refresh> {
        let now = self.now();
        Loaded::refreshes_of(&now.wanted)
            .map(|(name, own)| (name.to_owned(), own.clone()))
            .collect()
    }

    pub(super) fn publish(&self, access: AccessTokens, states: BTreeMap<String, State>) {
        let mut now = self.now();
        now.states = states;
        if now.access != access {
            now.access = access;
            self.0.changed.notify_one();
        }
    }

    /// What is known of each credential that Envoy adds, by the provider's name.
    pub fn shown(&self) -> BTreeMap<String, Shown> {
        let (wanted, states) = {
            let now = self.now();
            (now.wanted.clone(), now.states.clone())
        };
        let shown = |token: &Token| {
            let state = states.get(&token.provider);
            (token.provider.clone(), Shown::of(&token.source, state))
        };
        wanted.iter().map(shown).collect()
    }
}
