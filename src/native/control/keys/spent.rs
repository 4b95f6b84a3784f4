//! What the filter must know for budgets beside the limits: what was spent before, and what models cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::api::{Control, now_secs, today};
use super::super::error::ApiError;
use super::super::store::Carried;
use super::calibration::{self, Calibration};
use crate::gateway::Gateway;
use crate::keys::{Page, Policy, PriceList, first_that_fits};
use crate::limits::{Budget, Known, Terms, Window};
use crate::native::database::DatabaseError;
use crate::native::leases::{Leaseholder, Owner};
use crate::native::ledger::{Day, Group, Ledger};
use crate::native::prices::Prices;
use crate::pricing::{Listed, Price};

/// What keys, or users, have spent in a window.
type Spent = BTreeMap<String, i64>;

impl Control {
    /// Tells the filter what the ledger knows of the budgets of a page, and what this gateway may use of them.
    pub(super) fn add_spent(&self, page: &mut Page) -> Result<(), ApiError> {
        let has_budget = |terms: &Terms| terms.limits.budget.is_some();
        let has_model_budget =
            |policy: &Policy| policy.model_terms.iter().any(|(_, terms)| has_budget(terms));
        let mut policies = page.policies.iter().map(|(_, policy)| policy);
        let any = |own: &Policy| {
            has_budget(&own.terms) || has_budget(&own.user_terms) || has_model_budget(own)
        };
        if !policies.any(any) {
            return Ok(());
        }
        // A gateway of several has a part of each budget, and counts what it has spent of that part.
        if let Some(leases) = &self.leases {
            for (_, policy) in &mut page.policies {
                leased(leases, Group::Key, &policy.id, &mut policy.terms)?;
                leased(leases, Group::User, &policy.user, &mut policy.user_terms)?;
            }
        }
        // Without the ledger the filter counts from what it knows.
        let Ok(ledger) = self.ledger() else { return Ok(()) };
        let mut sums = Sums::of(&ledger, now_secs());
        for (_, policy) in page.policies.iter_mut().filter(|_| self.leases.is_none()) {
            let of_key = sums.known(Group::Key, &policy.id, &policy.terms);
            policy.terms.known = together(of_key, policy.terms.known);
            let of_user = sums.known(Group::User, &policy.user, &policy.user_terms);
            policy.user_terms.known = together(of_user, policy.user_terms.known);
        }
        let mut with_models =
            page.policies.iter_mut().filter(|(_, own)| has_model_budget(own)).peekable();
        let loaded = with_models.peek().and_then(|_| self.loaded());
        for (_, policy) in with_models {
            sums.add_to_models(policy, loaded.as_ref().map(|loaded| &loaded.gateway));
        }
        Ok(())
    }

    /// The number of the prices in force.
    pub(super) fn price_number(&self) -> u64 {
        number_of(&self.prices.now(), today())
    }

    /// All prices, for the filter.
    pub(super) fn price_list(&self) -> PriceList {
        let (prices, today) = (self.prices.now(), today());
        let calibration = self.calibration(&prices, today);
        let with_usual = |(name, Listed { is_own, price }): (&str, Listed)| {
            let price = Price { output_usual: calibration.tokens(name), ..price };
            (name.to_owned(), Listed { is_own, price })
        };
        let number = number_of(&prices, today);
        PriceList { number, prices: prices.all().map(with_usual).collect() }
    }

    fn calibration(&self, prices: &Prices, today: Day) -> Arc<Calibration> {
        if !prices.are_calibrated() {
            return Arc::default();
        }
        self.calibrated.of_day(today, prices, || self.ledger().ok())
    }
}

/// The number of the prices as the filter has them on a day.
fn number_of(prices: &Prices, today: Day) -> u64 {
    let number = prices.number();
    if prices.are_calibrated() { calibration::number(number, today) } else { number }
}

/// What the ledger knows, and what was spent elsewhere in the same window.
fn together(own: Option<Known>, carried: Option<Known>) -> Option<Known> {
    let own = own?;
    let carried = carried.filter(|carried| carried.period == own.period);
    let elsewhere = carried.map_or(0, |carried| carried.spent_nanos);
    Some(Known { spent_nanos: own.spent_nanos.saturating_add(elsewhere), ..own })
}

/// The filter gets this gateway's part of a budget as the budget. What was spent elsewhere is in no gateway's part.
fn leased(
    leases: &Leaseholder,
    scope: Group,
    id: &str,
    terms: &mut Terms,
) -> Result<(), DatabaseError> {
    let Some(budget) = &mut terms.limits.budget else { return Ok(()) };
    let now_secs = u64::try_from(now_secs()).unwrap_or_default();
    let period = budget.window.at(now_secs);
    let carried = terms.known.filter(|known| known.period == period);
    let nanos = budget.nanos.saturating_sub(carried.map_or(0, |known| known.spent_nanos));
    *budget = Budget { nanos, ..*budget };
    let lease = leases.lease(Owner { scope, id }, *budget, now_secs)?;
    budget.nanos = budget.nanos.min(lease.granted_nanos);
    terms.known = Some(Known { period, spent_nanos: lease.spent_nanos });
    Ok(())
}

/// The sums of the ledger, each asked for once.
pub(in super::super) struct Sums<'a> {
    ledger: &'a Ledger,
    now_secs: u64,
    all: BTreeMap<(&'static str, &'static str), Spent>,
}

impl<'a> Sums<'a> {
    pub(in super::super) fn of(ledger: &'a Ledger, now_secs: i64) -> Self {
        let now_secs = u64::try_from(now_secs).unwrap_or_default();
        Self { ledger, now_secs, all: BTreeMap::new() }
    }

    fn known(&mut self, group: Group, id: &str, terms: &Terms) -> Option<Known> {
        Some(self.known_of(group, id, terms.limits.budget?.window))
    }

    /// What a key or a user has spent in the window of now, here and elsewhere.
    pub(in super::super) fn known_with(
        &mut self,
        carried: Carried,
        group: Group,
        id: &str,
        window: Window,
    ) -> Known {
        let known = self.known_of(group, id, window);
        let spent_nanos = known.spent_nanos.saturating_add(carried.within(known.period));
        Known { spent_nanos, ..known }
    }

    fn known_of(&mut self, group: Group, id: &str, window: Window) -> Known {
        let period = window.at(self.now_secs);
        let spent_nanos = self.spent(group, window).get(id).copied().unwrap_or_default();
        Known { period, spent_nanos: u64::try_from(spent_nanos).unwrap_or_default() }
    }

    /// Adds what the key has spent on its models. Without a gateway nothing is known of names.
    fn add_to_models(&self, policy: &mut Policy, gateway: Option<&Gateway>) {
        let names = policy.model_terms.clone();
        for (place, (_, terms)) in policy.model_terms.iter_mut().enumerate() {
            let (Some(Budget { window, .. }), Some(gateway)) = (terms.limits.budget, gateway)
            else {
                continue;
            };
            let period = window.at(self.now_secs);
            let since = Day::of_ms(period.start_secs.saturating_mul(1000));
            let spent = self.ledger.spent_on(&policy.id, since).unwrap_or_default();
            let is_here = |asked: &str| {
                let first = first_that_fits(&names, gateway, asked);
                first.is_some_and(|(name, _)| names.get(place).is_some_and(|(own, _)| own == name))
            };
            let own = spent.iter().filter(|(asked, _)| is_here(asked)).map(|(_, cost)| *cost);
            let spent_nanos = u64::try_from(own.sum::<i64>()).unwrap_or_default();
            terms.known = Some(Known { period, spent_nanos });
        }
    }

    fn spent(&mut self, group: Group, window: Window) -> &Spent {
        let since = Day::of_ms(window.at(self.now_secs).start_secs.saturating_mul(1000));
        let of = |ledger: &Ledger| ledger.spent(group, since).unwrap_or_default();
        let place = (group.as_str(), window.as_str());
        self.all.entry(place).or_insert_with(|| of(self.ledger))
    }
}
