//! The feed: the filter asks for what has changed, and its next question says that it has taken the answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::config::Secret;
use crate::keys::KeyHash;

/// How long an answer waits for the filter to take a change.
const TAKEN_LIMIT: Duration = Duration::from_secs(1);

/// What the filter has asked and taken.
#[derive(Debug)]
pub struct Feed {
    /// What opens the feed.
    token: Secret,
    /// The number of the last change that was made here.
    changed: watch::Sender<u64>,
    /// The number up to which the filter has taken all changes; `None` before it has asked for more than all.
    taken: watch::Sender<Option<u64>>,
    /// Until when a filter asks, as far as it has said.
    asks_until: Mutex<Option<Instant>>,
}

impl Feed {
    /// Who has the token may ask.
    pub fn new(token: Secret) -> Self {
        let (changed, taken) = (watch::Sender::new(0), watch::Sender::new(None));
        Self { token, changed, taken, asks_until: Mutex::default() }
    }

    /// The token as the value of `authorization`.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.token.expose())
    }

    /// A change was made, with this number. Returns whether the filter has taken the change within a second.
    pub async fn spread(&self, number: u64) -> bool {
        self.changed.send_replace(number);
        self.is_asked() && timeout(TAKEN_LIMIT, self.taken(number)).await.is_ok()
    }

    /// Waits until the filter has taken all changes up to this number.
    pub async fn taken(&self, number: u64) {
        let has_it = |taken: &Option<u64>| taken.is_some_and(|taken| taken >= number);
        // An error would mean that the sender is gone, and this value holds the sender.
        let _ = self.taken.subscribe().wait_for(has_it).await;
    }

    /// Whether a filter asks at all: none does where keys are off.
    fn is_asked(&self) -> bool {
        let until = *self.asks_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > Instant::now())
    }

    /// A filter asks for what comes after `since`, which is `None` for another database, of `last` changes; it asks again by this
    /// time.
    pub(super) fn note_question(&self, since: Option<u64>, last: u64, deadline: Instant) {
        self.expect_question(deadline);
        self.taken.send_if_modified(|taken| {
            // A worker that was slower than another has an older number.
            let is_news = since > *taken || last < taken.unwrap_or_default();
            if is_news {
                *taken = since;
            }
            is_news
        });
    }

    /// Returns after the next change that is made here.
    pub(super) async fn changed(&self) {
        // An error would mean that the sender is gone, and this value holds the sender.
        let _ = self.changed.subscribe().changed().await;
    }

    fn expect_question(&self, deadline: Instant) {
        let until = deadline + 2 * TAKEN_LIMIT;
        *self.asks_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    pub(super) fn opens(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        // By hash: the time of the comparison says nothing of the token.
        sent.is_some_and(|sent| KeyHash::of(sent) == KeyHash::of(&self.authorization()))
    }
}
