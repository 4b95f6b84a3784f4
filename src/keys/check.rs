//! The decision on a request's key, from shared data alone.

use super::records::Records;
use super::state::{self, State};
use super::{KeyHash, Models, Policy, Standing, id_of};
use crate::gateway::Keys;
use crate::host::Host;
use crate::limits::Terms;

/// What the owner of a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The key's public id.
    pub id: String,
    /// The user's id; empty without a user.
    pub user: String,
    pub models: Models,
    /// What the key and its user may use; `None` where nothing is limited, and once the request has taken them.
    pub terms: Option<Box<AllTerms>>,
}

/// The terms of a key, of its user, and of models.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllTerms {
    pub key: Terms,
    pub user: Terms,
    /// Of the key, by names and patterns of models.
    pub models: Vec<(String, Terms)>,
}

impl AllTerms {
    fn of(policy: &mut Policy) -> Option<Box<Self>> {
        let (key, user) = (policy.terms, policy.user_terms);
        let models = std::mem::take(&mut policy.model_terms);
        let is_limited = !key.limits.is_none() || !user.limits.is_none() || !models.is_empty();
        is_limited.then(|| Box::new(Self { key, user, models }))
    }
}

/// Why a key opens nothing now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown, malformed, blocked or revoked: who asks learns no more than that.
    Invalid,
    /// The key is right, and its time is over.
    Expired,
    /// The control server has not answered since Envoy started.
    Waiting,
    /// The control server has not answered for longer than `stale_after_secs`.
    Stale,
}

/// Looks a key up.
///
/// # Errors
/// The key opens nothing now.
pub fn check(host: &dyn Host, keys: &Keys, key: &str) -> Result<Allowed, Refusal> {
    id_of(key).ok_or(Refusal::Invalid)?;
    find(host, keys, key)
}

/// Looks a key up that may be LiteLLM's, which has no public id.
///
/// # Errors
/// The key opens nothing now.
pub fn find(host: &dyn Host, keys: &Keys, key: &str) -> Result<Allowed, Refusal> {
    let records = Records::now(host);
    let state = State::read(&records);
    if state.is_empty() {
        return Err(Refusal::Waiting);
    }
    let is_late = |limit_ms: u64| host.now_ms() > state.answered_ms.saturating_add(limit_ms);
    if keys.refuse_after_ms.is_some_and(is_late) {
        return Err(Refusal::Stale);
    }
    let policy = state::policy(&records, &state, KeyHash::of(key)).ok_or(Refusal::Invalid)?;
    judge(policy, host)
}

fn judge(mut policy: Policy, host: &dyn Host) -> Result<Allowed, Refusal> {
    match policy.standing {
        Standing::Blocked | Standing::Revoked => Err(Refusal::Invalid),
        Standing::Valid if policy.expires_secs > 0 && policy.has_expired(host.now_ms()) => {
            Err(Refusal::Expired)
        }
        Standing::Valid => {
            let terms = AllTerms::of(&mut policy);
            Ok(Allowed { id: policy.id, user: policy.user, models: policy.models, terms })
        }
    }
}

/// Whether no key can be checked yet.
pub fn is_waiting(host: &dyn Host) -> bool {
    State::read(&Records::now(host)).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    use crate::keys::Page;
    use crate::keys::policy::example;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn key(letter: &str) -> String {
        format!("sk-prx-{}-{}", letter.repeat(12), letter.repeat(32))
    }

    fn host(policies: &[(&str, Policy)]) -> Memory {
        let host = Memory::at(10_000);
        let policies = policies.iter().map(|(key, policy)| (KeyHash::of(key), policy.clone()));
        let page =
            Page { is_reset: true, number: 9, policies: policies.collect(), ..Page::default() };
        state::take(&host, &page).unwrap();
        host
    }

    #[test]
    fn a_key_is_found_by_the_hash_of_the_whole() {
        let (good, keys) = (key("a"), Keys::default());
        let host = host(&[(&good, example(1, "aaaaaaaaaaaa"))]);
        let allowed = check(&host, &keys, &good).unwrap();
        assert_eq!((allowed.id.as_str(), allowed.user.as_str()), ("aaaaaaaaaaaa", "ann"));
        assert!(!allowed.models.are_all());
        let other_secret = good.replace("aaaa-a", "aaaa-b");
        for bad in ["", "sk-1234", "sk-prx-", &key("b"), &other_secret] {
            assert_eq!(check(&host, &keys, bad), Err(Refusal::Invalid), "{bad}");
        }
    }

    #[test]
    fn a_key_that_is_blocked_revoked_or_expired_opens_nothing() {
        let (blocked, revoked, expired) = (key("a"), key("b"), key("c"));
        let policy = |standing, expires_secs| Policy { standing, expires_secs, ..example(1, "x") };
        let host = host(&[
            (&blocked, policy(Standing::Blocked, 10)),
            (&revoked, policy(Standing::Revoked, 0)),
            (&expired, policy(Standing::Valid, 10)),
        ]);
        let check = |key: &str| check(&host, &Keys::default(), key).unwrap_err();
        assert_eq!(check(&blocked), Refusal::Invalid);
        assert_eq!(check(&revoked), Refusal::Invalid);
        assert_eq!(check(&expired), Refusal::Expired);
    }

    #[test]
    fn nothing_is_known_before_the_first_answer() {
        let (empty, keys) = (Memory::at(5), Keys::default());
        assert!(is_waiting(&empty));
        assert_eq!(check(&empty, &keys, &key("a")), Err(Refusal::Waiting));
        assert_eq!(check(&empty, &keys, "sk-prx-x"), Err(Refusal::Invalid));
        assert!(!is_waiting(&host(&[])));
    }

    #[test]
    fn what_is_old_is_refused_where_that_is_wanted() {
        let good = key("a");
        let host = host(&[(&good, example(1, "x"))]);
        let keys = Keys { refuse_after_ms: Some(5_000), ..Keys::default() };
        host.advance(5_000);
        assert!(check(&host, &keys, &good).is_ok());
        host.advance(1);
        assert_eq!(check(&host, &keys, &good), Err(Refusal::Stale));
        assert!(check(&host, &Keys::default(), &good).is_ok());
    }
}
