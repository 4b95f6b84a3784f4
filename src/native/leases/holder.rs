//! A gateway as the holder of its leases.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release};
use std::sync::{Arc, Mutex};

use super::rule::Lease;
use super::table::{Leases, Owner};
use crate::limits::Budget;
use crate::native::control::Store;
use crate::native::database::{DatabaseError, Databases};
use crate::native::gateway_id::GatewayId;
use crate::native::ledger::{Group, Ledger};
use crate::native::lock::lock;

/// How often a gateway says that it lives, and looks for leases of which others want some, in seconds.
const RENEW_SECS: i64 = 10;

/// How long a request may last that has begun before its filter knew of the smaller lease.
const UNDER_WAY_SECS: i64 = 600;

pub(crate) struct Leaseholder {
    leases: Mutex<Leases>,
    /// When the gateway has said last that it lives.
    renewed_secs: Mutex<i64>,
    /// Whether the ledger has taken in what this gateway has spent since the last look: else no lease has become low.
    has_news: Arc<AtomicBool>,
    /// Of which budgets others want some, and since when: these leases become smaller when the filter asks next.
    wanted: Mutex<BTreeMap<(Group, String), i64>>,
    /// The leases that have become smaller.
    lowered: Mutex<BTreeMap<(Group, String), Told>>,
    /// Whose budgets have more left, which the other gateways are not told of yet.
    freed: Mutex<Vec<(Group, String)>>,
    /// Tells of the leases that have changed.
    store: Store,
}

/// A smaller lease that the filter is told of.
struct Told {
    /// The filter that has taken this change knows the smaller lease.
    number: u64,
    /// Since when the filter is known to have taken the change.
    taken_secs: Option<i64>,
}

impl Leaseholder {
    /// The gateway begins; its journals are read, or are being read.
    pub(crate) fn begin(
        databases: &Databases,
        gateway: GatewayId,
        has_news: Arc<AtomicBool>,
        now_secs: i64,
    ) -> Result<Self, DatabaseError> {
        let leases = Leases::of(Ledger::open(databases)?, gateway);
        leases.begin(now_secs)?;
        Ok(Self {
            leases: Mutex::new(leases),
            renewed_secs: Mutex::new(now_secs),
            has_news,
            wanted: Mutex::default(),
            lowered: Mutex::default(),
            freed: Mutex::default(),
            store: Store::open(databases)?,
        })
    }

    /// The lease of a budget, extended where it is low, and lowered where it is large and others want some.
    pub(crate) fn lease(
        &self,
        owner: Owner<'_>,
        budget: Budget,
        now_secs: u64,
    ) -> Result<Lease, DatabaseError> {
        let is_wanted = lock(&self.wanted).contains_key(&(owner.scope, owner.id.to_owned()));
        lock(&self.leases).lease(owner, budget, is_wanted, now_secs)
    }

    /// Says that the gateway lives, and sees to it that the filter asks for the leases that change. `has_taken` says whether the
    /// filter has taken a change.
    pub(crate) fn tend(
        &self,
        now_secs: i64,
        has_taken: impl Fn(u64) -> bool,
    ) -> Result<(), DatabaseError> {
        let mut renewed_secs = lock(&self.renewed_secs);
        if now_secs.saturating_sub(*renewed_secs) >= RENEW_SECS {
            lock(&self.leases).renew(now_secs)?;
            self.give_back(now_secs, has_taken)?;
            self.find_wanted(now_secs)?;
            *renewed_secs = now_secs;
        }
        if !self.has_news.swap(false, AcqRel) {
            return Ok(());
        }
        // What failed is tried again.
        self.find_low(now_secs).inspect_err(|_| self.has_news.store(true, Release))
    }

    fn find_low(&self, now_secs: i64) -> Result<(), DatabaseError> {
        let low = lock(&self.leases).low(u64::try_from(now_secs).unwrap_or_default())?;
        self.store.tell_again(&low).map(drop)
    }

    /// A lease that has stayed as it is, because it is small, is not looked at again for a while.
    fn find_wanted(&self, now_secs: i64) -> Result<(), DatabaseError> {
        let mut wanted = lock(&self.wanted);
        wanted.retain(|_, since| now_secs.saturating_sub(*since) < UNDER_WAY_SECS);
        let mut new = lock(&self.leases).wanted(u64::try_from(now_secs).unwrap_or_default())?;
        new.retain(|own| !wanted.contains_key(own));
        wanted.extend(new.iter().map(|own| (own.clone(), now_secs)));
        let told = self.store.tell_again(&new);
        // What failed is tried again.
        told.map(drop).inspect_err(|_| wanted.retain(|own, _| !new.contains(own)))
    }

    /// What a lease has lost is for the others once the filter goes by the smaller lease, and all requests have ended that the
    /// filter has let pass before.
    fn give_back(
        &self,
        now_secs: i64,
        has_taken: impl Fn(u64) -> bool,
    ) -> Result<(), DatabaseError> {
        let mut lowered = lock(&self.lowered);
        let all = lock(&self.leases).lowered()?;
        lowered.retain(|own, _| all.contains(own));
        let untold: Vec<_> = all.into_iter().filter(|own| !lowered.contains_key(own)).collect();
        let number = self.store.tell_again(&untold)?;
        lowered.extend(untold.into_iter().map(|own| (own, Told { number, taken_secs: None })));
        for told in lowered.values_mut().filter(|told| has_taken(told.number)) {
            told.taken_secs.get_or_insert(now_secs);
        }
        let is_over = |told: &Told| {
            told.taken_secs.is_some_and(|taken| now_secs.saturating_sub(taken) >= UNDER_WAY_SECS)
        };
        let mut freed = lock(&self.freed);
        for (own, _) in lowered.iter().filter(|(_, told)| is_over(told)) {
            lock(&self.leases).has_taken(own.0, &own.1)?;
            freed.push(own.clone());
        }
        self.store.tell_again(&freed)?;
        freed.clear();
        Ok(())
    }

    /// The gateway has ended, and all of its journals are read.
    pub(crate) fn end(&self) -> Result<(), DatabaseError> {
        let given_back = lock(&self.leases).end()?;
        self.store.tell_again(&given_back).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::limits::Window;
    use crate::native::database::testing;

    const NOON: i64 = 1_795_953_600;

    #[test]
    fn what_a_lease_has_lost_is_for_the_others_once_the_filter_goes_by_it_and_requests_have_ended()
    {
        testing::on_both(|databases| {
            let begin = |name| {
                let news = Arc::new(AtomicBool::new(false));
                Leaseholder::begin(databases, GatewayId::named(name), news, NOON).unwrap()
            };
            let owner = Owner { scope: Group::User, id: "ann" };
            let budget = Budget { nanos: 1000, window: Window::Total, is_strict: true };
            let granted = |own: &Leaseholder| {
                own.lease(owner, budget, NOON.cast_unsigned()).unwrap().granted_nanos
            };
            let one = begin("one");
            assert_eq!(granted(&one), 500);
            // The budget of the others is lower meanwhile, so that nothing is left for them.
            let (two, three) = (begin("two"), begin("three"));
            for own in [&two, &three] {
                let budget = Budget { nanos: 400, ..budget };
                assert_eq!(
                    own.lease(owner, budget, NOON.cast_unsigned()).unwrap().granted_nanos,
                    0
                );
            }
            let has_taken = Cell::new(false);
            let tend = |secs: i64| {
                for own in [&two, &three] {
                    own.tend(NOON + secs, |_| false).unwrap();
                }
                one.tend(NOON + secs, |_| has_taken.get()).unwrap();
            };
            let before = || lock(&one.leases).lowered().unwrap().len();
            tend(10);
            assert_eq!((granted(&one), before()), (166, 1), "what is free, divided by twice three");
            for secs in [20, 900] {
                tend(secs);
                assert_eq!(before(), 1, "the filter has not taken it");
            }
            has_taken.set(true);
            tend(910);
            tend(1500);
            assert_eq!(before(), 1, "requests may be under way");
            tend(1510);
            assert_eq!((granted(&one), before()), (166, 0));
        });
    }
}
