//! What has happened to a provider, kept beside the record; and which changes of the record that
//! allows. It never reads the record to know what has happened.
//!
//! The rows are those of the table in `src/breaker/mod.rs`.

use gaud::breaker::{Arrival, Ask, ClientNumber, Outcome, Place, Settings, State};

use super::key::TICK_MS;
use super::world::{Op, Request};

/// What must hold does not.
pub(crate) type Broken = &'static str;

/// What counts of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A failure in a row, or in half-open.
    Failure,
    /// A whole response to a request that saw failures.
    Forget,
    /// A request becomes the probe.
    Grant(Ask),
    /// The body of the probe becomes whole.
    Extend,
    /// The probe has succeeded.
    Probed,
    /// The probe has said nothing.
    GiveBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Closed,
    Open { since_ms: u64 },
    HalfOpen,
}

/// For whom the probe's place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// For the next request.
    Nobody,
    /// For the next request whose body is whole; for the time that is left, not of this client.
    WholeRequests(Option<(ClientNumber, u64)>),
    /// A probe has it.
    Probe,
}

/// What has happened.
#[derive(Debug, Clone)]
pub(crate) struct History {
    settings: Settings,
    period: Period,
    /// Counts the periods.
    pub(crate) number: u32,
    /// Failures in a row, in this closed period.
    pub(crate) failures: u32,
    /// Successful probes of this half-open period.
    pub(crate) successes: u32,
    /// Counts the probes of all periods.
    pub(crate) probes: u32,
    /// The last probe's place.
    place: Held,
}

/// Whether a request has the probe's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// No probe does.
    Free,
    /// A probe of this client has said nothing, at this time.
    Reserved { since_ms: u64, asker: ClientNumber },
    /// A probe of this client does, since it was granted or its body came.
    Taken { since_ms: u64, is_whole: bool, asker: ClientNumber },
}

impl History {
    pub(crate) fn new(settings: Settings) -> Self {
        let period = Period::Closed;
        let place = Held::Free;
        Self { settings, period, number: 0, failures: 0, successes: 0, probes: 0, place }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.period == Period::Closed
    }

    /// How long an open breaker has to wait still.
    pub(crate) fn waits_ms(&self, now_ms: u64) -> Option<u64> {
        let Period::Open { since_ms } = self.period else { return None };
        let Settings { open_ms, .. } = self.settings;
        let open = since_ms - TICK_MS..since_ms + open_ms;
        open.contains(&now_ms).then(|| (open.end - now_ms).min(open_ms))
    }

    /// Whether a request of this kind would be a probe. A clock that is long before the moment of the opening,
    /// or of the last grant, was set back: the clocks of two workers differ by a tick at most.
    pub(crate) fn grants(&self, ask: Ask, now_ms: u64) -> bool {
        match self.period {
            _ if ask.arrival == Arrival::Tunnel => false,
            Period::Closed => false,
            Period::Open { .. } => self.waits_ms(now_ms).is_none(),
            Period::HalfOpen => match self.holds(now_ms) {
                Holds::Nobody => true,
                Holds::WholeRequests(but) => {
                    ask.arrival == Arrival::Whole && but.is_none_or(|(asker, _)| asker != ask.asker)
                }
                Holds::Probe => false,
            },
        }
    }

    /// How long the client that has aborted a probe must leave the place to others.
    pub(crate) fn shuts_out_ms(&self, ask: Ask, now_ms: u64) -> Option<u64> {
        match (self.period, self.holds(now_ms)) {
            (Period::HalfOpen, Holds::WholeRequests(Some((asker, left_ms)))) => {
                (asker == ask.asker && ask.arrival == Arrival::Whole).then_some(left_ms)
            }
            _ => None,
        }
    }

    /// Whether a tunnel would be let through.
    pub(crate) fn lets_tunnels(&self, now_ms: u64) -> bool {
        match self.period {
            Period::Closed => true,
            Period::Open { .. } => self.waits_ms(now_ms).is_none(),
            Period::HalfOpen => self.holds(now_ms) != Holds::Probe,
        }
    }

    /// For whom the probe's place is, in half-open.
    fn holds(&self, now_ms: u64) -> Holds {
        let Settings { open_ms, probe_ms, body_ms, .. } = self.settings;
        let within = |from_ms: u64, ms: u64| (from_ms - TICK_MS..from_ms + ms).contains(&now_ms);
        let whole_requests = |from_ms: u64, asker| {
            let others_ms = self.settings.others_ms;
            let left_ms = (from_ms + others_ms).saturating_sub(now_ms).min(others_ms);
            let is_known = asker != ClientNumber::UNKNOWN && left_ms > 0;
            Holds::WholeRequests(is_known.then_some((asker, left_ms)))
        };
        match self.place {
            Held::Taken { since_ms, is_whole, .. }
                if within(since_ms, if is_whole { probe_ms } else { body_ms }) =>
            {
                Holds::Probe
            }
            Held::Taken { since_ms, is_whole: false, asker }
                if within(since_ms + body_ms, open_ms) =>
            {
                whole_requests(since_ms + body_ms, asker)
            }
            Held::Reserved { since_ms, asker } if within(since_ms, open_ms) => {
                whole_requests(since_ms, asker)
            }
            _ => Holds::Nobody,
        }
    }

    /// What of this operation counts, had it happened at this time.
    pub(crate) fn counts(&self, op: &Op, at_ms: u64) -> Option<Event> {
        match (op, self.period) {
            (Op::Ask(ask), _) => self.grants(*ask, at_ms).then_some(Event::Grant(*ask)),
            (Op::BodyCame(request), Period::HalfOpen) => {
                let is_out = matches!(self.place, Held::Taken { is_whole: false, .. });
                let is_own = request.period == self.number && request.probe == Some(self.probes);
                (is_out && is_own).then_some(Event::Extend)
            }
            (Op::BodyCame(_), _) => None,
            (_, Period::Open { .. }) => None,
            (Op::CheckFailed, _) => Some(Event::Failure),
            (Op::Report(request, _), _) if request.period != self.number => None,
            (Op::Report(request, outcome), Period::Closed) => self.counts_closed(request, *outcome),
            (Op::Report(request, _), _) if request.probe != Some(self.probes) => None,
            (Op::Report(_, Outcome::Failure), _) => Some(Event::Failure),
            (Op::Report(_, outcome), _) => {
                let event = match outcome {
                    Outcome::Success => Event::Probed,
                    _ => Event::GiveBack,
                };
                matches!(self.place, Held::Taken { .. }).then_some(event)
            }
        }
    }

    fn counts_closed(&self, request: &Request, outcome: Outcome) -> Option<Event> {
        match outcome {
            Outcome::Failure => Some(Event::Failure),
            Outcome::Success if request.saw_failures && self.failures > 0 => Some(Event::Forget),
            _ => None,
        }
    }

    /// An operation has changed the record: which row of the table that was.
    pub(crate) fn changed(
        &mut self,
        op: &Op,
        (old, new): (State, State),
        at_ms: u64,
    ) -> Result<&'static str, Broken> {
        let event = self.counts(op, at_ms).ok_or(match op {
            Op::Ask(_) => "a probe goes out that has no place",
            _ => "an outcome that counts for nothing has changed the record",
        })?;
        match event {
            Event::Failure => self.failures += 1,
            Event::Forget => self.failures = 0,
            Event::Probed => (self.successes, self.place) = (self.successes + 1, Held::Free),
            Event::GiveBack => {
                self.place = Held::Reserved { since_ms: at_ms, asker: self.last_asker() };
            }
            Event::Grant(Ask { arrival, asker }) => {
                self.probes += 1;
                let is_whole = arrival == Arrival::Whole;
                self.place = Held::Taken { since_ms: at_ms, is_whole, asker };
            }
            Event::Extend => {
                let asker = self.last_asker();
                self.place = Held::Taken { since_ms: at_ms, is_whole: true, asker };
            }
        }
        let row = match event {
            Event::Failure | Event::Forget => self.row_of_failures(event, old, new, at_ms)?,
            _ => self.row_of_probes(event, old, new)?,
        };
        self.turn(old, new, at_ms);
        Ok(row)
    }

    fn row_of_failures(
        &self,
        event: Event,
        old: State,
        new: State,
        at_ms: u64,
    ) -> Result<&'static str, Broken> {
        use State::{Closed, HalfOpen, Open};
        let enough = self.failures >= self.settings.failures;
        let open = Open { until_ms: at_ms + self.settings.open_ms };
        match (event, old, new) {
            (Event::Forget, Closed { .. }, Closed { failures: 0 }) => Ok("forgets"),
            (Event::Forget, ..) => Err("a whole response does not clear the failures"),
            (_, Closed { .. }, Closed { .. }) if enough => Err("enough failures do not open it"),
            (_, Closed { .. }, Closed { failures }) if failures != self.failures => {
                Err("a failure is lost")
            }
            (_, Closed { .. }, Closed { .. }) => Ok("counts a failure"),
            (_, Closed { .. }, Open { .. }) if !enough => Err("too few failures open it"),
            (_, Closed { .. }, _) if new == open => Ok("opens"),
            (_, HalfOpen { .. }, _) if new == open => Ok("opens again"),
            _ => Err("a failure leads where none may"),
        }
    }

    fn row_of_probes(&self, event: Event, old: State, new: State) -> Result<&'static str, Broken> {
        use State::{Closed, HalfOpen, Open};
        let enough = self.successes >= self.settings.successes;
        match (event, old, new) {
            (Event::Probed, _, Closed { .. }) if !enough => Err("too few probes close it"),
            (Event::Probed, HalfOpen { .. }, Closed { failures: 0 }) => Ok("closes"),
            (_, _, HalfOpen { successes, .. }) if successes != self.successes => {
                Err("the successes are not those of this period")
            }
            (_, _, HalfOpen { place, .. }) if place != self.stored_place() => {
                Err("the probe's place is not the right one")
            }
            (Event::Probed, HalfOpen { .. }, HalfOpen { .. }) if enough => {
                Err("enough successes do not close it")
            }
            (Event::Probed, HalfOpen { .. }, HalfOpen { .. }) => Ok("counts a success"),
            (Event::Grant(_), Open { .. }, HalfOpen { .. }) => Ok("grants the first probe"),
            (Event::Grant(_), HalfOpen { probe: a, .. }, HalfOpen { probe: b, .. }) if a != b => {
                Ok("grants the next probe")
            }
            (Event::Extend, HalfOpen { probe: a, .. }, HalfOpen { probe: b, .. }) if a == b => {
                Ok("extends a place")
            }
            (Event::GiveBack, HalfOpen { .. }, HalfOpen { .. }) => Ok("takes a place back"),
            _ => Err("a probe leads where none may"),
        }
    }

    /// The client of the probe that has the place, or had it last.
    fn last_asker(&self) -> ClientNumber {
        match self.place {
            Held::Taken { asker, .. } | Held::Reserved { asker, .. } => asker,
            Held::Free => ClientNumber::UNKNOWN,
        }
    }

    /// As the record must say it.
    fn stored_place(&self) -> Place {
        let Settings { open_ms, probe_ms, body_ms, .. } = self.settings;
        match self.place {
            Held::Free => Place::Free,
            Held::Reserved { since_ms, asker } => {
                Place::Reserved { until_ms: since_ms + open_ms, asker }
            }
            Held::Taken { since_ms, is_whole, asker } => {
                let until_ms = since_ms + if is_whole { probe_ms } else { body_ms };
                Place::Taken { until_ms, is_whole, asker }
            }
        }
    }

    /// Begins a period when the record says so, which [`changed`](Self::changed) has allowed.
    fn turn(&mut self, old: State, new: State, at_ms: u64) {
        if std::mem::discriminant(&old) == std::mem::discriminant(&new) {
            return;
        }
        (self.number, self.failures, self.successes) = (self.number + 1, 0, 0);
        self.period = match new {
            State::Closed { .. } => Period::Closed,
            State::Open { .. } => Period::Open { since_ms: at_ms },
            State::HalfOpen { .. } => Period::HalfOpen,
        };
        if !matches!(new, State::HalfOpen { .. }) {
            self.place = Held::Free;
        }
    }
}
