//! The database of all gateways: two keys, their changes, and the leases of the budget of one key.

use gaud::keys::{KeyHash, Models, Page, Policy, Standing};
use gaud::limits::{Budget, Known, Limits, Terms, Window};
use gaud::native::leases::{Lease, Rest};

use super::{PAYING, REVOKED};

/// How long a gateway lives that does not say again that it lives.
pub(super) const LIFE_MS: u64 = 60_000;

/// No request of the simulation lasts longer.
const UNDER_WAY_MS: u64 = 2_000;

/// How often the database has done what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Load {
    /// Looks for changes, for a question that came or that is held.
    pub(in super::super) looks: u64,
    pub(in super::super) pages: u64,
    pub(in super::super) page_bytes: u64,
    /// Leases that were made larger or smaller, each in a transaction.
    pub(in super::super) extended: u64,
    /// Looks for leases that are low.
    pub(in super::super) tended: u64,
    /// Signs of life.
    pub(in super::super) renewed: u64,
}

/// A gateway's row.
#[derive(Default)]
struct Row {
    lease: Lease,
    is_used_up: bool,
    /// Since when others want some of it.
    wanted_ms: Option<u64>,
    /// The change that tells of a smaller lease, and since when the filter is known to have taken the change.
    lowered: Option<(u64, Option<u64>)>,
    until_ms: u64,
    is_read: bool,
}

pub(super) struct Database {
    pub(super) budget_nanos: u64,
    pub(super) is_strict: bool,
    pub(super) load: Load,
    /// The number of the last change, and those of the two keys.
    pub(super) number: u64,
    paying: u64,
    revoked: u64,
    is_revoked: bool,
    rows: Vec<Row>,
}

impl Database {
    pub(super) fn of(gateways: usize, budget_nanos: u64, is_strict: bool, now_ms: u64) -> Self {
        let row = || Row { until_ms: now_ms + LIFE_MS, ..Row::default() };
        Self {
            budget_nanos,
            is_strict,
            load: Load::default(),
            number: 2,
            paying: 1,
            revoked: 2,
            is_revoked: false,
            rows: (0..gateways).map(|_| row()).collect(),
        }
    }

    pub(super) fn revoke(&mut self) {
        self.number += 1;
        self.revoked = self.number;
        self.is_revoked = true;
    }

    /// The leases have changed: the gateways are told of the key again.
    fn tell_again(&mut self) {
        self.number += 1;
        self.paying = self.number;
    }

    /// A gateway says that it lives, and gives back what it has too much. `taken` is the last change that its filter has taken.
    pub(super) fn renew(&mut self, place: usize, taken: u64, now_ms: u64) {
        self.load.renewed += 1;
        self.rows[place].until_ms = now_ms + LIFE_MS;
        if self.rows[place].lease.before_nanos > 0 {
            self.give_back(place, taken, now_ms);
        }
        let row = &mut self.rows[place];
        row.wanted_ms = row.wanted_ms.filter(|since| now_ms - since < UNDER_WAY_MS);
        if self.is_wanted(place) {
            self.rows[place].wanted_ms = Some(now_ms);
            self.tell_again();
        }
    }

    fn give_back(&mut self, place: usize, taken: u64, now_ms: u64) {
        let Some((number, taken_ms)) = self.rows[place].lowered else {
            self.tell_again();
            self.rows[place].lowered = Some((self.number, None));
            return;
        };
        if let Some(taken_ms) = taken_ms {
            if now_ms - taken_ms >= UNDER_WAY_MS {
                self.rows[place].lease.before_nanos = 0;
                self.rows[place].lowered = None;
                self.tell_again();
            }
        } else if taken >= number {
            self.rows[place].lowered = Some((number, Some(now_ms)));
        }
    }

    /// Whether a gateway holds something while nothing is left for another.
    fn is_wanted(&self, place: usize) -> bool {
        let Row { lease, wanted_ms, .. } = &self.rows[place];
        let is_able = lease.before_nanos == 0 && lease.held_nanos() > 0 && wanted_ms.is_none();
        let mut others = self.rows.iter().enumerate().filter(|(other, _)| *other != place);
        is_able && others.any(|(_, row)| row.is_used_up)
    }

    /// The ledger takes in what a gateway has spent.
    pub(super) fn take_in(&mut self, place: usize, nanos: u64) {
        self.rows[place].lease.spent_nanos += nanos;
    }

    /// Where a gateway's lease is low, the gateway is told again.
    pub(super) fn look_for_low(&mut self, place: usize) {
        self.load.tended += 1;
        let row = &self.rows[place];
        if row.lease.granted_nanos > 0 && row.lease.is_low() && !row.is_used_up {
            self.tell_again();
        }
    }

    /// A gateway has ended, and its journal is read.
    pub(super) fn end(&mut self, place: usize) {
        let row = &mut self.rows[place];
        (row.is_read, row.until_ms) = (true, 0);
        self.tell_again();
    }

    /// A gateway begins, or begins again.
    pub(super) fn begin(&mut self, place: usize, now_ms: u64) {
        let row = &mut self.rows[place];
        // The filter is another.
        (row.wanted_ms, row.lowered) = (None, None);
        if row.is_read {
            row.lease = Lease { spent_nanos: row.lease.spent_nanos, ..Lease::default() };
        }
        (row.is_read, row.until_ms, row.is_used_up) = (false, now_ms + LIFE_MS, false);
    }

    /// What has changed, for one gateway.
    pub(super) fn page(&mut self, place: usize, since: u64, now_ms: u64) -> Vec<u8> {
        let mut policies = Vec::new();
        if self.revoked > since {
            let standing = if self.is_revoked { Standing::Revoked } else { Standing::Valid };
            policies.push((KeyHash::of(REVOKED), policy("b", self.revoked, standing)));
        }
        if self.paying > since {
            let mut paying = policy("a", self.paying, Standing::Valid);
            paying.terms = self.terms(place, now_ms);
            policies.push((KeyHash::of(PAYING), paying));
        }
        let (is_reset, number) = (since == 0, self.number);
        let page = Page { is_reset, has_more: false, database: 1, number, policies, prices: None };
        let bytes = page.to_bytes();
        self.load.pages += 1;
        self.load.page_bytes += bytes.len() as u64;
        bytes
    }

    /// The lease as the budget of the key.
    fn terms(&mut self, place: usize, now_ms: u64) -> Terms {
        let own = self.rows[place].lease;
        if own.is_low() || self.rows[place].wanted_ms.is_some() {
            let rest = self.rest(place, now_ms);
            let changed = if own.is_low() { rest.extend(own) } else { rest.lower(own) };
            self.load.extended += u64::from(changed.is_some());
            let row = &mut self.rows[place];
            (row.is_used_up, row.lease) =
                (own.is_low() && changed.is_none(), changed.unwrap_or(own));
        }
        let lease = self.rows[place].lease;
        let budget = Budget {
            nanos: self.budget_nanos.min(lease.granted_nanos),
            window: Window::Total,
            is_strict: self.is_strict,
        };
        let known =
            Known { period: Window::Total.at(now_ms / 1000), spent_nanos: lease.spent_nanos };
        Terms { limits: Limits { budget: Some(budget), ..Limits::NONE }, known: Some(known) }
    }

    fn rest(&self, place: usize, now_ms: u64) -> Rest {
        let others =
            self.rows.iter().enumerate().filter(|(own, _)| *own != place).map(|(_, row)| row);
        let counts = |row: &&Row| !row.is_read || row.until_ms > now_ms;
        let held = |row: &Row| {
            let Lease { granted_nanos, before_nanos, spent_nanos, .. } = row.lease;
            granted_nanos.max(before_nanos).saturating_sub(spent_nanos)
        };
        Rest {
            budget_nanos: self.budget_nanos,
            spent_nanos: self.rows.iter().map(|row| row.lease.spent_nanos).sum(),
            held_nanos: others.filter(counts).map(held).sum(),
            gateways: self.rows.iter().filter(|row| row.until_ms > now_ms).count() as u64,
        }
    }
}

pub(in super::super) fn policy(id: &str, number: u64, standing: Standing) -> Policy {
    Policy {
        number,
        standing,
        expires_secs: 0,
        id: id.repeat(12),
        user: String::new(),
        name: String::new(),
        models: Models::of(Vec::new()),
        terms: Terms::default(),
        user_terms: Terms::default(),
        model_terms: Vec::new(),
    }
}
