//! A world small enough to be searched: a stored record, workers that are between loading and
//! swapping it, requests, a clock. All decisions are the real breaker's.
//!
//! ```text
//! Ask ─> (load) ─┬─> refused              Report, BodyCame, CheckFailed ─> (load) ─┬─> nothing
//!                ├─> let through: Sent ─┐                                          └─> Pending
//!                └─> Pending ──(swap)───┤
//!                                       ├─ respond ─> failure, neutral: over
//!                                       │      └────> success: Streaming ─ end ─> over
//!                                       └─ lost: the VM has trapped, no outcome is reported
//! ```
//!
//! As in a session, a response that begins well is reported at once only for a probe, and at its
//! end for all; what cannot count is not reported, and the history must agree. A worker makes one change at a time, so `pending` holds no more
//! than there are workers; any worker may have any request.
//!
//! The record is a provider's; a model's breaker is the same machine, and the two together are in `two_levels`.

use std::sync::LazyLock;

use gaud::breaker::{
    Arrival, Ask, ClientNumber, Levels, Outcome, Outcomes, Settings, State, Tickets,
};
use gaud::room::Client;

use super::history::{Broken, History};
use super::key::{TICK_MS, probe_number};

/// Two clients that are told apart.
pub(crate) static CLIENTS: LazyLock<[ClientNumber; 2]> =
    LazyLock::new(|| [1, 2].map(|host| ClientNumber::of(Client::V4([192, 0, 2, host]))));

/// A request that was let through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) tickets: Tickets,
    pub(crate) arrival: Arrival,
    pub(crate) streams: bool,
    /// There were failures when it was admitted.
    pub(crate) saw_failures: bool,
    /// The period of the history in which its outcome counts.
    pub(crate) period: u32,
    /// Which probe of the history it is, and which of the record.
    pub(crate) probe: Option<u32>,
    pub(crate) probe_number: Option<u32>,
    /// When it loses the place of a probe.
    pub(crate) until_ms: u64,
}

/// What a worker does with the record.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Ask(Ask),
    BodyCame(Request),
    Report(Request, Outcome),
    CheckFailed,
}

/// A worker that has loaded the record and is about to swap it.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) op: Op,
    /// No worker has stored anything since: the number is still the same.
    pub(crate) fresh: bool,
    /// When it looked at the clock, which it does once.
    pub(crate) at_ms: u64,
    pub(crate) new: Vec<u8>,
    tickets: Option<Tickets>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) now_ms: u64,
    pub(crate) record: Vec<u8>,
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

pub(crate) fn decode(record: &[u8]) -> Result<Levels, Broken> {
    let levels = Levels::from_bytes(record).ok_or("the record cannot be read")?;
    (levels.to_bytes() == record).then_some(levels).ok_or("the record reads as another one")
}

pub(crate) fn state(levels: &Levels) -> State {
    levels.provider().state()
}

impl World {
    pub(crate) fn new(settings: Settings, conflicts: u8, may_set_back: bool) -> Self {
        Self {
            settings,
            now_ms: 1_000_000,
            record: Levels::default().to_bytes(),
            pending: Vec::new(),
            requests: Vec::new(),
            history: History::new(settings),
            conflicts,
            may_set_back,
            was_set_back: false,
            row: None,
        }
    }

    /// A worker begins a change: it looks at the clock, loads the record and decides.
    pub(crate) fn load(&mut self, op: Op) -> Result<(), Broken> {
        self.load_at(op, self.now_ms)
    }

    /// The same, where the worker looked at the clock before.
    fn load_at(&mut self, op: Op, now_ms: u64) -> Result<(), Broken> {
        let levels = decode(&self.record)?;
        let (tickets, new) = match &op {
            Op::Ask(ask) => match levels.admit(None, *ask, now_ms, &self.settings) {
                Ok((tickets, new)) => (Some(tickets), new),
                Err(_) => (None, None),
            },
            Op::BodyCame(request) => {
                (None, levels.body_came(&request.tickets, now_ms, &self.settings))
            }
            Op::Report(request, provider) => {
                let outcomes = Outcomes { provider: *provider, model: Outcome::Neutral };
                (None, levels.record(&request.tickets, outcomes, now_ms, &self.settings))
            }
            Op::CheckFailed => (None, levels.check_failed(now_ms, &self.settings)),
        };
        if let Some(new) = new {
            let (at_ms, new) = (now_ms, new.to_bytes());
            self.pending.push(Pending { op, fresh: true, at_ms, new, tickets });
            return Ok(());
        }
        if self.history.counts(&op, now_ms).is_some() {
            return Err("what counts has changed nothing");
        }
        self.over(op, tickets.map(|tickets| (tickets, now_ms)), None);
        Ok(())
    }

    /// A worker swaps; when another worker was faster, it loads again, and goes by the clock as it was.
    pub(crate) fn swap(&mut self, index: usize) -> Result<(), Broken> {
        let Pending { op, fresh, at_ms, new, tickets } = self.pending.swap_remove(index);
        if !fresh {
            return self.load_at(op, at_ms.max(self.now_ms - TICK_MS));
        }
        let (old, new) = (decode(&self.record)?, decode(&new)?);
        self.row = Some(self.history.changed(&op, (state(&old), state(&new)), at_ms)?);
        self.record = new.to_bytes();
        self.pending.iter_mut().for_each(|other| other.fresh = false);
        self.over(op, tickets.map(|tickets| (tickets, at_ms)), Some((new, at_ms)));
        Ok(())
    }

    /// A swap fails though no other worker was faster.
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

    /// The rest of a probe's body comes.
    pub(crate) fn finish(&mut self, index: usize) -> Result<(), Broken> {
        let request = self.requests.swap_remove(index);
        self.load(Op::BodyCame(request))
    }

    /// A change has ended: the request goes on, or is over.
    fn over(&mut self, op: Op, admitted: Option<(Tickets, u64)>, new: Option<(Levels, u64)>) {
        match (op, admitted) {
            (Op::Ask(ask), Some((tickets, at_ms))) => {
                self.requests.push(self.let_through(tickets, ask.arrival, at_ms));
            }
            (Op::BodyCame(request), _) => {
                let until = |(_, at_ms)| at_ms + self.settings.probe_ms;
                let until_ms = new.map_or(request.until_ms, until);
                self.requests.push(Request { arrival: Arrival::Whole, until_ms, ..request });
            }
            (Op::Report(request, Outcome::Success), _) if !request.streams => {
                let period = new.as_ref().map_or(request.period, |_| self.history.number);
                let after = |(new, _): (Levels, u64)| new.tickets_after(request.tickets);
                let tickets = new.map_or(request.tickets, after);
                self.requests.push(Request { streams: true, tickets, period, ..request });
            }
            _ => {}
        }
    }

    fn let_through(&self, tickets: Tickets, arrival: Arrival, at_ms: u64) -> Request {
        let is_probe = tickets.is_probe();
        let Settings { probe_ms, body_ms, .. } = self.settings;
        // The rest of a body matters to a probe alone.
        let is_unfinished = is_probe && arrival == Arrival::Unfinished;
        Request {
            tickets,
            arrival: if is_unfinished { Arrival::Unfinished } else { Arrival::Whole },
            until_ms: at_ms + if is_unfinished { body_ms } else { probe_ms },
            streams: false,
            saw_failures: !is_probe && self.history.failures > 0,
            period: self.history.number,
            probe: is_probe.then_some(self.history.probes),
            probe_number: probe_number(&self.record).filter(|_| is_probe),
        }
    }
}
