//! Keeps an access token at hand for each provider that wants one: asks issuers in time, stores what they give, and tells
//! Envoy's files.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use tokio::select;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::answer::{Grant, Problem};
use super::credential::Credential;
use super::shown::State;
use super::store::{Place, Store, Stored};
use super::tokens::Tokens;
use super::{issuer, now_ms};
use crate::native::os_error::words;
use crate::native::render::{AccessTokens, system_ca_file};
use crate::native::settings::{Env, Loaded, Refresh};

/// How often the keeper looks whether a token is due, and whether a person has logged in.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The keeper of the tokens of all providers.
pub struct Keeper {
    store: Store,
    tokens: Tokens,
    /// The authorities of issuers.
    ca_file: String,
    kept: BTreeMap<String, Kept>,
    /// What a person should know and has not been told.
    news: Vec<String>,
}

/// A provider's tokens.
struct Kept {
    settings: Refresh,
    /// `None` without a refresh token.
    credential: Option<Credential>,
    /// Why the files are not as they should be.
    trouble: Option<String>,
    /// The file of a login that was taken over has the only token that is stored.
    needs_login_file: bool,
}

/// What has become of a question: the provider, and the answer.
type Answered = (String, Result<Grant, Problem>);

impl Keeper {
    /// Takes over what a run before has left.
    pub fn open(data: &Path, loaded: &Loaded, env: Env<'_>) -> Self {
        let tokens = Tokens::default();
        tokens.want(loaded);
        let mut own = Self {
            store: Store::in_folder(data),
            tokens,
            ca_file: system_ca_file(true, env),
            kept: BTreeMap::new(),
            news: Vec::new(),
        };
        own.follow();
        own.publish(now_ms());
        own
    }

    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Never returns.
    pub async fn keep(mut self, log: impl Fn(String)) -> Infallible {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut questions: JoinSet<Answered> = JoinSet::new();
        loop {
            select! {
                _ = looks.tick() => {}
                Some(Ok((provider, answer))) = questions.join_next() => {
                    self.answered(&provider, now_ms(), answer);
                }
            }
            self.follow();
            for (provider, settings, token) in self.due(now_ms()) {
                let ca_file = self.ca_file.clone();
                questions.spawn(async move {
                    (provider, issuer::refresh(&settings, &token, &ca_file).await)
                });
            }
            self.publish(now_ms());
            self.news.drain(..).for_each(&log);
        }
    }

    /// Follows the configuration and the logins. What is asked for stays until the answer: the answer may have the only refresh
    /// token that is left.
    fn follow(&mut self) {
        let wanted = self.tokens.wanted();
        self.kept.retain(|name, own| wanted.contains_key(name) || own.is_asking());
        for (name, settings) in wanted {
            let kept = self.kept.get(&name);
            if kept.is_none_or(|own| own.settings != settings && !own.is_asking()) {
                let kept = self.taken_up(&name, settings);
                self.kept.insert(name.clone(), kept);
            }
            self.take_login(&name);
        }
    }

    /// What this process has for these settings, which may be newer than what could be stored; else what the store has; else what
    /// the settings themselves have.
    fn taken_up(&mut self, name: &str, settings: Refresh) -> Kept {
        let held = self.kept.remove(name);
        if let Some(kept) = held.and_then(|own| own.under(&settings)) {
            return kept;
        }
        let (stored, trouble) = match self.store.read(name, Place::Kept) {
            Ok(stored) => (stored, None),
            Err(problem) => (None, Some(problem)),
        };
        let stored = stored.filter(|own| own.fits(&settings)).map(Stored::credential);
        let first = || Some(Credential::begin(settings.first.clone()?, None));
        let credential = stored.or_else(first);
        if credential.is_none() {
            self.news.push(format!("the provider '{name}' has no refresh token; {}", login(name)));
        }
        Kept { settings, credential, trouble, needs_login_file: false }
    }

    /// Takes over what `gaud login` has left.
    fn take_login(&mut self, name: &str) {
        let may_take = |own: &&mut Kept| !own.is_asking() && !own.needs_login_file;
        let Some(kept) = self.kept.get_mut(name).filter(may_take) else { return };
        let stored = match self.store.read(name, Place::Login) {
            Ok(None) => return,
            Ok(Some(stored)) if stored.is_for(&kept.settings) => stored,
            // As `gaud login` of another user leaves it, perhaps; said once.
            Err(problem) => {
                if kept.trouble.as_ref() != Some(&problem) {
                    self.news.push(format!("the provider '{name}': {problem}"));
                    kept.trouble = Some(problem);
                }
                return;
            }
            // The file is of another client or of another issuer.
            Ok(Some(_)) => {
                let _ = self.store.remove(name, Place::Login);
                self.news.push(format!(
                    "the login for the provider '{name}' is for another client or issuer; {}",
                    login(name)
                ));
                return;
            }
        };
        kept.credential = Some(stored.credential());
        kept.trouble = None;
        kept.needs_login_file = true;
        self.put(name);
        self.news.push(format!("the provider '{name}' has a new refresh token"));
    }

    /// The refresh tokens that must go to their issuers now.
    fn due(&mut self, now_ms: u64) -> Vec<(String, Refresh, crate::config::Secret)> {
        let due = |(name, own): (&String, &mut Kept)| {
            let token = own.credential.as_mut()?.step(now_ms)?;
            Some((name.clone(), own.settings.clone(), token))
        };
        self.kept.iter_mut().filter_map(due).collect()
    }

    fn answered(&mut self, name: &str, now_ms: u64, answer: Result<Grant, Problem>) {
        let credential = self.kept.get_mut(name).and_then(|own| own.credential.as_mut());
        let Some(credential) = credential else { return };
        let is_token = answer.is_ok();
        credential.answered(now_ms, answer);
        if is_token {
            self.put(name);
        } else if let Some((_, problem)) =
            credential.last().filter(|(_, own)| credential.has_just_failed() || own.is_final())
        {
            let remedy = remedy(name, problem);
            self.news.push(format!("the provider '{name}' gets no token: {problem}; {remedy}"));
        }
    }

    /// Stores what a provider has. A refresh token that is not stored serves until the end of this process; the file of its login
    /// stays until then.
    fn put(&mut self, name: &str) {
        let Some(Kept { settings, credential: Some(credential), trouble, needs_login_file }) =
            self.kept.get_mut(name)
        else {
            return;
        };
        let access = credential.access(0);
        let stored = Stored::of(settings, &credential.refresh, access);
        let put = self.store.put(name, Place::Kept, &stored);
        *trouble = put.err().map(|error| {
            format!("the refresh token cannot be stored in the data folder: {}", words(&error))
        });
        if trouble.is_none() && std::mem::take(needs_login_file) {
            let _ = self.store.remove(name, Place::Login);
        }
        if let Some(trouble) = trouble {
            self.news.push(format!("the provider '{name}': {trouble}"));
        }
    }

    fn publish(&self, now_ms: u64) {
        let mut access = AccessTokens::new();
        let mut states = BTreeMap::new();
        for (name, own) in &self.kept {
            let serving = own.credential.as_ref().and_then(|own| own.access(now_ms));
            if let Some(serving) = serving {
                access.insert(name.clone(), serving.token.clone());
            }
            states.insert(name.clone(), own.state(name, serving.and_then(|own| own.end_ms())));
        }
        self.tokens.publish(access, states);
    }
}

impl Kept {
    /// The same tokens under other settings; `None` where the tokens are not for these settings.
    fn under(self, settings: &Refresh) -> Option<Self> {
        let own = self.credential.as_ref()?;
        let stored = Stored::of(&self.settings, &own.refresh, own.access(0));
        let credential = stored.fits(settings).then(|| stored.credential())?;
        Some(Self { settings: settings.clone(), credential: Some(credential), ..self })
    }

    fn is_asking(&self) -> bool {
        self.credential.as_ref().is_some_and(Credential::is_asking)
    }

    fn state(&self, name: &str, valid_until_ms: Option<u64>) -> State {
        let last = self.credential.as_ref().and_then(Credential::last);
        let (problem_at_ms, problem) = match (last, &self.trouble, &self.credential) {
            (Some((at_ms, problem)), ..) => {
                (Some(*at_ms), Some(format!("{problem}; {}", remedy(name, problem))))
            }
            (None, Some(trouble), _) => (None, Some(trouble.clone())),
            (None, None, None) => {
                (None, Some(format!("there is no refresh token; {}", login(name))))
            }
            (None, None, Some(_)) => (None, None),
        };
        State { valid_until_ms, problem, problem_at_ms }
    }
}

fn remedy(name: &str, problem: &Problem) -> String {
    if problem.is_final() { login(name) } else { "the issuer is asked again".to_owned() }
}

fn login(name: &str) -> String {
    format!("run `gaud login {name}`, or set providers.{name}.auth.refresh_token.token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::native::refresh::testing::settings;

    /// A keeper of the provider `p`, as at the start of a run.
    fn keeper(data: &Path, settings: Refresh) -> Keeper {
        let tokens = Tokens::default();
        tokens.want_refresh("p", settings);
        let (store, ca_file) = (Store::in_folder(data), String::new());
        let mut own = Keeper { store, tokens, ca_file, kept: BTreeMap::new(), news: Vec::new() };
        own.follow();
        own.publish(0);
        own
    }

    fn sent(keeper: &mut Keeper, now_ms: u64) -> Option<String> {
        keeper.follow();
        Some(keeper.due(now_ms).pop()?.2.expose().to_owned())
    }

    fn grant(access: &str, refresh: &str) -> Result<Grant, Problem> {
        let refresh = Some(Secret::new(refresh));
        let lifetime_ms = Some(100_000);
        Ok(Grant { access: Secret::new(access), lifetime_ms, refresh, scopes: None })
    }

    fn access(keeper: &Keeper, now_ms: u64) -> Option<String> {
        keeper.publish(now_ms);
        keeper.tokens.access().get("p").map(|own| own.expose().to_owned())
    }

    fn login_file(data: &Path, settings: &Refresh, token: &str) {
        let stored = Stored::of(settings, &Secret::new(token), None);
        Store::in_folder(data).put("p", Place::Login, &stored).unwrap();
    }

    #[test]
    fn a_refresh_token_that_was_rotated_outlives_the_process() {
        let data = tempfile::tempdir().unwrap();
        let own = || settings("http://i/token", "me", Some("r0"));
        let mut first = keeper(data.path(), own());
        assert_eq!(sent(&mut first, 1000).as_deref(), Some("r0"));
        first.answered("p", 1000, grant("a1", "r1"));
        drop(first);
        let mut second = keeper(data.path(), own());
        assert_eq!(access(&second, 50_000).as_deref(), Some("a1"));
        assert_eq!(sent(&mut second, 80_000), None);
        assert_eq!(sent(&mut second, 81_000).as_deref(), Some("r1"));
        // The token serves while the question is open, and not longer than it lives.
        assert_eq!(access(&second, 100_999).as_deref(), Some("a1"));
        assert_eq!(access(&second, 101_000), None);
    }

    #[test]
    fn another_token_in_the_settings_begins_anew_and_another_issuer_sees_nothing() {
        let data = tempfile::tempdir().unwrap();
        let mut own = keeper(data.path(), settings("http://i/token", "me", Some("r0")));
        sent(&mut own, 0);
        own.answered("p", 0, grant("a1", "r1"));
        let mut other = keeper(data.path(), settings("http://i/token", "me", Some("s0")));
        assert_eq!(sent(&mut other, 0).as_deref(), Some("s0"));
        let mut elsewhere = keeper(data.path(), settings("http://other/token", "me", None));
        assert_eq!((sent(&mut elsewhere, 0), access(&elsewhere, 0)), (None, None));
        let said = "there is no refresh token; run `gaud login p`, or set providers.p.auth.refresh_token.token";
        let shown = elsewhere.tokens.shown();
        assert_eq!(shown["p"].last_error.as_deref(), Some(said));
    }

    #[test]
    fn a_login_waits_for_the_answer_under_way_and_wins() {
        let data = tempfile::tempdir().unwrap();
        let config = settings("http://i/token", "me", Some("r0"));
        let mut own = keeper(data.path(), config.clone());
        assert_eq!(sent(&mut own, 0).as_deref(), Some("r0"));
        login_file(data.path(), &config, "l0");
        own.follow();
        own.answered("p", 0, Err(Problem::Refused("invalid_grant".to_owned())));
        assert_eq!(sent(&mut own, 1).as_deref(), Some("l0"));
        assert!(own.store.read("p", Place::Login).unwrap().is_none(), "it is taken over");
        // A login for another client is not used, and does not stay.
        own.answered("p", 1, grant("a", "l1"));
        login_file(data.path(), &settings("http://i/token", "you", None), "x");
        assert_eq!(sent(&mut own, 90_000).as_deref(), Some("l1"));
        assert!(own.store.read("p", Place::Login).unwrap().is_none());
    }

    #[test]
    fn a_change_waits_for_the_answer_under_way() {
        let data = tempfile::tempdir().unwrap();
        let mut own = keeper(data.path(), settings("http://i/token", "me", Some("r0")));
        sent(&mut own, 0);
        let mut scoped = settings("http://i/token", "me", Some("r0"));
        scoped.issuer.scopes.push("models".to_owned());
        own.tokens.want_refresh("p", scoped);
        own.follow();
        own.answered("p", 0, grant("a", "r1"));
        assert_eq!(sent(&mut own, 80_000).as_deref(), Some("r1"), "the only one that is left");
        assert_eq!(own.kept["p"].settings.issuer.scopes, ["models"]);
    }

    #[test]
    fn a_token_that_could_not_be_stored_outlives_a_change() {
        let data = tempfile::tempdir().unwrap();
        let mut own = keeper(data.path(), settings("http://i/token", "me", Some("r0")));
        sent(&mut own, 0);
        std::fs::write(data.path().join("tokens"), "no folder").unwrap();
        own.answered("p", 0, grant("a", "r1"));
        assert!(own.kept["p"].trouble.is_some());
        let mut scoped = settings("http://i/token", "me", Some("r0"));
        scoped.issuer.scopes.push("models".to_owned());
        own.tokens.want_refresh("p", scoped);
        assert_eq!(sent(&mut own, 80_000).as_deref(), Some("r1"));
        own.answered("p", 80_000, grant("b", "r2"));
        own.tokens.want_refresh("p", settings("http://i/token", "you", Some("r0")));
        assert_eq!(
            sent(&mut own, 80_001).as_deref(),
            Some("r0"),
            "another client's token stays here"
        );
    }

    #[test]
    fn what_is_wrong_is_told_once_and_shown_without_a_token() {
        let data = tempfile::tempdir().unwrap();
        let mut own = keeper(data.path(), settings("http://i/token", "me", Some("sk-r0")));
        for at in [0, 10_000] {
            sent(&mut own, at);
            own.answered("p", at, Err(Problem::Status(500)));
        }
        assert_eq!(
            own.news,
            [
                "the provider 'p' gets no token: the issuer answers with status 500; the issuer is asked again"
            ]
        );
        own.publish(0);
        let shown = own.tokens.shown()["p"].clone();
        assert_eq!(shown.last_error_secs, Some(10));
        let text = serde_json::to_string(&shown).unwrap();
        assert!(text.contains("status 500") && !text.contains("sk-"), "{text}");
    }
}
