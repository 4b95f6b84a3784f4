//! Who is logged in.
//!
//! | from | event | to |
//! |---|---|---|
//! | no session | a right admin key | a session with a new token |
//! | a session | a request, within [`IDLE_LIMIT`] of the last and [`LIFE_LIMIT`] of the first | the session |
//! | a session | a request later than that, or a logout | no session |
//!
//! Sessions are kept in memory, each under the hash of its token: a restart ends them. A session holds the hash of its admin
//! key, which is looked up at each request, so that a revoked key ends its sessions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::config::Secret;
use crate::keys::KeyHash;
use crate::native::lock::lock;

const IDLE_LIMIT: Duration = Duration::from_secs(12 * 3600);
const LIFE_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The most sessions; the one that was unused for longest makes room.
const SESSIONS_MAX: usize = 1000;

#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<KeyHash, Session>>);

#[derive(Debug)]
struct Session {
    admin_key: KeyHash,
    begun: Instant,
    used: Instant,
    /// What the next page tells.
    word: Option<String>,
}

impl Session {
    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE_LIMIT && now.duration_since(self.begun) < LIFE_LIMIT
    }
}

impl Sessions {
    /// Begins a session under a token that nobody has.
    pub(super) fn begin(&self, token: &Secret, admin_key: KeyHash, now: Instant) {
        let mut all = self.all();
        all.retain(|_, session| session.is_alive(now));
        if all.len() >= SESSIONS_MAX {
            let oldest = all.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| *id);
            oldest.map(|id| all.remove(&id));
        }
        let session = Session { admin_key, begun: now, used: now, word: None };
        all.insert(KeyHash::of(token.expose()), session);
    }

    /// The hash of the session's admin key, where the session is alive.
    pub(super) fn admin_key(&self, token: &Secret, now: Instant) -> Option<KeyHash> {
        let (mut all, id) = (self.all(), KeyHash::of(token.expose()));
        let session = all.get_mut(&id)?;
        if session.is_alive(now) {
            session.used = now;
            return Some(session.admin_key);
        }
        all.remove(&id);
        None
    }

    pub(super) fn end(&self, token: &Secret) {
        self.all().remove(&KeyHash::of(token.expose()));
    }

    /// Leaves a word for the session's next page.
    pub(super) fn leave_word(&self, token: &Secret, word: String) {
        if let Some(session) = self.all().get_mut(&KeyHash::of(token.expose())) {
            session.word = Some(word);
        }
    }

    pub(super) fn take_word(&self, token: &Secret) -> Option<String> {
        self.all().get_mut(&KeyHash::of(token.expose()))?.word.take()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<KeyHash, Session>> {
        lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn a_session_ends_when_it_is_unused_or_old_or_ended() {
        let (sessions, start, key) = (Sessions::default(), Instant::now(), KeyHash::of("key"));
        let hour = |hours: u64| start + Duration::from_secs(hours * 3600);
        sessions.begin(&token("idle"), key, start);
        sessions.begin(&token("used"), key, start);
        assert_eq!(sessions.admin_key(&token("used"), hour(11)), Some(key));
        assert_eq!(sessions.admin_key(&token("idle"), hour(12)), None);
        assert_eq!(sessions.admin_key(&token("other"), hour(12)), None);
        for hours in (22..168).step_by(11) {
            assert_eq!(sessions.admin_key(&token("used"), hour(hours)), Some(key), "{hours}");
        }
        assert_eq!(sessions.admin_key(&token("used"), hour(168)), None);
        sessions.begin(&token("ended"), key, start);
        sessions.end(&token("ended"));
        assert_eq!(sessions.admin_key(&token("ended"), start), None);
    }

    #[test]
    fn the_session_that_was_unused_for_longest_makes_room() {
        let (sessions, start, key) = (Sessions::default(), Instant::now(), KeyHash::of("key"));
        for number in 0..=SESSIONS_MAX {
            let at = start + Duration::from_secs(number as u64);
            sessions.begin(&token(&number.to_string()), key, at);
        }
        assert_eq!(sessions.all().len(), SESSIONS_MAX);
        assert_eq!(sessions.admin_key(&token("0"), start), None);
        assert_eq!(sessions.admin_key(&token("1"), start), Some(key));
    }

    #[test]
    fn a_word_is_told_once_and_to_its_session() {
        let (sessions, start, key) = (Sessions::default(), Instant::now(), KeyHash::of("key"));
        sessions.begin(&token("a"), key, start);
        sessions.begin(&token("b"), key, start);
        sessions.leave_word(&token("a"), "saved".to_owned());
        assert_eq!(sessions.take_word(&token("b")), None);
        assert_eq!(sessions.take_word(&token("a")).as_deref(), Some("saved"));
        assert_eq!(sessions.take_word(&token("a")), None);
    }
}
