//! What the filter must know for budgets beside the limits: what was spent before, and what models cost.

use std::collections::BTreeMap;

use super::super::api::{Control, now_secs};
use super::super::error::ApiError;
use crate::keys::{Page, PriceList};
use crate::limits::{Budget, Known, Terms, Window};
use crate::native::database::DatabaseError;
use crate::native::leases::{Leaseholder, Owner};
use crate::native::ledger::{Day, Group, Ledger};

/// What keys, or users, have spent in a window.
type Spent = BTreeMap<String, i64>;

impl Control {
    /// Tells the filter what the ledger knows of the budgets of a page, and what this gateway may use of them.
    pub(super) fn add_spent(&self, page: &mut Page) -> Result<(), ApiError> {
        let has_budget = |terms: &Terms| terms.limits.budget.is_some();
        let mut policies = page.policies.iter().map(|(_, policy)| policy);
        if !policies.any(|own| has_budget(&own.terms) || has_budget(&own.user_terms)) {
            return Ok(());
        }
        if let Some(leases) = &self.leases {
            for (_, policy) in &mut page.policies {
                leased(leases, Group::Key, &policy.id, &mut policy.terms)?;
                leased(leases, Group::User, &policy.user, &mut policy.user_terms)?;
            }
            return Ok(());
        }
        // Without the ledger the filter counts from what it knows.
        let Ok(ledger) = self.ledger() else { return Ok(()) };
        let now_secs = u64::try_from(now_secs()).unwrap_or_default();
        let mut sums = Sums { ledger, now_secs, all: BTreeMap::new() };
        for (_, policy) in &mut page.policies {
            policy.terms.known = sums.known(Group::Key, &policy.id, &policy.terms);
            policy.user_terms.known = sums.known(Group::User, &policy.user, &policy.user_terms);
        }
        Ok(())
    }

    /// The number of the prices in force.
    pub(super) fn price_number(&self) -> u64 {
        self.prices.now().number()
    }

    /// All prices, for the filter.
    pub(super) fn price_list(&self) -> PriceList {
        let prices = self.prices.now();
        let all = prices.all().map(|(name, listed)| (name.to_owned(), listed)).collect();
        PriceList { number: prices.number(), prices: all }
    }
}

/// The filter gets this gateway's part of a budget as the budget.
fn leased(
    leases: &Leaseholder,
    scope: Group,
    id: &str,
    terms: &mut Terms,
) -> Result<(), DatabaseError> {
    let Some(budget) = &mut terms.limits.budget else { return Ok(()) };
    let now_secs = u64::try_from(now_secs()).unwrap_or_default();
    let lease = leases.lease(Owner { scope, id }, *budget, now_secs)?;
    let period = budget.window.at(now_secs);
    budget.nanos = budget.nanos.min(lease.granted_nanos);
    terms.known = Some(Known { period, spent_nanos: lease.spent_nanos });
    Ok(())
}

/// The sums of the ledger, each asked for once.
struct Sums {
    ledger: Ledger,
    now_secs: u64,
    all: BTreeMap<(&'static str, &'static str), Spent>,
}

impl Sums {
    fn known(&mut self, group: Group, id: &str, terms: &Terms) -> Option<Known> {
        let Budget { window, .. } = terms.limits.budget?;
        let period = window.at(self.now_secs);
        let spent_nanos = self.spent(group, window).get(id).copied().unwrap_or_default();
        Some(Known { period, spent_nanos: u64::try_from(spent_nanos).unwrap_or_default() })
    }

    fn spent(&mut self, group: Group, window: Window) -> &Spent {
        let since = Day::of_ms(window.at(self.now_secs).start_secs.saturating_mul(1000));
        let of = |ledger: &Ledger| ledger.spent(group, since).unwrap_or_default();
        let place = (group.as_str(), window.as_str());
        self.all.entry(place).or_insert_with(|| of(&self.ledger))
    }
}
