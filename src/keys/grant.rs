//! What a request takes of the limits of its key, of its model, and of its user, in shared data.
//!
//! The counters are asked in this order; where one refuses, those before it get back what they gave.

use super::check::Allowed;
use super::shared::{self, TokenUnits};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::host::store;
use crate::limits::{Counter, Demand, Limits, Period, Refusal, Terms, Ticket, Verdict, View};

/// Whose limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Key,
    /// The key's, for some models.
    Model,
    User,
}

const OWNERS: [Owner; 3] = [Owner::Key, Owner::Model, Owner::User];

/// What a request is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub key: Terms,
    /// Those of the key for the model, with the name under which they are.
    pub model: Option<(String, Terms)>,
    pub user: Terms,
}

impl Asked {
    /// The terms of an owner.
    pub fn terms(&self, owner: Owner) -> Terms {
        match owner {
            Owner::Key => self.key,
            Owner::Model => self.model.as_ref().map(|(_, terms)| *terms).unwrap_or_default(),
            Owner::User => self.user,
        }
    }

    fn name(&self) -> &str {
        self.model.as_ref().map_or("", |(name, _)| name)
    }

    /// Whether any of them is a budget.
    pub fn has_budget(&self) -> bool {
        OWNERS.into_iter().any(|owner| self.terms(owner).limits.budget.is_some())
    }
}

/// What a request has taken and nobody has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// By owner.
    tickets: [Option<Ticket>; 3],
    /// Which keys and users the counters are of.
    places: [String; 3],
    /// The name under which the model has limits; empty without.
    model: String,
    /// What a token takes of the limits that gateways share.
    units: TokenUnits,
    /// What is left, of the limit that has less.
    pub view: View,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub owner: Owner,
    /// `None` where other workers were faster at each try.
    pub refusal: Option<Refusal>,
    pub view: View,
}

/// Which windows the attempts of a request are charged in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charges {
    /// By owner.
    pub periods: [Option<Period>; 3],
    /// The name under which the model has limits; empty without.
    pub model: String,
    /// What a token takes of the limits that gateways share.
    pub units: TokenUnits,
}

/// How often the end of a request is tried to be told. What cannot be told is charged when its lease ends.
const ENDS_MAX: u32 = 8;

impl Grant {
    /// Asks the counters for a request.
    ///
    /// # Errors
    /// A limit has no room.
    pub fn ask(
        host: &dyn Host,
        allowed: &Allowed,
        asked: &Asked,
        demand: Demand,
    ) -> Result<Self, Refused> {
        let model = asked.name().to_owned();
        let places = places(&allowed.id, &allowed.user, &model);
        let (units, view) = (TokenUnits::default(), View::default());
        let mut grant = Self { tickets: [None; 3], places, model, units, view };
        for ((owner, ticket), place) in
            OWNERS.into_iter().zip(&mut grant.tickets).zip(&grant.places)
        {
            match ask_one(host, place, &asked.terms(owner), demand) {
                Ok((own, view)) => {
                    *ticket = own;
                    grant.view = View::tighter(grant.view, view);
                }
                Err(refused) => {
                    let view = View::tighter(grant.view, refused.view);
                    grant.undo(host);
                    return Err(Refused { owner, view, ..refused });
                }
            }
        }
        Ok(grant)
    }

    /// Tells what the request takes of the limits that gateways share.
    pub fn share(&mut self, host: &dyn Host, asked: &Asked) {
        let limits = OWNERS.map(|owner| asked.terms(owner).limits);
        self.units = shared::ask(host, names(&self.places), limits);
    }

    /// The request has ended, and has used this beside what its attempts were charged.
    pub fn settle(self, host: &dyn Host, nanos: u64, tokens: u64) {
        for (place, ticket) in self.tickets() {
            tell(host, place, |counter, now_ms| counter.settle(ticket, nanos, tokens, now_ms));
        }
        shared::take(host, names(&self.places), self.units, tokens);
    }

    /// The request has not reached a provider.
    pub fn undo(self, host: &dyn Host) {
        for (place, ticket) in self.tickets() {
            tell(host, place, |counter, now_ms| counter.undo(ticket, now_ms));
        }
    }

    /// The request lives.
    pub fn renew(&mut self, host: &dyn Host) {
        for (place, ticket) in self.places.iter().zip(&mut self.tickets) {
            ticket.iter_mut().for_each(|ticket| renew_one(host, place, ticket));
        }
    }

    /// What the attempts of the request must know.
    pub fn charges(&self) -> Charges {
        let periods = self.tickets.map(|ticket| ticket.as_ref().map(Ticket::period));
        Charges { periods, model: self.model.clone(), units: self.units }
    }

    /// The most that is reserved.
    pub fn reserved_nanos(&self) -> u64 {
        self.tickets().map(|(_, ticket)| ticket.nanos()).max().unwrap_or_default()
    }

    fn tickets(&self) -> impl Iterator<Item = (&str, &Ticket)> {
        let all = self.places.iter().zip(&self.tickets);
        all.filter_map(|(place, ticket)| Some((place.as_str(), ticket.as_ref()?)))
    }
}

/// A request's part of one counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    place: String,
    ticket: Ticket,
    has_left: bool,
}

/// The counter of all requests that leave the gateway.
const GATEWAY: &str = "gaud/limit/gateway";

impl Share {
    /// Asks the counter of a provider for a request.
    ///
    /// # Errors
    /// The limit has no room: how long until it may have; `None` for never.
    pub fn of_provider(
        host: &dyn Host,
        name: &str,
        limits: Limits,
    ) -> Result<Option<Box<Self>>, Option<u64>> {
        let place = format!("gaud/limit/provider/{name}");
        Self::of(host, place, limits).map_err(|refused| match refused.refusal {
            Some(Refusal::Requests { wait_ms }) => wait_ms,
            Some(Refusal::Parallel) if limits.max_parallel_requests == Some(0) => None,
            _ => Some(1_000),
        })
    }

    /// Asks the counter of the gateway for a request.
    ///
    /// # Errors
    /// The limit has no room.
    pub fn of_gateway(host: &dyn Host, limits: Limits) -> Result<Option<Box<Self>>, Refused> {
        Self::of(host, GATEWAY.to_owned(), limits)
    }

    #[inline(never)]
    fn of(host: &dyn Host, place: String, limits: Limits) -> Result<Option<Box<Self>>, Refused> {
        let terms = Terms { limits, known: None };
        let (ticket, _) = ask_one(host, &place, &terms, Demand::default())?;
        Ok(ticket.map(|ticket| Box::new(Self { place, ticket, has_left: false })))
    }

    /// The request has left for a provider.
    pub fn leave(&mut self) {
        self.has_left = true;
    }

    /// The request is over, wherever it has come to.
    pub fn end(self, host: &dyn Host) {
        if self.has_left { self.give_back(host) } else { self.undo(host) }
    }

    /// The request has ended.
    #[inline(never)]
    pub fn give_back(self, host: &dyn Host) {
        tell(host, &self.place, |counter, now_ms| counter.settle(&self.ticket, 0, 0, now_ms));
    }

    /// The request has not left.
    #[inline(never)]
    pub fn undo(self, host: &dyn Host) {
        tell(host, &self.place, |counter, now_ms| counter.undo(&self.ticket, now_ms));
    }

    /// The request lives.
    pub fn renew(&mut self, host: &dyn Host) {
        renew_one(host, &self.place, &mut self.ticket);
    }
}

/// What a key with a budget has spent in the budget's window, in nano-dollars.
pub fn spent_nanos(host: &dyn Host, key: &str) -> u64 {
    let [place, ..] = places(key, "", "");
    let stored = host.load(&place);
    let counter = Counter::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()));
    counter.money(host.now_ms()).0
}

impl Charges {
    /// An attempt of a request of this key and user has ended.
    pub fn charge(self, host: &dyn Host, key: &str, user: &str, nanos: u64, tokens: u64) {
        let places = places(key, user, &self.model);
        for (place, period) in places.iter().zip(self.periods) {
            let Some(period) = period else { continue };
            tell(host, place, |counter, now_ms| counter.charge(period, nanos, tokens, now_ms));
        }
        shared::take(host, names(&places), self.units, tokens);
    }
}

/// How the keys of all counters in shared data begin.
const LIMIT: &str = "gaud/limit/";

/// Where shared data have the counters, by owner.
fn places(key: &str, user: &str, model: &str) -> [String; 3] {
    let of_key = [LIMIT, "key/", key].concat();
    let of_model = [&of_key, "/", model].concat();
    [of_key, of_model, [LIMIT, "user/", user].concat()]
}

/// The names of the owners, for a service that counts for all gateways.
fn names(places: &[String; 3]) -> [&str; 3] {
    places.each_ref().map(|place| place.strip_prefix(LIMIT).unwrap_or(place))
}

/// Asks one counter; nothing is taken where nothing is limited.
#[inline(never)]
fn ask_one(
    host: &dyn Host,
    place: &str,
    terms: &Terms,
    demand: Demand,
) -> Result<(Option<Ticket>, View), Refused> {
    if terms.limits.is_none() {
        return Ok((None, View::default()));
    }
    let asked = store::update(host, place, |bytes| {
        let counter = Counter::from_bytes(bytes);
        let verdict = counter.admit(&terms.limits, terms.known, demand, host.now_ms());
        (verdict.counter.as_ref().map(Counter::to_bytes), verdict)
    });
    let Ok(Verdict { outcome, view, .. }) = asked else {
        host.count(Metric::Contended);
        return Err(Refused { owner: Owner::Key, refusal: None, view: View::default() });
    };
    match outcome {
        Ok(ticket) => Ok((Some(ticket), view)),
        Err(refusal) => Err(Refused { owner: Owner::Key, refusal: Some(refusal), view }),
    }
}

fn renew_one(host: &dyn Host, place: &str, ticket: &mut Ticket) {
    if !ticket.is_due(host.now_ms()) {
        return;
    }
    let renewed = store::update(host, place, |bytes| {
        let renewed = Counter::from_bytes(bytes).renew(ticket, host.now_ms());
        (renewed.map(|(counter, _)| counter.to_bytes()), renewed)
    });
    if let Ok(Some((_, renewed))) = renewed {
        *ticket = renewed;
    }
}

/// Tells a counter of an end.
fn tell(host: &dyn Host, place: &str, change: impl Fn(&Counter, u64) -> Counter) {
    for _ in 0..ENDS_MAX {
        let told = store::update(host, place, |bytes| {
            let counter = change(&Counter::from_bytes(bytes), host.now_ms());
            (Some(counter.to_bytes()), ())
        });
        if told.is_ok() {
            return;
        }
        host.count(Metric::Contended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    use crate::keys::Models;
    use crate::limits::{Budget, Window};
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW_MS: u64 = 1_795_968_000_000;

    fn allowed() -> Allowed {
        let models = Models::of(Vec::new());
        Allowed { id: "k".to_owned(), user: "ann".to_owned(), models, terms: None }
    }

    fn terms(limits: Limits) -> Terms {
        Terms { limits, known: None }
    }

    fn budget(nanos: u64) -> Limits {
        let budget = Budget { nanos, window: Window::Day, is_strict: false };
        Limits { budget: Some(budget), ..Limits::NONE }
    }

    fn counter(host: &Memory, place: &str) -> Counter {
        let stored = store::Store::load(host, place);
        Counter::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()))
    }

    #[test]
    fn what_the_user_refuses_costs_the_key_nothing() {
        let host = Memory::at(NOW_MS);
        let key = terms(Limits { rpm: Some(2), ..budget(100) });
        let both = Asked { key, user: terms(budget(10)), model: None };
        let demand = Demand { tokens: 0, nanos: 60 };
        let last = Grant::ask(&host, &allowed(), &both, demand).unwrap();
        assert_eq!(last.reserved_nanos(), 60);
        let refused = Grant::ask(&host, &allowed(), &both, demand).unwrap_err();
        assert_eq!(refused.owner, Owner::User);
        assert_eq!(counter(&host, "gaud/limit/key/k").money(NOW_MS), (0, 60));
        last.settle(&host, 7, 0);
        assert_eq!(counter(&host, "gaud/limit/key/k").money(NOW_MS), (7, 0));
        assert_eq!(counter(&host, "gaud/limit/user/ann").money(NOW_MS), (7, 0));
        assert!(Grant::ask(&host, &allowed(), &both, demand).is_ok(), "the request was given back");
    }

    #[test]
    fn attempts_are_charged_where_the_request_counts() {
        let host = Memory::at(NOW_MS);
        let both = Asked { key: terms(budget(100)), ..Asked::default() };
        let grant = Grant::ask(&host, &allowed(), &both, Demand { tokens: 0, nanos: 60 }).unwrap();
        let charges = grant.charges();
        assert!(matches!(charges.periods, [Some(_), None, None]));
        charges.clone().charge(&host, "k", "ann", 11, 0);
        charges.clone().charge(&host, "k", "ann", 12, 0);
        grant.settle(&host, 0, 0);
        charges.charge(&host, "k", "ann", 1, 0);
        assert_eq!(counter(&host, "gaud/limit/key/k").money(NOW_MS), (24, 0));
        assert_eq!(store::Store::load(&host, "gaud/limit/user/ann"), None);
    }

    #[test]
    fn a_model_has_a_counter_of_its_own_beside_the_keys() {
        let host = Memory::at(NOW_MS);
        let model = |name: &str, nanos| Some((name.to_owned(), terms(budget(nanos))));
        let asked = |model| Asked { key: terms(budget(100)), model, user: terms(budget(100)) };
        let demand = Demand { tokens: 0, nanos: 20 };
        let ask = |model| Grant::ask(&host, &allowed(), &asked(model), demand);
        let first = ask(model("gpt-4o", 20)).unwrap();
        let charges = first.charges();
        assert!(matches!(charges.periods, [Some(_), Some(_), Some(_)]));
        let refused = ask(model("gpt-4o", 20)).unwrap_err();
        assert_eq!(refused.owner, Owner::Model);
        assert_eq!(counter(&host, "gaud/limit/key/k").money(NOW_MS), (0, 20), "given back");
        assert!(ask(model("gpt-5", 20)).is_ok());
        assert!(ask(None).is_ok());
        charges.charge(&host, "k", "ann", 15, 0);
        first.settle(&host, 0, 0);
        assert_eq!(counter(&host, "gaud/limit/key/k/gpt-4o").money(NOW_MS), (15, 0));
        assert_eq!(counter(&host, "gaud/limit/key/k/gpt-5").money(NOW_MS), (0, 20));
        assert_eq!(counter(&host, "gaud/limit/user/ann").money(NOW_MS), (15, 40));
    }

    #[test]
    fn a_change_that_always_conflicts_refuses_the_request() {
        let host = Memory::failing_every(1);
        let both = Asked { key: terms(budget(100)), ..Asked::default() };
        let refused = Grant::ask(&host, &allowed(), &both, Demand::default()).unwrap_err();
        assert_eq!((refused.refusal, host.count_of(Metric::Contended)), (None, 1));
    }
}
