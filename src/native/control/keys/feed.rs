//! The feed: filters ask for what has changed, and the next question of a filter says that the filter has taken the answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::config::Secret;
use crate::keys::KeyHash;
use crate::native::lock::lock;

/// How long an answer waits for the filters to take a change.
const TAKEN_LIMIT: Duration = Duration::from_secs(1);

/// How often the database is looked at: other processes change it too, such as `gaud key`.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The same where the database tells of changes.
const SLOW_LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// What the filters have asked and taken.
#[derive(Debug)]
pub struct Feed {
    /// What opens the feed.
    token: Secret,
    /// Whether Envoys elsewhere ask, each for itself.
    is_of_many: bool,
    look_interval: Duration,
    /// Counts the changes that were heard of.
    changed: watch::Sender<u64>,
    /// Counts the news of what filters have taken.
    news: watch::Sender<u64>,
    /// What each filter has taken.
    askers: Mutex<BTreeMap<u64, Asker>>,
}

/// A filter that asks.
#[derive(Debug)]
struct Asker {
    /// The number up to which it has taken all changes; `None` before it has asked for more than all.
    taken: Option<u64>,
    /// Until when it asks, as far as it has said.
    until: Instant,
}

impl Feed {
    /// The feed of one Envoy. Who has the token may ask. `has_news` says that the database tells of changes.
    pub fn of_one(token: Secret, has_news: bool) -> Self {
        Self::new(token, has_news, false)
    }

    /// The feed of any number of Envoys.
    pub fn of_many(token: Secret, has_news: bool) -> Self {
        Self::new(token, has_news, true)
    }

    fn new(token: Secret, has_news: bool, is_of_many: bool) -> Self {
        let look_interval = if has_news { SLOW_LOOK_INTERVAL } else { LOOK_INTERVAL };
        let (changed, news) = (watch::Sender::new(0), watch::Sender::new(0));
        Self { token, is_of_many, look_interval, changed, news, askers: Mutex::default() }
    }

    /// The token as the value of `authorization`.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.token.expose())
    }

    /// A change was made, with this number. Returns whether all filters have taken the change within a second.
    pub async fn spread(&self, number: u64) -> bool {
        self.look();
        self.is_asked() && timeout(TAKEN_LIMIT, self.taken(number)).await.is_ok()
    }

    /// Something may have changed: the questions that are held are answered, if so.
    pub fn look(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether all filters that ask have taken all changes up to this number.
    pub(crate) fn has_taken(&self, number: u64) -> bool {
        let askers = self.askers();
        let mut living = askers.values().filter(|asker| asker.until > Instant::now()).peekable();
        living.peek().is_some()
            && living.all(|asker| asker.taken.is_some_and(|taken| taken >= number))
    }

    /// Waits until all filters that ask have taken all changes up to this number.
    pub async fn taken(&self, number: u64) {
        let has_all = |_: &u64| self.has_taken(number);
        // An error would mean that the sender is gone, and this value holds the sender.
        let _ = self.news.subscribe().wait_for(has_all).await;
    }

    /// Whether a filter asks at all: none does where keys are off.
    fn is_asked(&self) -> bool {
        self.askers().values().any(|asker| asker.until > Instant::now())
    }

    /// A filter asks for what comes after `since`, which is `None` for another database, of `last` changes; it asks again by this
    /// time. `asker` is the number of the filter.
    pub(super) fn note_question(
        &self,
        asker: u64,
        since: Option<u64>,
        last: u64,
        deadline: Instant,
    ) {
        // The workers of an Envoy share one state: each worker asks for all of them.
        let asker = if self.is_of_many { asker } else { 0 };
        let (now, until) = (Instant::now(), deadline + 2 * TAKEN_LIMIT);
        let mut askers = self.askers();
        askers.retain(|_, asker| asker.until > now);
        let own = askers.entry(asker).or_insert(Asker { taken: None, until });
        own.until = until;
        // A worker that was slower than another has an older number.
        if since > own.taken || last < own.taken.unwrap_or_default() {
            own.taken = since;
        }
        drop(askers);
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// What tells of the next change.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// When the database is looked at again, whether a change was heard of or not.
    pub(super) fn next_look(&self) -> Instant {
        Instant::now() + self.look_interval
    }

    pub(super) fn opens(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        // By hash: the time of the comparison says nothing of the token.
        sent.is_some_and(|sent| KeyHash::of(sent) == KeyHash::of(&self.authorization()))
    }

    fn askers(&self) -> MutexGuard<'_, BTreeMap<u64, Asker>> {
        lock(&self.askers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_is_taken_when_all_filters_have_taken_it() {
        let feed = Feed::of_many(Secret::new("t"), false);
        let soon = || Instant::now() + Duration::from_secs(20);
        assert!(!feed.spread(1).await, "nobody asks");
        feed.note_question(7, Some(0), 1, soon());
        feed.note_question(8, Some(1), 1, soon());
        let is_taken = async || timeout(Duration::ZERO, feed.taken(1)).await.is_ok();
        assert!(!is_taken().await, "one of two has taken it");
        feed.note_question(7, Some(1), 1, soon());
        assert!(is_taken().await);
        feed.note_question(7, Some(0), 1, soon());
        assert!(is_taken().await, "an older question of the same filter");
    }

    #[tokio::test]
    async fn the_workers_of_one_envoy_are_one_filter() {
        let feed = Feed::of_one(Secret::new("t"), false);
        let soon = || Instant::now() + Duration::from_secs(20);
        feed.note_question(7, Some(0), 1, soon());
        feed.note_question(8, Some(1), 1, soon());
        assert!(timeout(Duration::ZERO, feed.taken(1)).await.is_ok());
    }
}
