//! How far the policies in shared data have come, and the record of one policy there.
//!
//! Shared data forgets nothing. So each policy is of a generation, and a policy of an older generation than the state's is
//! none: a control server with another database begins a generation, which is in force once all its pages have come.

use super::page::VERSION;
use super::records::Records;
use super::{KeyHash, Page, Policy, prices};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::host::store::{self, Contended, Store};
use crate::record::{Reader, Writer};

const KEY: &str = "gaud/keys/state";

/// How far a generation has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// 0 for none.
    pub(super) generation: u32,
    /// The database of the control server.
    pub(super) database: u64,
    /// The number of the last change that is here.
    pub(super) number: u64,
}

/// The state of all policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    /// What is in force.
    current: Progress,
    /// What comes, page by page, to take its place.
    loading: Progress,
    /// When the control server answered last, in milliseconds since 1970; 0 for never.
    pub(super) answered_ms: u64,
}

impl State {
    pub(super) fn load(store: &dyn Store) -> Self {
        let stored = store.load(KEY);
        Self::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()))
    }

    /// By the worker's copy.
    pub(super) fn read(records: &Records<'_>) -> Self {
        records.read(KEY, Self::from_bytes)
    }

    /// Whether no policy is known: the control server has not answered since Envoy started.
    pub(super) fn is_empty(&self) -> bool {
        self.current.generation == 0
    }

    /// What the next question asks for the changes after.
    pub(super) fn place(&self) -> Progress {
        if self.loading.generation > 0 { self.loading } else { self.current }
    }

    fn knows(&self, generation: u32) -> bool {
        generation == self.current.generation || generation == self.loading.generation
    }

    /// The generation that takes the policies of a page; `None` for a page of a database that is not asked any more.
    fn progress_with(&self, page: &Page) -> Option<Progress> {
        let Page { database, number, .. } = *page;
        let place = self.place();
        if page.is_reset {
            let last = self.current.generation.max(self.loading.generation);
            return Some(Progress { generation: last.saturating_add(1), database, number });
        }
        (database == place.database && place.generation > 0)
            .then(|| Progress { number: number.max(place.number), ..place })
    }

    /// After a page whose policies are stored.
    fn after(&self, page: &Page, now_ms: u64) -> Self {
        let Some(progress) = self.progress_with(page) else { return *self };
        let is_current = progress.generation == self.current.generation;
        let (current, loading) = match page.has_more {
            true if !is_current => (self.current, progress),
            _ => (progress, Progress::default()),
        };
        Self { current, loading, answered_ms: now_ms }
    }

    fn to_bytes(self) -> Vec<u8> {
        let progress = |writer: Writer, own: Progress| {
            writer.u32(own.generation).u64(own.database).u64(own.number)
        };
        let writer = progress(Writer::of_version(VERSION, 64), self.current);
        progress(writer, self.loading).u64(self.answered_ms).finish()
    }

    /// No record, or a record of another version, means that nothing is known.
    fn from_bytes(bytes: Option<&[u8]>) -> Self {
        let read = || {
            let mut reader = Reader::of_version(bytes, VERSION)?;
            let mut progress = || {
                let (generation, database) = (reader.u32()?, reader.u64()?);
                Some(Progress { generation, database, number: reader.u64()? })
            };
            let (current, loading) = (progress()?, progress()?);
            Some(Self { current, loading, answered_ms: reader.u64()? })
        };
        read().unwrap_or_default()
    }
}

/// Takes a page over: first its prices and policies, then how far they have come. The workers give up their copies after each:
/// the control server learns of the second, and takes the policies for known.
///
/// # Errors
/// Another worker changes the same records at the same time; the page is asked for again.
pub(super) fn take(host: &dyn Host, page: &Page) -> Result<(), Contended> {
    let taken = take_policies(host, page);
    host.count(Metric::FeedTaken);
    let Some(progress) = taken? else { return Ok(()) };
    let taken = take_progress(host, page, progress, host.now_ms());
    host.count(Metric::FeedTaken);
    taken
}

/// The generation that has the policies now; `None` for a page of a database that is not asked any more.
fn take_policies(host: &dyn Host, page: &Page) -> Result<Option<Progress>, Contended> {
    // First, because a policy with a budget needs prices.
    if let Some(list) = &page.prices {
        prices::take(host, list)?;
    }
    let Some(progress) = State::load(host).progress_with(page) else { return Ok(None) };
    for (hash, policy) in &page.policies {
        put(host, *hash, progress.generation, policy)?;
    }
    Ok(Some(progress))
}

fn take_progress(
    store: &dyn Store,
    page: &Page,
    progress: Progress,
    now_ms: u64,
) -> Result<(), Contended> {
    store::update(store, KEY, |bytes| {
        let old = State::from_bytes(bytes);
        // Another worker may have begun another generation meanwhile: these policies are of none then.
        let is_known =
            old.progress_with(page).is_some_and(|now| now.generation == progress.generation);
        (is_known.then(|| old.after(page, now_ms).to_bytes()), ())
    })
}

/// Stores a policy, unless a newer one is there: a slower worker may have an older page.
fn put(
    store: &dyn Store,
    hash: KeyHash,
    generation: u32,
    policy: &Policy,
) -> Result<(), Contended> {
    store::update(store, &hash.place(), |old| {
        let is_newer = old
            .and_then(read)
            .is_some_and(|(own, known)| (own, known.number) >= (generation, policy.number));
        let bytes = || policy.write(Writer::of_version(VERSION, 128).u32(generation)).finish();
        ((!is_newer).then(bytes), ())
    })
}

/// The policy of a key; `None` for a key that no control server knows.
pub(super) fn policy(records: &Records<'_>, state: &State, hash: KeyHash) -> Option<Policy> {
    let (generation, policy) = records.read(&hash.place(), |bytes| read(bytes?))?;
    state.knows(generation).then_some(policy)
}

fn read(bytes: &[u8]) -> Option<(u32, Policy)> {
    let mut reader = Reader::of_version(Some(bytes), VERSION)?;
    Some((reader.u32()?, Policy::read(&mut reader)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    use crate::keys::policy::example;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const FIRST: Page = Page {
        is_reset: true,
        has_more: false,
        database: 7,
        number: 0,
        policies: Vec::new(),
        prices: None,
    };

    fn page(number: u64, keys: &[(&str, u64)]) -> Page {
        let policy = |(id, number): &(&str, u64)| (KeyHash::of(id), example(*number, id));
        Page { is_reset: false, number, policies: keys.iter().map(policy).collect(), ..FIRST }
    }

    fn number_of(store: &Memory, id: &str) -> Option<u64> {
        policy(&Records::now(store), &State::load(store), KeyHash::of(id))
            .map(|policy| policy.number)
    }

    fn take_at(store: &Memory, page: &Page, now_ms: u64) {
        store.set_clock(now_ms);
        take(store, page).unwrap();
    }

    #[test]
    fn pages_come_one_after_the_other() {
        let store = Memory::default();
        assert!(State::load(&store).is_empty());
        take_at(&store, &page(1, &[("a", 1)]), 5);
        assert!(State::load(&store).is_empty(), "changes before the first answer are none");
        take_at(&store, &Page { is_reset: true, has_more: true, ..page(1, &[("a", 1)]) }, 5);
        assert!(State::load(&store).is_empty(), "half of the policies are not enough");
        assert_eq!(State::load(&store).place().number, 1);
        take_at(&store, &page(2, &[("b", 2)]), 6);
        assert_eq!((number_of(&store, "a"), number_of(&store, "b")), (Some(1), Some(2)));
        take_at(&store, &page(3, &[("a", 3)]), 7);
        let state = State::load(&store);
        assert_eq!((state.place().number, state.answered_ms), (3, 7));
        assert_eq!((number_of(&store, "a"), number_of(&store, "c")), (Some(3), None));
    }

    #[test]
    fn an_older_page_of_a_slower_worker_changes_nothing() {
        let store = Memory::default();
        take_at(&store, &FIRST, 1);
        take_at(&store, &page(3, &[("a", 3)]), 2);
        take_at(&store, &page(2, &[("a", 2)]), 3);
        assert_eq!((number_of(&store, "a"), State::load(&store).place().number), (Some(3), 3));
        take_at(&store, &Page { database: 8, ..page(9, &[("a", 9)]) }, 4);
        assert_eq!((number_of(&store, "a"), State::load(&store).answered_ms), (Some(3), 3));
    }

    #[test]
    fn another_database_takes_the_place_of_the_one_before_once_it_is_whole() {
        let store = Memory::default();
        take_at(&store, &Page { is_reset: true, ..page(9, &[("old", 8), ("both", 9)]) }, 1);
        let other = |page| Page { database: 8, ..page };
        let first = Page { is_reset: true, has_more: true, ..other(page(1, &[("both", 1)])) };
        take_at(&store, &first, 2);
        // Both are served until then.
        assert_eq!((number_of(&store, "old"), number_of(&store, "both")), (Some(8), Some(1)));
        take_at(&store, &other(page(2, &[("new", 2)])), 3);
        assert_eq!((number_of(&store, "old"), number_of(&store, "both")), (None, Some(1)));
        assert_eq!(number_of(&store, "new"), Some(2));
        // The same database again, from a copy of before.
        take_at(&store, &Page { is_reset: true, ..other(page(1, &[("both", 1)])) }, 4);
        assert_eq!((number_of(&store, "new"), number_of(&store, "both")), (None, Some(1)));
    }

    #[test]
    fn a_record_of_another_version_is_none() {
        let store = Memory::default();
        store.set(KEY, &[VERSION + 1, 0, 0, 0, 0]);
        assert!(State::load(&store).is_empty());
    }
}
