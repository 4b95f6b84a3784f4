//! A world small enough to be searched: the counters of a key, of its model and of its user, requests, a clock. All decisions are
//! the real counters'; what must be true is counted a second time.
//!
//! ```text
//! ask the key ─┬─> refused
//!              └─> ask the next ─┬─> refused: undo those before ─> over
//!                                └─> live ─ charge, renew ─> settle the key's ─> settle the next ─> over
//!                                      └───> lost: nobody settles
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};

use gaud::limits::{Budget, Counter, Demand, Known, LEASE_MS, Limits, Refusal, Ticket, Window};

use super::count::Count;

/// What a rule says that is broken.
pub(crate) type Broken = String;

/// The clock moves by this. Midnight is one of these after the beginning.
pub(crate) const TICK_MS: u64 = LEASE_MS;

/// The most that a request can cost.
pub(crate) const MOST: u64 = 3;

/// 2026-11-30T00:00:00Z.
const MIDNIGHT_MS: u64 = 1_795_996_800_000;

/// The most counters of a request.
const COUNTERS: usize = 3;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// The counters before this have admitted the request.
    Asks(usize),
    /// A later counter has refused the request; counters before this have not all got back what they gave.
    Undoes(usize),
    Live,
    /// The counters before this have the end; the cost.
    Settles(usize, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) phase: Phase,
    /// The most that the request can cost, and its tokens.
    demand: u64,
    /// What its attempts have cost so far.
    charged: u64,
    tickets: [Option<Ticket>; COUNTERS],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now_ms: u64,
    /// By owner, in the order in which they are asked.
    counters: Vec<Counter>,
    counts: Vec<Count>,
    pub(crate) requests: Vec<Request>,
    /// How many more requests there may be.
    pub(crate) left: u8,
    pub(crate) may_set_back: bool,
    /// What the ledger may still hear that the key has spent elsewhere.
    pub(crate) elsewhere: Option<u64>,
    pub(crate) rows: Vec<&'static str>,
}

/// A budget, and this number of requests at once.
pub(crate) fn money(nanos: u64, most: u32) -> Limits {
    let budget = Some(Budget { nanos, window: Window::Day, is_strict: false });
    Limits { max_parallel_requests: Some(most), budget, ..Limits::NONE }
}

impl World {
    /// With the limits of each owner, and this number of requests.
    pub(crate) fn new(limits: &[Limits], left: u8) -> Self {
        Self {
            now_ms: MIDNIGHT_MS - TICK_MS,
            counters: vec![Counter::default(); limits.len()],
            counts: limits.iter().copied().map(Count::new).collect(),
            requests: Vec::new(),
            left,
            may_set_back: false,
            elsewhere: None,
            rows: Vec::new(),
        }
    }

    /// The same where the clock may be set back once.
    pub(crate) fn with_setback(self) -> Self {
        Self { may_set_back: true, ..self }
    }

    /// The same where the ledger hears once of money that was spent elsewhere.
    pub(crate) fn with_spending_elsewhere(self, nanos: u64) -> Self {
        Self { elsewhere: Some(nanos), ..self }
    }

    pub(crate) fn begin(&mut self, demand: u64) -> Result<(), Broken> {
        self.left -= 1;
        let request = Request { phase: Phase::Asks(0), demand, charged: 0, tickets: [None; 3] };
        self.requests.push(request);
        self.ask(self.requests.len() - 1)
    }

    /// The next counter is asked.
    pub(crate) fn ask(&mut self, place: usize) -> Result<(), Broken> {
        let Phase::Asks(counter) = self.requests[place].phase else { return Ok(()) };
        let ticket = self.admit(counter, self.requests[place].demand)?;
        let is_last = counter + 1 == self.counters.len();
        let request = &mut self.requests[place];
        request.tickets[counter] = ticket;
        request.phase = match ticket {
            Some(_) if is_last => Phase::Live,
            Some(_) => Phase::Asks(counter + 1),
            None => Phase::Undoes(counter),
        };
        if request.phase == Phase::Undoes(0) {
            self.requests.remove(place);
        }
        self.sort();
        Ok(())
    }

    /// The first counter that has not yet got back what it gave does.
    pub(crate) fn undo(&mut self, place: usize) {
        let request = self.requests[place];
        let Some(counter) = request.tickets.iter().position(Option::is_some) else { return };
        let Some(ticket) = self.requests[place].tickets[counter].take() else { return };
        self.rows.push("undo");
        self.counts[counter].change(self.now_ms);
        self.counters[counter] = self.counters[counter].undo(&ticket, self.now_ms);
        let tokens = self.counts[counter].buckets.tokens(request.demand);
        self.counts[counter].buckets.give(tokens, 0);
        self.counts[counter].buckets.give_request();
        self.counts[counter].release(&ticket);
        if self.requests[place].tickets == [None; COUNTERS] {
            self.requests.remove(place);
        }
        self.sort();
    }

    /// An attempt has ended and the request goes on.
    pub(crate) fn charge(&mut self, place: usize) {
        self.rows.push("charge");
        for (counter, ticket) in self.tickets(place) {
            self.counts[counter].change(self.now_ms);
            let (own, tokens) =
                (&mut self.counters[counter], self.counts[counter].buckets.tokens(1));
            *own = own.charge(ticket.period(), 1, tokens, self.now_ms);
            self.counts[counter].spend(ticket.period(), 1);
            self.counts[counter].buckets.give(0, tokens);
        }
        self.requests[place].charged += 1;
        self.sort();
    }

    fn tickets(&self, place: usize) -> Vec<(usize, Ticket)> {
        let tickets = self.requests[place].tickets.into_iter().enumerate();
        tickets.filter_map(|(counter, ticket)| Some((counter, ticket?))).collect()
    }

    /// Two worlds that differ in the order of their requests alone are one.
    fn sort(&mut self) {
        self.requests.sort_by_key(|request| {
            let mut hasher = DefaultHasher::new();
            request.hash(&mut hasher);
            hasher.finish()
        });
    }

    pub(crate) fn renew(&mut self, place: usize) {
        for (counter, ticket) in self.tickets(place) {
            let Some((new, renewed)) = self.counters[counter].renew(&ticket, self.now_ms) else {
                continue;
            };
            self.rows.push("renew");
            self.counts[counter].change(self.now_ms);
            self.counters[counter] = new;
            self.counts[counter].release(&ticket);
            self.counts[counter].hold(&renewed);
            self.requests[place].tickets[counter] = Some(renewed);
        }
        self.sort();
    }

    /// The next counter hears of the end.
    pub(crate) fn settle(&mut self, place: usize, cost: u64) {
        self.rows.push("settle");
        let counter = match self.requests[place].phase {
            Phase::Settles(counter, _) => counter,
            _ => 0,
        };
        self.settle_on(counter, place, cost);
        match counter + 1 == self.counters.len() {
            true => drop(self.requests.remove(place)),
            false => self.requests[place].phase = Phase::Settles(counter + 1, cost),
        }
        self.sort();
    }

    fn settle_on(&mut self, counter: usize, place: usize, cost: u64) {
        let request = &mut self.requests[place];
        let (demand, ticket) = (request.demand, request.tickets[counter].take());
        let Some(ticket) = ticket else { return };
        let count = &mut self.counts[counter];
        count.change(self.now_ms);
        let (estimate, used) = (count.buckets.tokens(demand), count.buckets.tokens(cost));
        self.counters[counter] = self.counters[counter].settle(&ticket, cost, used, self.now_ms);
        count.release(&ticket);
        count.buckets.give(estimate, used);
        count.spend(ticket.period(), cost);
    }

    /// The VM of a request has trapped.
    pub(crate) fn lose(&mut self, place: usize) {
        self.rows.push("lose");
        for (counter, ticket) in self.tickets(place) {
            self.counts[counter].lose(&ticket);
        }
        self.requests.remove(place);
    }

    pub(crate) fn tick(&mut self) {
        self.now_ms += TICK_MS;
        let now_ms = self.now_ms;
        self.counts.iter_mut().for_each(|count| count.tick(now_ms));
    }

    pub(crate) fn set_back(&mut self, ticks: u64) {
        self.now_ms -= ticks * TICK_MS;
        self.may_set_back = false;
        let now_ms = self.now_ms;
        self.counts.iter_mut().for_each(|count| count.look(now_ms));
    }

    /// The ledger has heard of what the key has spent elsewhere.
    pub(crate) fn learn(&mut self) {
        self.rows.push("learn");
        let nanos = self.elsewhere.take().unwrap_or_default();
        let period = Window::Day.at(self.now_ms / 1000);
        let spent_nanos = self.counters[0].money(self.now_ms).0 + nanos;
        self.counts[0].known = Some(Known { period, spent_nanos });
    }

    /// What a request may still cost.
    pub(crate) fn costs(&self, place: usize) -> [u64; 2] {
        let Request { demand, charged, .. } = self.requests[place];
        [0, demand - charged]
    }

    pub(crate) fn may_be_charged(&self, place: usize) -> bool {
        self.requests[place].charged == 0
    }

    fn admit(&mut self, counter: usize, nanos: u64) -> Result<Option<Ticket>, Broken> {
        let (own, count) = (self.counters[counter], &mut self.counts[counter]);
        let demand = Demand { tokens: count.buckets.tokens(nanos), nanos };
        let verdict = own.admit(&count.limits, count.known, demand, self.now_ms);
        let ticket = match (verdict.counter, verdict.outcome) {
            (Some(new), Ok(ticket)) => {
                self.counters[counter] = new;
                ticket
            }
            (None, Err(refusal)) => {
                self.rows.push(row(refusal));
                count.buckets.is_right(refusal, demand)?;
                return count.buckets.is_told(verdict.view).map(|()| None);
            }
            other => return Err(format!("a verdict of two minds: {other:?}")),
        };
        count.change(self.now_ms);
        if count.turn(self.counters[counter].period(), self.now_ms)? {
            self.rows.push("turn");
        }
        count.buckets.take(demand, verdict.view)?;
        self.rows.push(if ticket.is_last() { "admit the last" } else { "admit" });
        let needed = count.limits.budget.map_or(0, |_| nanos);
        if !ticket.is_last() && ticket.nanos() != needed {
            return Err(format!("{needed} are needed, and {} are reserved", ticket.nanos()));
        }
        count.hold(&ticket);
        Ok(Some(ticket))
    }

    /// The rules, after any step.
    pub(crate) fn holds(&self) -> Result<(), Broken> {
        let owners = self.counts.iter().zip(&self.counters).enumerate();
        owners.into_iter().try_for_each(|(counter, (count, own))| {
            let is_in = |request: &&Request| request.tickets[counter].is_some();
            let charged = self.requests.iter().filter(is_in).map(|request| request.charged);
            count.holds(own, self.now_ms, charged.sum())
        })
    }
}

fn row(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Parallel => "refuse: parallel",
        Refusal::Budget { .. } => "refuse: budget",
        Refusal::Requests { .. } => "refuse: requests",
        Refusal::Tokens { .. } => "refuse: tokens",
    }
}
