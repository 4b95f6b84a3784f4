//! A world small enough to be searched: a stored record, workers that are between loading and
//! swapping it, requests, a clock. All decisions are the real breaker's.
//!
//! ```text
//! Ask ─> (load) ─┬─> refused                      Report, CheckFailed ─> (load) ─┬─> nothing
//!                ├─> let through: Sent ─┐                                        └─> Pending
//!                └─> Pending ──(swap)───┤
//!                                       ├─ respond ─> failure, neutral: over
//!                                       │      └────> success: Streaming ─ end ─> over
//!                                       └─ lost: the VM was trapped, nobody says anything
//! ```
//!
//! As in a session, a response that begins well is reported at once only for a probe, and at its
//! end for all; what cannot count is not reported, and the history must agree. A worker makes one change at a time, so `pending` holds no more
//! than there are workers; any worker may have any request.

use gaud::breaker::{Breaker, Outcome, RECORD_BYTES, Settings, Ticket, Verdict};

use super::history::{Broken, History};
use super::key::probe_number;

/// A request that was let through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) ticket: Ticket,
    pub(crate) streams: bool,
    /// There were failures when it was admitted.
    pub(crate) saw_failures: bool,
    /// The period of the history in which its outcome counts.
    pub(crate) period: u32,
    /// Which probe of the history it is, and which of the record.
    pub(crate) probe: Option<u32>,
    pub(crate) probe_number: Option<u32>,
    /// When it was let through.
    pub(crate) at_ms: u64,
}

/// What a worker does with the record.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Ask,
    Report(Request, Outcome),
    CheckFailed,
}

/// A worker that has loaded the record and is about to swap it.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) op: Op,
    /// Nobody has stored anything since: the number is still the same.
    pub(crate) fresh: bool,
    /// When it looked at the clock.
    at_ms: u64,
    pub(crate) new: [u8; RECORD_BYTES],
    ticket: Option<Ticket>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) now_ms: u64,
    pub(crate) record: [u8; RECORD_BYTES],
    pub(crate) pending: Vec<Pending>,
    pub(crate) requests: Vec<Request>,
    pub(crate) history: History,
    /// How many swaps may still fail for no reason, or be given up.
    pub(crate) conflicts: u8,
    /// Whether the clock may be set back, which it may once, and whether it was.
    pub(crate) may_set_back: bool,
    pub(crate) was_set_back: bool,
    /// The row of the transition table that the last step was, if it was one.
    pub(crate) row: Option<&'static str>,
}

pub(crate) fn decode(record: &[u8]) -> Result<Breaker, Broken> {
    let breaker = Breaker::from_bytes(record).ok_or("the record cannot be read")?;
    (breaker.to_bytes() == record).then_some(breaker).ok_or("the record reads as another one")
}

impl World {
    pub(crate) fn new(settings: Settings, conflicts: u8, may_set_back: bool) -> Self {
        Self {
            settings,
            now_ms: 1_000_000,
            record: Breaker::default().to_bytes(),
            pending: Vec::new(),
            requests: Vec::new(),
            history: History::new(settings),
            conflicts,
            may_set_back,
            was_set_back: false,
            row: None,
        }
    }

    /// A worker begins a change: it loads the record and decides.
    pub(crate) fn load(&mut self, op: Op) -> Result<(), Broken> {
        let breaker = decode(&self.record)?;
        let (verdict, new) = match op {
            Op::Ask => {
                let (verdict, new) = breaker.admit(self.now_ms, &self.settings);
                (Some(verdict), new)
            }
            Op::Report(request, outcome) => {
                (None, breaker.record(request.ticket, outcome, self.now_ms, &self.settings))
            }
            Op::CheckFailed => (None, breaker.failed(self.now_ms, &self.settings)),
        };
        let ticket = match verdict {
            Some(Verdict::Admitted(ticket)) => Some(ticket),
            _ => None,
        };
        if let Some(new) = new {
            let (at_ms, new) = (self.now_ms, new.to_bytes());
            self.pending.push(Pending { op, fresh: true, at_ms, new, ticket });
            return Ok(());
        }
        if self.history.counts(&op, self.now_ms).is_some() {
            return Err("what counts has changed nothing");
        }
        self.over(op, ticket.map(|ticket| (ticket, self.now_ms)), None);
        Ok(())
    }

    /// A worker swaps; when somebody was faster, it loads anew.
    pub(crate) fn swap(&mut self, index: usize) -> Result<(), Broken> {
        let Pending { op, fresh, at_ms, new, ticket } = self.pending.swap_remove(index);
        if !fresh {
            return self.load(op);
        }
        let (old, new) = (decode(&self.record)?, decode(&new)?);
        self.row = Some(self.history.changed(&op, (old.state(), new.state()), at_ms)?);
        self.record = new.to_bytes();
        self.pending.iter_mut().for_each(|other| other.fresh = false);
        self.over(op, ticket.map(|ticket| (ticket, at_ms)), Some(new));
        Ok(())
    }

    /// A swap fails though nobody was faster.
    pub(crate) fn conflict(&mut self, index: usize) -> Result<(), Broken> {
        self.conflicts -= 1;
        let op = self.pending.swap_remove(index).op;
        self.load(op)
    }

    /// A worker gives a change up: too many were faster.
    pub(crate) fn give_up(&mut self, index: usize) {
        self.conflicts -= 1;
        let op = self.pending.swap_remove(index).op;
        self.over(op, None, None);
    }

    /// The response to a request begins, or ends.
    pub(crate) fn hear(&mut self, index: usize, outcome: Outcome) -> Result<(), Broken> {
        let request = self.requests.swap_remove(index);
        let op = Op::Report(request, outcome);
        let is_silent = request.probe.is_none()
            && match outcome {
                Outcome::Success => !request.streams || !request.saw_failures,
                Outcome::Failure => false,
                Outcome::Neutral => true,
            };
        if !is_silent {
            return self.load(op);
        }
        let begins = !request.streams && outcome == Outcome::Success;
        if !begins && self.history.counts(&op, self.now_ms).is_some() {
            return Err("what counts is not even reported");
        }
        self.over(op, None, None);
        Ok(())
    }

    /// A change has ended: the request goes on, or is over.
    fn over(&mut self, op: Op, admitted: Option<(Ticket, u64)>, new: Option<Breaker>) {
        match (op, admitted) {
            (Op::Ask, Some((ticket, at_ms))) => {
                self.requests.push(self.let_through(ticket, at_ms));
            }
            (Op::Report(request, Outcome::Success), _) if !request.streams => {
                let ticket = new.map_or(request.ticket, |new| new.ticket_after(request.ticket));
                let period = new.map_or(request.period, |_| self.history.number);
                self.requests.push(Request { streams: true, ticket, period, ..request });
            }
            _ => {}
        }
    }

    fn let_through(&self, ticket: Ticket, at_ms: u64) -> Request {
        let is_probe = ticket.is_probe();
        Request {
            ticket,
            streams: false,
            saw_failures: !is_probe && self.history.failures > 0,
            period: self.history.number,
            probe: is_probe.then_some(self.history.probes),
            probe_number: probe_number(&self.record).filter(|_| is_probe),
            at_ms,
        }
    }
}
