//! The question for changes, which one worker at a time asks, and its answer.
//!
//! The control server holds the question until a policy changes, or for a while. The worker asks again at once: so a change
//! is in shared data in milliseconds, and the next question tells the control server that the change is there. A lease says
//! which worker asks. The worker renews its lease each second, so another worker asks soon where a worker's VM has gone.

use super::state::{self, State};
use super::{Page, prices};
use crate::gateway::Keys;
use crate::host::Host;
use crate::host::store;
use crate::names::clusters::CONTROL;
use crate::names::keys::FEED_PATH;
use crate::record::{Reader, Writer, left_ms};

/// How often a worker looks before it knows any policies, or whether it is to ask.
pub const QUICK_TICK_MS: u32 = 50;

/// How long a lease holds that is not renewed.
const LEASE_MS: u64 = 3000;

/// The longest that the control server holds a question.
const WAIT_MS: u64 = 20_000;

/// How much longer than that an answer may take.
const GRACE_MS: u64 = 5000;

/// The longest answer that is read.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

const LEASE_KEY: &str = "gaud/keys/lease";
const LEASE_VERSION: u8 = 1;

/// A question to the control server: a GET.
#[derive(PartialEq, Eq)]
pub struct Question<'a> {
    /// Envoy's cluster.
    pub cluster: &'static str,
    pub path: String,
    /// The value of `authorization`.
    pub authorization: &'a str,
    pub timeout_ms: u32,
}

/// The question for changes, if this worker is to ask now. `holder` is the worker's number, which no other has.
pub fn due<'a>(
    keys: &'a Keys,
    host: &dyn Host,
    holder: u64,
    is_asking: bool,
) -> Option<Question<'a>> {
    let has_lease = renew(host, holder, host.now_ms());
    (has_lease && !is_asking)
        .then(|| question(keys, &State::load(host), prices::number(host), holder))
}

fn question<'a>(keys: &'a Keys, state: &State, prices: u64, asker: u64) -> Question<'a> {
    let place = state.place();
    // What is to be younger than a limit is asked for several times before the limit.
    let wait_ms = keys.refuse_after_ms.map_or(WAIT_MS, |limit_ms| WAIT_MS.min(limit_ms / 3));
    let (database, number) = (place.database, place.number);
    Question {
        cluster: CONTROL,
        path: format!(
            "{FEED_PATH}?database={database}&since={number}&prices={prices}&wait_ms={wait_ms}&asker={asker}"
        ),
        authorization: keys.authorization.expose(),
        timeout_ms: u32::try_from(wait_ms.saturating_add(GRACE_MS)).unwrap_or(u32::MAX),
    }
}

/// Takes an answer over: a status, `None` without an answer, and a body. Returns whether that was an answer with policies.
pub fn answered(host: &dyn Host, status: Option<u32>, read: impl FnOnce() -> Vec<u8>) -> bool {
    let page = (status == Some(200)).then(|| Page::from_bytes(&read())).flatten();
    page.is_some_and(|page| state::take(host, &page).is_ok())
}

/// Whether the worker has the lease now.
fn renew(host: &dyn Host, holder: u64, now_ms: u64) -> bool {
    let until_ms = now_ms.saturating_add(LEASE_MS);
    let held = store::update(host, LEASE_KEY, |bytes| {
        let lease = bytes.and_then(|bytes| {
            let mut reader = Reader::of_version(Some(bytes), LEASE_VERSION)?;
            Some((reader.u64()?, reader.u64()?))
        });
        let is_others = lease.is_some_and(|(owner, end_ms)| {
            owner != holder && left_ms(end_ms, now_ms, LEASE_MS) > 0
        });
        let own = || Writer::of_version(LEASE_VERSION, 17).u64(holder).u64(until_ms).finish();
        ((!is_others).then(own), !is_others)
    });
    held.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::host::memory::Memory;
    use crate::keys::policy::example;
    use crate::keys::{KeyHash, check};
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn keys() -> Keys {
        Keys { authorization: Secret::new("Bearer token"), ..Keys::default() }
    }

    #[test]
    fn one_worker_asks_until_it_goes() {
        let (host, keys) = (Memory::at(1_000), keys());
        let asks = |holder, is_asking| due(&keys, &host, holder, is_asking).is_some();
        assert!(asks(1, false) && !asks(2, false));
        host.advance(LEASE_MS - 1);
        assert!(!asks(1, true) && !asks(2, false), "renewed while the question is held");
        host.advance(LEASE_MS);
        assert!(asks(2, false) && !asks(1, false), "a worker that does not renew has gone");
        host.set_clock(0);
        assert!(asks(1, false), "a clock that was set back");
    }

    #[test]
    fn each_question_says_how_far_the_policies_have_come() {
        let (host, keys) = (Memory::at(1_000), keys());
        let path = |keys: &Keys| due(keys, &host, 1, false).unwrap().path;
        assert_eq!(path(&keys), "/internal/keys?database=0&since=0&prices=0&wait_ms=20000&asker=1");
        let policies = vec![(KeyHash::of("k"), example(3, "x"))];
        let page = Page { is_reset: true, database: 7, number: 3, policies, ..Page::default() };
        assert!(answered(&host, Some(200), || page.to_bytes()));
        assert_eq!(path(&keys), "/internal/keys?database=7&since=3&prices=0&wait_ms=20000&asker=1");
        let strict = Keys { refuse_after_ms: Some(6_000), ..keys };
        let question = due(&strict, &host, 1, false).unwrap();
        assert!(question.path.ends_with("&wait_ms=2000&asker=1") && question.timeout_ms == 7_000);
        assert_eq!(question.authorization, "Bearer token");
    }

    #[test]
    fn no_answer_changes_nothing() {
        let host = Memory::at(1_000);
        let page = Page { is_reset: true, ..Page::default() };
        assert!(!answered(&host, Some(503), || page.to_bytes()));
        assert!(!answered(&host, None, Vec::new));
        assert!(!answered(&host, Some(200), || b"{}".to_vec()));
        assert!(check::is_waiting(&host));
    }
}
