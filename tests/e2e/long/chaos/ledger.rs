//! What the providers have seen, and complaints of what no provider and no caller should see.

use super::KEYS;
use super::fate::{Fate, Next};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// One attempt, as a provider saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) provider: usize,
    pub(super) fate: Fate,
}

impl Visit {
    /// What may come after it: a limit of the caller's own credential is the caller's.
    pub(super) fn next(self) -> Next {
        if self.is_callers_limit() { Next::Nothing } else { self.fate.next() }
    }

    pub(super) fn is_callers_limit(self) -> bool {
        self.fate.status() == Some(429) && KEYS[self.provider].is_none()
    }
}

#[derive(Default)]
pub(super) struct Ledger {
    visits: Mutex<HashMap<u64, Vec<Visit>>>,
    complaints: Mutex<Vec<String>>,
    tally: Mutex<BTreeMap<String, u64>>,
}

impl Ledger {
    /// Notes an attempt; `draw` makes its fate from how often the provider was asked before.
    pub(super) fn visit(&self, id: u64, provider: usize, draw: impl FnOnce(usize) -> Fate) -> Fate {
        let mut visits = self.visits.lock().expect("visits");
        let visits = visits.entry(id).or_default();
        let before = visits.iter().filter(|visit| visit.provider == provider).count();
        let fate = draw(before);
        visits.push(Visit { provider, fate });
        fate
    }

    /// The attempts of a request, in their order.
    pub(super) fn of(&self, id: u64) -> Vec<Visit> {
        self.visits.lock().expect("visits").get(&id).cloned().unwrap_or_default()
    }

    /// How many attempts a provider has seen with a fate of this kind.
    pub(super) fn count(&self, provider: usize, kind: impl Fn(Fate) -> bool) -> u64 {
        let visits = self.visits.lock().expect("visits");
        let all = visits.values().flatten();
        let of_kind = all.filter(|visit| visit.provider == provider && kind(visit.fate));
        u64::try_from(of_kind.count()).expect("a count")
    }

    pub(super) fn complain(&self, complaint: String) {
        self.complaints.lock().expect("complaints").push(complaint);
    }

    /// Counts what happened.
    pub(super) fn tell(&self, what: impl Into<String>) {
        self.add(what, 1);
    }

    pub(super) fn add(&self, what: impl Into<String>, count: usize) {
        let count = u64::try_from(count).expect("a count");
        *self.tally.lock().expect("a tally").entry(what.into()).or_default() += count;
    }

    pub(super) fn told(&self, what: &str) -> u64 {
        self.tally.lock().expect("a tally").get(what).copied().unwrap_or_default()
    }

    pub(super) fn print(&self) {
        for (what, count) in self.tally.lock().expect("a tally").iter() {
            println!("{count:7} {what}");
        }
    }

    pub(super) fn assert_no_complaint(&self) {
        let complaints = self.complaints.lock().expect("complaints");
        let some: Vec<&str> = complaints.iter().take(20).map(String::as_str).collect();
        assert!(some.is_empty(), "{} complaints:\n{}", complaints.len(), some.join("\n"));
    }
}
