//! The transitions of a counter; the module's tables have them.

use super::bucket::{Bucket, Fill};
use super::lease::{self, Leases};
use super::terms::{Budget, Demand, Known, Limits};
use super::window::Period;

/// What one key, user or provider uses now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Counter {
    pub(super) requests: Bucket,
    pub(super) tokens: Bucket,
    pub(super) leases: Leases,
    /// The window of `spent_nanos`.
    pub(super) period: Period,
    pub(super) spent_nanos: u64,
    pub(super) last: Last,
}

/// The request that may use the rest of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Last {
    /// Counts them.
    pub(super) number: u32,
    /// When it has said last that it lives, in minutes since 1970; 0 where none is under way.
    pub(super) minute: u64,
}

/// What an admitted request has taken, for the one who settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub(super) minute: u64,
    pub(super) period: Period,
    pub(super) nanos: u64,
    pub(super) tokens: u64,
    /// The number of the last request, for a request that is one.
    pub(super) last: Option<u32>,
}

/// Which limit has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The budget is used up until the window ends; `None` for ever.
    Budget { ends_secs: Option<u64> },
    /// There is a request after this time; `None` for never.
    Requests { wait_ms: Option<u64> },
    /// The same for tokens.
    Tokens { wait_ms: Option<u64> },
    /// As many requests as allowed are under way.
    Parallel,
}

/// How much is left after a decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    pub requests: Option<Fill>,
    pub tokens: Option<Fill>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The counter after it; `None` where the request is refused, which changes nothing.
    pub counter: Option<Counter>,
    pub outcome: Result<Ticket, Refusal>,
    pub view: View,
}

impl Counter {
    /// Asks for a request. `known` is what the ledger has of the budget's window.
    pub fn admit(
        &self,
        limits: &Limits,
        known: Option<Known>,
        demand: Demand,
        now_ms: u64,
    ) -> Verdict {
        let mut counter = self.at(limits, known, now_ms);
        match counter.take(limits, demand) {
            Ok(ticket) => {
                let view = counter.view(limits);
                Verdict { counter: Some(counter), outcome: Ok(ticket), view }
            }
            Err(refusal) => {
                let view = self.at(limits, known, now_ms).view(limits);
                Verdict { counter: None, outcome: Err(refusal), view }
            }
        }
    }

    /// An attempt of a request has ended; the request itself is settled later.
    #[must_use]
    pub fn charge(&self, period: Period, nanos: u64, tokens: u64, now_ms: u64) -> Self {
        let mut counter = self.refreshed(now_ms);
        if counter.period == period {
            counter.spent_nanos = counter.spent_nanos.saturating_add(nanos);
        }
        counter.tokens = counter.tokens.take(tokens);
        counter
    }

    /// The request has ended, and has used this beside what was charged before.
    #[must_use]
    pub fn settle(&self, ticket: &Ticket, nanos: u64, tokens: u64, now_ms: u64) -> Self {
        let mut counter = self.refreshed(now_ms);
        counter.tokens = counter.tokens.give(ticket.tokens);
        counter.leave(ticket);
        if ticket.last == Some(counter.last.number) {
            counter.last.minute = 0;
        }
        counter.charge(ticket.period, nanos, tokens, now_ms)
    }

    /// Another counter has refused the request.
    #[must_use]
    pub fn undo(&self, ticket: &Ticket, now_ms: u64) -> Self {
        let counter = self.settle(ticket, 0, 0, now_ms);
        Self { requests: counter.requests.give(1), ..counter }
    }

    /// The request lives. `None` where its lease says so already.
    pub fn renew(&self, ticket: &Ticket, now_ms: u64) -> Option<(Self, Ticket)> {
        let mut counter = self.refreshed(now_ms);
        if ticket.minute == counter.leases.newest.minute {
            return None;
        }
        counter.leave(ticket);
        let nanos = if ticket.period == counter.period { ticket.nanos } else { 0 };
        let minute = counter.leases.join(nanos);
        let is_last = ticket.last == Some(counter.last.number);
        if is_last {
            counter.last.minute = minute;
        }
        let last = ticket.last.filter(|_| is_last);
        Some((counter, Ticket { minute, nanos, last, ..*ticket }))
    }

    /// What was spent in the window that is in force, in nano-dollars, and what is reserved.
    pub fn money(&self, now_ms: u64) -> (u64, u64) {
        let counter = self.lose(now_ms);
        match self.period.in_force(self.period.window, now_ms / 1000) == self.period {
            true => (counter.spent_nanos, counter.leases.nanos()),
            false => (0, 0),
        }
    }

    /// The window of the last request.
    pub fn period(&self) -> Period {
        self.period
    }

    /// How many requests are under way.
    pub fn places(&self, now_ms: u64) -> u32 {
        self.lose(now_ms).leases.places()
    }

    /// The counter now, under these limits.
    fn at(&self, limits: &Limits, known: Option<Known>, now_ms: u64) -> Self {
        let mut counter = *self;
        if let Some(Budget { window, .. }) = limits.budget {
            counter.turn(self.period.in_force(window, now_ms / 1000));
        }
        if let Some(known) = known.filter(|known| known.period == counter.period) {
            counter.spent_nanos = counter.spent_nanos.max(known.spent_nanos);
        }
        if let Some(rpm) = limits.rpm {
            counter.requests = counter.requests.at(rpm, now_ms);
        }
        if let Some(tpm) = limits.tpm {
            counter.tokens = counter.tokens.at(tpm, now_ms);
        }
        counter.lose(now_ms)
    }

    /// The same under the limits that were in force last.
    fn refreshed(&self, now_ms: u64) -> Self {
        let requests = self.requests.refreshed(now_ms);
        let tokens = self.tokens.refreshed(now_ms);
        Self { requests, tokens, ..*self }.lose(now_ms)
    }

    /// Begins a window, unless it is the same.
    fn turn(&mut self, period: Period) {
        if self.period != period {
            (self.period, self.spent_nanos, self.last.minute) = (period, 0, 0);
            self.leases.forget_money();
        }
    }

    /// Takes out what was not renewed: its money counts as spent.
    fn lose(mut self, now_ms: u64) -> Self {
        let now = lease::minute(now_ms);
        let (leases, lost_nanos) = self.leases.at(now);
        self.leases = leases;
        self.spent_nanos = self.spent_nanos.saturating_add(lost_nanos);
        if !lease::holds(self.last.minute, now) {
            self.last.minute = 0;
        }
        self
    }

    /// Takes a request out of its lease. What was counted as lost is taken back.
    fn leave(&mut self, ticket: &Ticket) {
        let nanos = if ticket.period == self.period { ticket.nanos } else { 0 };
        if !self.leases.leave(ticket.minute, nanos) {
            self.spent_nanos = self.spent_nanos.saturating_sub(nanos);
        }
    }

    fn take(&mut self, limits: &Limits, demand: Demand) -> Result<Ticket, Refusal> {
        let (nanos, is_last) = self.reserve(limits.budget, demand.nanos)?;
        if let Some(rpm) = limits.rpm {
            let wait_ms = || self.requests.wait_ms(1, rpm);
            if !self.requests.has(1) {
                return Err(Refusal::Requests { wait_ms: wait_ms() });
            }
            self.requests = self.requests.take(1);
        }
        let mut tokens = 0;
        if let Some(tpm) = limits.tpm {
            // More than the bucket can hold waits until it is full.
            let needed = demand.tokens.clamp(1, tpm.max(1));
            if !self.tokens.has(needed) {
                return Err(Refusal::Tokens { wait_ms: self.tokens.wait_ms(needed, tpm) });
            }
            tokens = demand.tokens;
            self.tokens = self.tokens.take(tokens);
        }
        if limits.max_parallel_requests.is_some_and(|most| self.leases.places() >= most) {
            return Err(Refusal::Parallel);
        }
        let minute = self.leases.join(nanos);
        if is_last {
            self.last.number = self.last.number.wrapping_add(1);
            // The minute of the lease, which is later than now where the clock was set back: both end together.
            self.last.minute = minute.max(1);
        }
        let last = is_last.then_some(self.last.number);
        Ok(Ticket { minute, period: self.period, nanos, tokens, last })
    }

    /// How much of the budget is reserved, and whether the request is a last request.
    fn reserve(&self, budget: Option<Budget>, demand: u64) -> Result<(u64, bool), Refusal> {
        let Some(budget) = budget else { return Ok((0, false)) };
        let committed = self.spent_nanos.saturating_add(self.leases.nanos());
        let left = budget.nanos.saturating_sub(committed);
        if committed <= budget.nanos && demand <= left {
            return Ok((demand, false));
        }
        if left > 0 && !budget.is_strict && self.last.minute == 0 {
            return Ok((left, true));
        }
        Err(Refusal::Budget { ends_secs: self.period.end_secs() })
    }

    fn view(&self, limits: &Limits) -> View {
        View {
            requests: limits.rpm.map(|rpm| self.requests.fill(rpm)),
            tokens: limits.tpm.map(|tpm| self.tokens.fill(tpm)),
        }
    }
}

impl View {
    /// Of two views, for requests and for tokens: the one with less left.
    #[must_use]
    pub fn tighter(one: Self, other: Self) -> Self {
        let less = |one: Option<Fill>, other: Option<Fill>| match (one, other) {
            (Some(one), Some(other)) => {
                Some(if other.remaining < one.remaining { other } else { one })
            }
            (one, other) => one.or(other),
        };
        Self {
            requests: less(one.requests, other.requests),
            tokens: less(one.tokens, other.tokens),
        }
    }
}

impl Ticket {
    /// The window in which the request counts.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The minute of the request's lease.
    pub fn minute(&self) -> u64 {
        self.minute
    }

    /// The money that is reserved, in nano-dollars.
    pub fn nanos(&self) -> u64 {
        self.nanos
    }

    /// Whether the request may use more than is reserved.
    pub fn is_last(&self) -> bool {
        self.last.is_some()
    }

    /// Whether the lease of the request needs a renewal.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.minute < lease::minute(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{LEASE_MS, Window};
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// 2026-11-29T16:00:00Z.
    const NOW_MS: u64 = 1_795_968_000_000;

    fn budget(nanos: u64) -> Limits {
        let budget = Budget { nanos, window: Window::Day, is_strict: false };
        Limits { budget: Some(budget), ..Limits::NONE }
    }

    fn admit(
        counter: &mut Counter,
        limits: &Limits,
        nanos: u64,
        now_ms: u64,
    ) -> Result<Ticket, Refusal> {
        let verdict = counter.admit(limits, None, Demand { tokens: 0, nanos }, now_ms);
        *counter = verdict.counter.unwrap_or(*counter);
        verdict.outcome
    }

    #[test]
    fn what_fits_is_reserved_and_one_request_may_use_the_rest() {
        let (mut counter, limits) = (Counter::default(), budget(100));
        let first = admit(&mut counter, &limits, 60, NOW_MS).unwrap();
        assert_eq!((first.nanos(), first.is_last()), (60, false));
        let last = admit(&mut counter, &limits, 60, NOW_MS).unwrap();
        assert_eq!((last.nanos(), last.is_last()), (40, true));
        let ends_secs = Some(1_795_996_800);
        assert_eq!(admit(&mut counter, &limits, 1, NOW_MS), Err(Refusal::Budget { ends_secs }));
        // The first has used less than it had reserved: what is free fits again, and no second last request is let through.
        counter = counter.settle(&first, 10, 0, NOW_MS);
        assert_eq!(counter.money(NOW_MS), (10, 40));
        assert!(!admit(&mut counter, &limits, 50, NOW_MS).unwrap().is_last());
        assert_eq!(admit(&mut counter, &limits, 1, NOW_MS), Err(Refusal::Budget { ends_secs }));
        counter = counter.settle(&last, 70, 0, NOW_MS);
        assert_eq!(counter.money(NOW_MS), (80, 50), "over by less than the last request");
    }

    #[test]
    fn a_strict_budget_has_no_last_request() {
        let mut limits = budget(100);
        limits.budget.as_mut().unwrap().is_strict = true;
        let mut counter = Counter::default();
        assert!(admit(&mut counter, &limits, 60, NOW_MS).is_ok());
        assert!(admit(&mut counter, &limits, 60, NOW_MS).is_err());
        assert!(admit(&mut counter, &limits, 40, NOW_MS).is_ok());
    }

    #[test]
    fn zero_is_nothing_and_absent_is_all() {
        let mut counter = Counter::default();
        let zero = Limits { rpm: Some(0), ..Limits::NONE };
        let never = Refusal::Requests { wait_ms: None };
        assert_eq!(admit(&mut counter, &zero, 0, NOW_MS), Err(never));
        let zero = Limits { tpm: Some(0), ..Limits::NONE };
        assert_eq!(admit(&mut counter, &zero, 0, NOW_MS), Err(Refusal::Tokens { wait_ms: None }));
        let zero = Limits { max_parallel_requests: Some(0), ..Limits::NONE };
        assert_eq!(admit(&mut counter, &zero, 0, NOW_MS), Err(Refusal::Parallel));
        assert!(matches!(admit(&mut counter, &budget(0), 1, NOW_MS), Err(Refusal::Budget { .. })));
        assert!(admit(&mut counter, &budget(0), 0, NOW_MS).is_ok(), "what costs nothing");
        for _ in 0..1_000 {
            assert!(admit(&mut counter, &Limits::NONE, u64::MAX, NOW_MS).is_ok());
        }
    }

    #[test]
    fn tokens_are_corrected_at_the_end() {
        let limits = Limits { tpm: Some(100), ..Limits::NONE };
        let demand = Demand { tokens: 80, nanos: 0 };
        let first = Counter::default().admit(&limits, None, demand, NOW_MS);
        assert_eq!(first.view.tokens.unwrap().remaining, 20);
        let counter = first.counter.unwrap();
        let second = counter.admit(&limits, None, demand, NOW_MS);
        // 60 are missing, and 100 come in a minute.
        assert_eq!(second.outcome, Err(Refusal::Tokens { wait_ms: Some(36_000) }));
        let ticket = first.outcome.unwrap();
        let used = |tokens| {
            let counter = counter.settle(&ticket, 0, tokens, NOW_MS);
            counter.admit(&limits, None, Demand { tokens: 1, nanos: 0 }, NOW_MS)
        };
        assert_eq!(used(30).view.tokens.unwrap().remaining, 69);
        assert_eq!(used(150).outcome, Err(Refusal::Tokens { wait_ms: Some(30_600) }));
        // More than a minute allows waits for a full bucket, and empties it.
        let large = Demand { tokens: 1_000, nanos: 0 };
        assert!(Counter::default().admit(&limits, None, large, NOW_MS).outcome.is_ok());
    }

    #[test]
    fn a_lost_request_gives_its_place_back_and_has_spent_its_money() {
        let limits = Limits { max_parallel_requests: Some(1), ..budget(100) };
        let mut counter = Counter::default();
        let lost = admit(&mut counter, &limits, 30, NOW_MS).unwrap();
        let begin_ms = NOW_MS / LEASE_MS * LEASE_MS;
        let end_ms = begin_ms + 2 * LEASE_MS;
        assert_eq!(admit(&mut counter, &limits, 30, end_ms - 1), Err(Refusal::Parallel));
        let next = admit(&mut counter, &limits, 30, end_ms).unwrap();
        assert_eq!(counter.money(end_ms), (30, 30));
        // The request was not lost after all.
        counter = counter.settle(&lost, 5, 0, end_ms);
        assert_eq!((counter.money(end_ms), counter.places(end_ms)), ((5, 30), 1));
        counter = counter.settle(&next, 6, 0, end_ms);
        assert_eq!((counter.money(end_ms), counter.places(end_ms)), ((11, 0), 0));
    }

    #[test]
    fn a_request_that_lives_keeps_its_place() {
        let limits = Limits { max_parallel_requests: Some(1), ..budget(100) };
        let mut counter = Counter::default();
        let mut ticket = admit(&mut counter, &limits, 300, NOW_MS).unwrap();
        assert!(ticket.is_last() && counter.renew(&ticket, NOW_MS).is_none());
        for minutes in 1..10 {
            let now_ms = NOW_MS + minutes * LEASE_MS;
            assert!(ticket.is_due(now_ms));
            (counter, ticket) = counter.renew(&ticket, now_ms).unwrap();
            assert!(ticket.is_last() && !ticket.is_due(now_ms));
            assert_eq!((counter.money(now_ms), counter.places(now_ms)), ((0, 100), 1));
        }
        let late_ms = NOW_MS + 60 * LEASE_MS;
        assert_eq!(
            admit(&mut counter, &budget(100), 1, late_ms),
            Err(Refusal::Budget { ends_secs: Some(1_795_996_800) })
        );
        (counter, ticket) = counter.renew(&ticket, late_ms).unwrap();
        assert_eq!((counter.money(late_ms), counter.places(late_ms)), ((0, 100), 1), "taken back");
        counter = counter.settle(&ticket, 130, 0, late_ms);
        assert_eq!((counter.money(late_ms), counter.places(late_ms)), ((130, 0), 0));
    }

    fn budget_of(window: Window) -> Limits {
        let budget = Some(Budget { nanos: 100, window, is_strict: false });
        Limits { budget, ..Limits::NONE }
    }

    /// The ends of a day, of a week, of a month, and of a month that ends after a leap second.
    const ENDS_SECS: [(Window, u64); 5] = [
        (Window::Day, 1_795_996_800),
        (Window::Week, 1_795_996_800),
        (Window::Month, 1_796_083_200),
        (Window::Month, 1_483_228_800),
        (Window::Day, 1_483_228_800),
    ];

    #[test]
    fn a_request_counts_in_the_window_in_which_it_was_admitted() {
        for (window, end_secs) in ENDS_SECS {
            let (limits, end_ms) = (budget_of(window), end_secs * 1_000);
            let mut counter = Counter::default();
            let old = admit(&mut counter, &limits, 300, end_ms - 1).unwrap();
            assert_eq!(old.period().end_secs(), Some(end_secs), "{window:?}");
            assert_eq!(counter.money(end_ms), (0, 0), "the {window:?} is over");
            let new = admit(&mut counter, &limits, 300, end_ms).unwrap();
            assert!(old.is_last() && new.is_last() && old.period() != new.period());
            counter = counter.settle(&old, 250, 0, end_ms);
            assert_eq!(counter.money(end_ms), (0, 100), "{window:?}");
            assert!(admit(&mut counter, &limits, 1, end_ms).is_err(), "one last request");
            counter = counter.settle(&new, 20, 0, end_ms);
            assert_eq!((counter.money(end_ms), counter.places(end_ms)), ((20, 0), 0));
        }
    }

    /// A clock that repeats the last second of a window, and a clock that is set back by hours.
    #[test]
    fn a_clock_that_is_set_back_into_the_window_before_forgets_no_money() {
        for (window, end_secs) in ENDS_SECS {
            let (limits, end_ms) = (budget_of(window), end_secs * 1_000);
            for back_ms in [1, 1_000, 3 * 3_600_000] {
                let mut counter = Counter::default();
                let old = admit(&mut counter, &limits, 60, end_ms - 1).unwrap();
                let new = admit(&mut counter, &limits, 90, end_ms).unwrap();
                counter = counter.settle(&new, 90, 0, end_ms);
                let back = end_ms - back_ms;
                assert_eq!(counter.money(back), (90, 0), "{window:?}, {back_ms}");
                let next = admit(&mut counter, &limits, 60, back).unwrap();
                assert_eq!((next.period(), next.nanos(), next.is_last()), (new.period(), 10, true));
                assert!(admit(&mut counter, &limits, 60, back).is_err(), "one last request");
                counter = counter.settle(&old, 60, 0, back).settle(&next, 5, 0, end_ms);
                assert_eq!(counter.money(end_ms), (95, 0), "{window:?}, {back_ms}");
            }
        }
    }

    /// The clock was set back by a minute, and is right again: the lease of a last request ends no sooner than the request's place.
    #[test]
    fn a_last_request_stays_the_last_as_long_as_it_has_its_lease() {
        let limits = budget(100);
        let mut counter = Counter::default();
        let later_ms = NOW_MS + LEASE_MS;
        let first = admit(&mut counter, &limits, 10, later_ms).unwrap();
        let last = admit(&mut counter, &limits, 100, NOW_MS).unwrap();
        assert!(last.is_last() && last.minute() == first.minute());
        let end_ms = later_ms + LEASE_MS;
        counter = counter.settle(&first, 0, 0, end_ms);
        assert!(admit(&mut counter, &limits, 100, end_ms).is_err(), "another last request");
    }

    #[test]
    fn what_the_ledger_knows_counts_in_its_window_alone() {
        let limits = budget(100);
        let period = Window::Day.at(NOW_MS / 1000);
        let known = |period| Some(Known { period, spent_nanos: 90 });
        let admit = |known| {
            let demand = Demand { tokens: 0, nanos: 20 };
            Counter::default().admit(&limits, known, demand, NOW_MS).outcome.unwrap().nanos()
        };
        assert_eq!(admit(known(period)), 10);
        assert_eq!(admit(known(Window::Day.at(NOW_MS / 1000 - 86_400))), 20);
        assert_eq!(admit(known(Window::Week.at(NOW_MS / 1000))), 20);
    }

    #[test]
    fn another_counters_refusal_leaves_nothing_behind() {
        let limits =
            Limits { rpm: Some(5), tpm: Some(500), max_parallel_requests: Some(1), ..budget(100) };
        let start = Counter::default().admit(&limits, None, Demand::default(), NOW_MS);
        let start = start.counter.unwrap().undo(&start.outcome.unwrap(), NOW_MS);
        let demand = Demand { tokens: 50, nanos: 300 };
        let verdict = start.admit(&limits, None, demand, NOW_MS);
        let after = verdict.counter.unwrap().undo(&verdict.outcome.unwrap(), NOW_MS);
        assert_eq!(Counter { last: start.last, ..after }, start);
        assert_eq!(after.last.minute, 0);
    }

    #[test]
    fn the_budget_is_named_before_the_rate() {
        let limits = Limits { rpm: Some(0), max_parallel_requests: Some(0), ..budget(0) };
        let refusal = admit(&mut Counter::default(), &limits, 1, NOW_MS);
        assert_eq!(refusal, Err(Refusal::Budget { ends_secs: Some(1_795_996_800) }));
    }
}
