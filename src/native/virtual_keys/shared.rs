//! Which database has LiteLLM's keys, for the parts of the command that set it, follow it and wait for it.

use tokio::sync::watch;

use crate::native::database::PostgresUrl;

/// LiteLLM's database, as the configuration in effect names it.
#[derive(Clone)]
pub(crate) struct SharedSource {
    pub(super) url: watch::Sender<Option<PostgresUrl>>,
    /// Whether the keys were asked for, with or without an answer.
    pub(super) asked: watch::Sender<bool>,
}

impl SharedSource {
    pub(crate) fn new(url: Option<PostgresUrl>) -> Self {
        let asked = watch::Sender::new(url.is_none());
        Self { url: watch::Sender::new(url), asked }
    }

    /// The database from now on.
    pub(crate) fn set(&self, url: Option<PostgresUrl>) {
        let differs = |old: &mut Option<PostgresUrl>| {
            let is_other = *old != url;
            old.clone_from(&url);
            is_other
        };
        self.url.send_if_modified(differs);
    }

    /// Whether the configuration names the database.
    pub(crate) fn is_followed(&self) -> bool {
        self.url.borrow().is_some()
    }

    /// Returns once the keys were asked for.
    pub(crate) async fn asked(&self) {
        // An error would mean that the sender is gone, and this value holds the sender.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }
}
