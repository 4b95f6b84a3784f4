//! A world small enough to be searched: the counters of a key and of its user, requests, a clock. All decisions are the real
//! counters'; what must be true is counted a second time, request by request.
//!
//! ```text
//! ask the key ─┬─> refused
//!              └─> ask the user ─┬─> refused: undo the key's ─> over
//!                                └─> live ─ charge, renew ─> settle the key's ─> settle the user's ─> over
//!                                      └───> lost: nobody settles
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};

use gaud::limits::{Budget, Counter, Demand, LEASE_MS, Limits, Period, Refusal, Ticket, Window};

/// What a rule says that is broken.
pub(crate) type Broken = String;

/// The clock moves by this. Midnight is one of these after the beginning.
pub(crate) const TICK_MS: u64 = LEASE_MS;

/// 2026-11-30T00:00:00Z.
const MIDNIGHT_MS: u64 = 1_795_996_800_000;

/// The key's and the user's.
const COUNTERS: usize = 2;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Admitted by the key's counter.
    AsksUser,
    /// Refused by the user's.
    Undoes,
    Live,
    /// The key's counter has the end; the cost.
    SettlesUser(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) phase: Phase,
    /// The most that it can cost.
    demand: u64,
    /// What its attempts have cost so far.
    charged: u64,
    tickets: [Option<Ticket>; COUNTERS],
}

/// A ticket that a counter has given out and not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Held {
    counter: usize,
    period: Period,
    nanos: u64,
    minute: u64,
    is_last: bool,
    /// Nobody renews and settles it.
    is_lost: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now_ms: u64,
    counters: [Counter; COUNTERS],
    limits: [Limits; COUNTERS],
    pub(crate) requests: Vec<Request>,
    held: Vec<Held>,
    /// What has ended in the window of each counter.
    spent: [(Period, u64); COUNTERS],
    /// Whether the key has a user with limits of its own.
    has_user: bool,
    /// How many more requests there may be.
    pub(crate) left: u8,
    /// A request that lives has not said so in time.
    was_late: bool,
    pub(crate) may_set_back: bool,
    was_set_back: bool,
    pub(crate) rows: Vec<&'static str>,
}

fn minute(now_ms: u64) -> u64 {
    now_ms / LEASE_MS
}

fn limits(nanos: u64, most: u32, is_strict: bool) -> Limits {
    let budget = Some(Budget { nanos, window: Window::Day, is_strict });
    Limits { max_parallel_requests: Some(most), budget, ..Limits::NONE }
}

impl World {
    /// With the budget of the key, and of its user, who may have none.
    pub(crate) fn new(key: u64, user: Option<u64>, is_strict: bool, left: u8) -> Self {
        Self {
            now_ms: MIDNIGHT_MS - TICK_MS,
            counters: [Counter::default(); 2],
            limits: [limits(key, 2, is_strict), limits(user.unwrap_or_default(), 3, is_strict)],
            requests: Vec::new(),
            held: Vec::new(),
            spent: [(Period::default(), 0); 2],
            has_user: user.is_some(),
            left,
            was_late: false,
            may_set_back: false,
            was_set_back: false,
            rows: Vec::new(),
        }
    }

    /// The same where the clock may be set back once.
    pub(crate) fn with_setback(self) -> Self {
        Self { may_set_back: true, ..self }
    }

    pub(crate) fn ask(&mut self, demand: u64) -> Result<(), Broken> {
        self.left -= 1;
        let request = Request { phase: Phase::AsksUser, demand, charged: 0, tickets: [None; 2] };
        if let Some(ticket) = self.admit(0, demand)? {
            let phase = if self.has_user { Phase::AsksUser } else { Phase::Live };
            self.requests.push(Request { phase, tickets: [Some(ticket), None], ..request });
            self.sort();
        }
        Ok(())
    }

    pub(crate) fn ask_user(&mut self, place: usize) -> Result<(), Broken> {
        let ticket = self.admit(1, self.requests[place].demand)?;
        let request = &mut self.requests[place];
        request.tickets[1] = ticket;
        request.phase = if ticket.is_some() { Phase::Live } else { Phase::Undoes };
        self.sort();
        Ok(())
    }

    pub(crate) fn undo(&mut self, place: usize) {
        let request = self.requests.remove(place);
        let Some(ticket) = request.tickets[0] else { return };
        self.rows.push("undo");
        self.counters[0] = self.counters[0].undo(&ticket, self.now_ms);
        self.release(0, &ticket);
    }

    /// An attempt has ended and the request goes on.
    pub(crate) fn charge(&mut self, place: usize) {
        self.rows.push("charge");
        let request = self.requests[place];
        for (counter, ticket) in request.tickets.iter().enumerate() {
            let Some(ticket) = ticket else { continue };
            let own = &mut self.counters[counter];
            *own = own.charge(ticket.period(), 1, 0, self.now_ms);
            self.spend(counter, ticket.period(), 1);
        }
        self.requests[place].charged += 1;
        self.sort();
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
        for counter in 0..COUNTERS {
            let Some(ticket) = self.requests[place].tickets[counter] else { continue };
            let Some((new, renewed)) = self.counters[counter].renew(&ticket, self.now_ms) else {
                continue;
            };
            self.rows.push("renew");
            self.counters[counter] = new;
            self.release(counter, &ticket);
            self.hold(counter, &renewed);
            self.requests[place].tickets[counter] = Some(renewed);
        }
        self.sort();
    }

    /// The key's counter hears of the end.
    pub(crate) fn settle(&mut self, place: usize, cost: u64) {
        self.settle_on(0, place, cost);
        match self.has_user {
            true => self.requests[place].phase = Phase::SettlesUser(cost),
            false => drop(self.requests.remove(place)),
        }
        self.sort();
    }

    pub(crate) fn settle_user(&mut self, place: usize, cost: u64) {
        self.settle_on(1, place, cost);
        self.requests.remove(place);
    }

    fn settle_on(&mut self, counter: usize, place: usize, cost: u64) {
        let Some(ticket) = self.requests[place].tickets[counter].take() else { return };
        self.rows.push("settle");
        self.counters[counter] = self.counters[counter].settle(&ticket, cost, 0, self.now_ms);
        self.release(counter, &ticket);
        self.spend(counter, ticket.period(), cost);
    }

    /// The VM of a request has trapped.
    pub(crate) fn lose(&mut self, place: usize) {
        self.rows.push("lose");
        let request = self.requests.remove(place);
        for (counter, ticket) in request.tickets.iter().enumerate() {
            let Some(ticket) = ticket else { continue };
            if let Some(place) = self.place(counter, ticket) {
                self.held[place].is_lost = true;
            }
        }
    }

    pub(crate) fn tick(&mut self) {
        self.now_ms += TICK_MS;
        let now = minute(self.now_ms);
        self.was_late |= self.held.iter().any(|held| !held.is_lost && held.minute + 1 < now);
    }

    pub(crate) fn set_back(&mut self, ticks: u64) {
        self.now_ms -= ticks * TICK_MS;
        (self.may_set_back, self.was_set_back) = (false, true);
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
        let own = self.counters[counter];
        let limits = self.limits[counter];
        let verdict = own.admit(&limits, None, Demand { tokens: 0, nanos }, self.now_ms);
        let ticket = match (verdict.counter, verdict.outcome) {
            (Some(new), Ok(ticket)) => {
                self.counters[counter] = new;
                ticket
            }
            (None, Err(refusal)) => {
                self.rows.push(match refusal {
                    Refusal::Parallel => "refuse: parallel",
                    _ => "refuse: budget",
                });
                return Ok(None);
            }
            other => return Err(format!("a verdict of two minds: {other:?}")),
        };
        self.turn(counter)?;
        self.rows.push(if ticket.is_last() { "admit the last" } else { "admit" });
        if !ticket.is_last() && ticket.nanos() != nanos {
            return Err(format!("{nanos} are needed, and {} are reserved", ticket.nanos()));
        }
        self.hold(counter, &ticket);
        Ok(Some(ticket))
    }

    /// The window of the second count follows the counter's, which must be the right one.
    fn turn(&mut self, counter: usize) -> Result<(), Broken> {
        let (period, spent) = &mut self.spent[counter];
        let own = self.counters[counter].period();
        let right = Window::Day.at(self.now_ms / 1000);
        if own != right && !self.was_set_back {
            return Err(format!("the window is {own:?}, and now is {right:?}"));
        }
        if *period != own {
            self.rows.push("turn");
            (*period, *spent) = (own, 0);
        }
        Ok(())
    }

    fn hold(&mut self, counter: usize, ticket: &Ticket) {
        let (period, nanos) = (ticket.period(), ticket.nanos());
        let (minute, is_last) = (ticket.minute(), ticket.is_last());
        self.held.push(Held { counter, period, nanos, minute, is_last, is_lost: false });
        self.held.sort_by_key(|held| (held.counter, held.minute, held.nanos, held.is_last));
    }

    fn release(&mut self, counter: usize, ticket: &Ticket) {
        if let Some(place) = self.place(counter, ticket) {
            self.held.remove(place);
        }
    }

    fn place(&self, counter: usize, ticket: &Ticket) -> Option<usize> {
        self.held.iter().position(|held| {
            held.counter == counter
                && !held.is_lost
                && held.minute == ticket.minute()
                && held.nanos == ticket.nanos()
                && held.period == ticket.period()
                && held.is_last == ticket.is_last()
        })
    }

    fn spend(&mut self, counter: usize, period: Period, nanos: u64) {
        let (own, spent) = &mut self.spent[counter];
        if *own == period {
            *spent += nanos;
        }
    }

    /// The rules, after any step.
    pub(crate) fn holds(&self) -> Result<(), Broken> {
        (0..COUNTERS).try_for_each(|counter| self.holds_of(counter))
    }

    fn holds_of(&self, counter: usize) -> Result<(), Broken> {
        let now = minute(self.now_ms);
        let own = &self.counters[counter];
        let (period, ended) = self.spent[counter];
        let of_counter = || self.held.iter().filter(|held| held.counter == counter);
        let in_window = || of_counter().filter(|held| held.period == period);
        if !self.was_set_back {
            let is_open = period == Window::Day.at(self.now_ms / 1000);
            let reserved: u64 = in_window().map(|held| held.nanos).sum();
            let (spent, leased) = own.money(self.now_ms);
            if is_open && spent + leased != ended + reserved {
                return Err(format!(
                    "{spent} spent and {leased} reserved, not {ended} and {reserved}"
                ));
            }
            let places = of_counter().filter(|held| held.minute.abs_diff(now) <= 1).count();
            if own.places(self.now_ms) as usize != places {
                return Err(format!("{} places, not {places}", own.places(self.now_ms)));
            }
        }
        if self.was_late || self.was_set_back {
            return Ok(());
        }
        let lasts = in_window().filter(|held| held.is_last && held.minute + 1 >= now).count();
        if lasts > 1 {
            return Err(format!("{lasts} last requests"));
        }
        let budget = self.limits[counter].budget.map_or(0, |budget| budget.nanos);
        let committed = ended + in_window().map(|held| held.nanos).sum::<u64>();
        // A last request has at least one reserved.
        let excess =
            if self.limits[counter].budget.is_some_and(|own| own.is_strict) { 0 } else { MOST - 1 };
        if committed > budget + excess + self.charged_twice(counter) {
            return Err(format!("{committed} of a budget of {budget}"));
        }
        Ok(())
    }

    /// An attempt's charge is counted beside its request's reservation until the request is settled.
    fn charged_twice(&self, counter: usize) -> u64 {
        let charged = self.requests.iter().filter(|request| request.tickets[counter].is_some());
        charged.map(|request| request.charged).sum::<u64>() + self.lost_charges()
    }

    fn lost_charges(&self) -> u64 {
        self.held.iter().filter(|held| held.is_lost).count() as u64
    }
}

/// The most that a request can cost.
pub(crate) const MOST: u64 = 3;
