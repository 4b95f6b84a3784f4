//! What one counter must have: counted a second time, request by request.

use gaud::limits::{Counter, Known, LEASE_MS, Limits, Period, Ticket, Window};

use super::buckets::Buckets;
use super::world::{Broken, MOST};

/// A ticket that a counter has given out and not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Held {
    period: Period,
    nanos: u64,
    minute: u64,
    is_last: bool,
    /// Nobody renews and settles the request.
    is_lost: bool,
    /// The counter has changed after the end of its lease.
    is_gone: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Count {
    pub(crate) limits: Limits,
    pub(crate) known: Option<Known>,
    held: Vec<Held>,
    period: Period,
    /// What has ended in the window.
    spent: u64,
    pub(crate) buckets: Buckets,
    /// A request that lives has not said so in time.
    was_late: bool,
    /// The clock was set back to the minute of a lease that was lost, and another lease began there: the end of a request of the
    /// lost lease takes place and money of the other.
    is_mixed: bool,
}

pub(crate) fn minute(now_ms: u64) -> u64 {
    now_ms / LEASE_MS
}

fn holds_lease(held: &Held, now_ms: u64) -> bool {
    !held.is_gone && held.minute.abs_diff(minute(now_ms)) <= 1
}

impl Count {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            known: None,
            held: Vec::new(),
            period: Period::default(),
            spent: 0,
            buckets: Buckets::full(limits),
            was_late: false,
            is_mixed: false,
        }
    }

    /// A minute has passed, in which buckets fill.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        self.buckets.fill();
        self.look(now_ms);
    }

    /// The clock has changed.
    pub(crate) fn look(&mut self, now_ms: u64) {
        let is_late = |held: &Held| !held.is_lost && held.minute.abs_diff(minute(now_ms)) > 1;
        self.was_late |= self.held.iter().any(is_late);
    }

    /// The counter changes now: leases that have ended stay ended, whatever the clock does.
    pub(crate) fn change(&mut self, now_ms: u64) {
        let now = minute(now_ms);
        self.held.iter_mut().for_each(|held| held.is_gone |= held.minute.abs_diff(now) > 1);
    }

    /// The window follows the counter's, which must be the right one.
    pub(crate) fn turn(&mut self, own: Period, now_ms: u64) -> Result<bool, Broken> {
        if self.limits.budget.is_some() && !is_in_force(own, now_ms) {
            return Err(format!("the window is {own:?} at {now_ms}"));
        }
        let has_turned = self.period != own;
        if has_turned {
            (self.period, self.spent) = (own, 0);
        }
        if let Some(known) = self.known.filter(|known| known.period == own) {
            self.spent = self.spent.max(known.spent_nanos);
        }
        Ok(has_turned)
    }

    pub(crate) fn hold(&mut self, ticket: &Ticket) {
        let (period, nanos) = (ticket.period(), ticket.nanos());
        let (minute, is_last) = (ticket.minute(), ticket.is_last());
        self.is_mixed |= self.held.iter().any(|held| held.is_gone && held.minute == minute);
        self.held.push(Held { period, nanos, minute, is_last, is_lost: false, is_gone: false });
        self.held.sort_by_key(|held| (held.minute, held.nanos, held.is_last, held.is_gone));
    }

    pub(crate) fn release(&mut self, ticket: &Ticket) {
        if let Some(place) = self.place(ticket) {
            self.held.remove(place);
        }
    }

    /// Nobody settles the request.
    pub(crate) fn lose(&mut self, ticket: &Ticket) {
        if let Some(place) = self.place(ticket) {
            self.held[place].is_lost = true;
        }
    }

    fn place(&self, ticket: &Ticket) -> Option<usize> {
        self.held.iter().position(|held| {
            !held.is_lost
                && held.minute == ticket.minute()
                && held.nanos == ticket.nanos()
                && held.period == ticket.period()
                && held.is_last == ticket.is_last()
        })
    }

    pub(crate) fn spend(&mut self, period: Period, nanos: u64) {
        if self.period == period {
            self.spent += nanos;
        }
    }

    /// The rules, after any step. `charged` is what attempts of requests under way have cost.
    pub(crate) fn holds(&self, own: &Counter, now_ms: u64, charged: u64) -> Result<(), Broken> {
        self.has_all_money(own, now_ms)?;
        self.has_all_places(own, now_ms)?;
        let is_last = |held: &&Held| held.is_last && holds_lease(held, now_ms);
        let lasts = self.in_window().filter(is_last).count();
        if lasts > 1 && !self.is_mixed {
            return Err(format!("{lasts} last requests"));
        }
        if self.was_late { Ok(()) } else { self.keeps_to_the_budget(charged) }
    }

    fn has_all_places(&self, own: &Counter, now_ms: u64) -> Result<(), Broken> {
        let places = own.places(now_ms) as usize;
        let expected = self.held.iter().filter(|held| holds_lease(held, now_ms)).count();
        match places == expected || self.is_mixed && places <= self.held.len() {
            true => Ok(()),
            false => Err(format!("{places} places, not {expected}")),
        }
    }

    fn in_window(&self) -> impl Iterator<Item = &Held> {
        self.held.iter().filter(|held| held.period == self.period)
    }

    fn has_all_money(&self, own: &Counter, now_ms: u64) -> Result<(), Broken> {
        let ended = self.spent;
        let reserved: u64 = self.in_window().map(|held| held.nanos).sum();
        let (spent, leased) = own.money(now_ms);
        let (all, expected) = (spent + leased, ended + reserved);
        // No more than one request's money is forgotten.
        let is_right = all == expected || self.is_mixed && all + MOST > expected;
        match !is_in_force(self.period, now_ms) || is_right {
            true => Ok(()),
            false => Err(format!("{spent} spent, {leased} reserved, not {ended} and {reserved}")),
        }
    }

    fn keeps_to_the_budget(&self, charged: u64) -> Result<(), Broken> {
        let Some(budget) = self.limits.budget else { return Ok(()) };
        let committed = self.spent + self.in_window().map(|held| held.nanos).sum::<u64>();
        // A last request has at least one reserved.
        let excess = if budget.is_strict { 0 } else { MOST - 1 };
        // An attempt's charge is counted beside its request's reservation until the request is settled.
        let lost = self.held.iter().filter(|held| held.is_lost).count() as u64;
        match committed > budget.nanos + excess + charged + lost {
            true => Err(format!("{committed} of a budget of {}", budget.nanos)),
            false => Ok(()),
        }
    }
}

/// Whether a window is the window of now, or the next window, which a clock that is set back does not end.
fn is_in_force(own: Period, now_ms: u64) -> bool {
    let right = Window::Day.at(now_ms / 1000);
    own == right || right.end_secs() == Some(own.start_secs)
}
