//! What a request takes of the limits of its key and of its user, in shared data.
//!
//! The key's counter is asked first, then the user's; where the user's refuses, the key's gets back what it gave.

use super::check::{Allowed, BothTerms};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::host::store;
use crate::limits::{Counter, Demand, Limits, Period, Refusal, Terms, Ticket, Verdict, View};

/// Whose limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Key,
    User,
}

/// What a request has taken and nobody has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    key: Option<Ticket>,
    user: Option<Ticket>,
    /// Which keys and users the counters are of.
    places: Places,
    /// What is left, of the limit that has less.
    pub view: View,
}

/// Where shared data have the counters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Places {
    key: String,
    user: String,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charges {
    pub key: Option<Period>,
    pub user: Option<Period>,
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
        terms: &BothTerms,
        demand: Demand,
    ) -> Result<Self, Refused> {
        let places = Places::of(&allowed.id, &allowed.user);
        let (key, of_key) = ask_one(host, &places.key, &terms.key, demand)
            .map_err(|refused| Refused { owner: Owner::Key, ..refused })?;
        match ask_one(host, &places.user, &terms.user, demand) {
            Ok((user, of_user)) => {
                let view = View::tighter(of_key, of_user);
                Ok(Self { key, user, places, view })
            }
            Err(refused) => {
                if let Some(ticket) = &key {
                    tell(host, &places.key, |counter, now_ms| counter.undo(ticket, now_ms));
                }
                let view = View::tighter(of_key, refused.view);
                Err(Refused { owner: Owner::User, view, ..refused })
            }
        }
    }

    /// The request has ended, and has used this beside what its attempts were charged.
    pub fn settle(self, host: &dyn Host, nanos: u64, tokens: u64) {
        for (place, ticket) in self.tickets() {
            tell(host, place, |counter, now_ms| counter.settle(ticket, nanos, tokens, now_ms));
        }
    }

    /// The request has not reached a provider.
    pub fn undo(self, host: &dyn Host) {
        for (place, ticket) in self.tickets() {
            tell(host, place, |counter, now_ms| counter.undo(ticket, now_ms));
        }
    }

    /// The request lives.
    pub fn renew(&mut self, host: &dyn Host) {
        let Self { key, user, places, .. } = self;
        for (place, ticket) in [(&places.key, key), (&places.user, user)] {
            ticket.iter_mut().for_each(|ticket| renew_one(host, place, ticket));
        }
    }

    /// What the attempts of the request must know.
    pub fn charges(&self) -> Charges {
        let period = |ticket: &Option<Ticket>| ticket.as_ref().map(Ticket::period);
        Charges { key: period(&self.key), user: period(&self.user) }
    }

    /// The most that is reserved.
    pub fn reserved_nanos(&self) -> u64 {
        self.tickets().map(|(_, ticket)| ticket.nanos()).max().unwrap_or_default()
    }

    fn tickets(&self) -> impl Iterator<Item = (&str, &Ticket)> {
        let both = [(&self.places.key, &self.key), (&self.places.user, &self.user)];
        both.into_iter().filter_map(|(place, ticket)| Some((place.as_str(), ticket.as_ref()?)))
    }
}

/// A request's part of one counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    place: String,
    ticket: Ticket,
}

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
        let terms = Terms { limits, known: None };
        match ask_one(host, &place, &terms, Demand::default()) {
            Ok((ticket, _)) => Ok(ticket.map(|ticket| Box::new(Self { place, ticket }))),
            Err(refused) => Err(match refused.refusal {
                Some(Refusal::Requests { wait_ms }) => wait_ms,
                Some(Refusal::Parallel) if limits.max_parallel_requests == Some(0) => None,
                _ => Some(1_000),
            }),
        }
    }

    /// The request has ended.
    pub fn give_back(self, host: &dyn Host) {
        tell(host, &self.place, |counter, now_ms| counter.settle(&self.ticket, 0, 0, now_ms));
    }

    /// The request has not left.
    pub fn undo(self, host: &dyn Host) {
        tell(host, &self.place, |counter, now_ms| counter.undo(&self.ticket, now_ms));
    }

    /// The request lives.
    pub fn renew(&mut self, host: &dyn Host) {
        renew_one(host, &self.place, &mut self.ticket);
    }
}

impl Charges {
    /// An attempt of a request of this key and user has ended.
    pub fn charge(self, host: &dyn Host, key: &str, user: &str, nanos: u64, tokens: u64) {
        let places = Places::of(key, user);
        for (place, period) in [(&places.key, self.key), (&places.user, self.user)] {
            let Some(period) = period else { continue };
            tell(host, place, |counter, now_ms| counter.charge(period, nanos, tokens, now_ms));
        }
    }
}

impl Places {
    fn of(key: &str, user: &str) -> Self {
        Self { key: format!("gaud/limit/key/{key}"), user: format!("gaud/limit/user/{user}") }
    }
}

/// Asks one counter; nothing is taken where nothing is limited.
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
        let both = BothTerms { key, user: terms(budget(10)) };
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
        let both = BothTerms { key: terms(budget(100)), user: Terms::default() };
        let grant = Grant::ask(&host, &allowed(), &both, Demand { tokens: 0, nanos: 60 }).unwrap();
        let charges = grant.charges();
        assert!(charges.key.is_some() && charges.user.is_none());
        charges.charge(&host, "k", "ann", 11, 0);
        charges.charge(&host, "k", "ann", 12, 0);
        grant.settle(&host, 0, 0);
        charges.charge(&host, "k", "ann", 1, 0);
        assert_eq!(counter(&host, "gaud/limit/key/k").money(NOW_MS), (24, 0));
        assert_eq!(store::Store::load(&host, "gaud/limit/user/ann"), None);
    }

    #[test]
    fn a_change_that_always_conflicts_refuses_the_request() {
        let host = Memory::failing_every(1);
        let both = BothTerms { key: terms(budget(100)), user: Terms::default() };
        let refused = Grant::ask(&host, &allowed(), &both, Demand::default()).unwrap_err();
        assert_eq!((refused.refusal, host.count_of(Metric::Contended)), (None, 1));
    }
}
