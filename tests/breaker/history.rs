//! What has happened to a provider, kept beside the record; and which changes of the record that
//! allows. It never reads the record to know what has happened.
//!
//! The rows are those of the table in `src/breaker.rs`.

use gaud::breaker::{Outcome, Settings, State};

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
    Grant,
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
    /// Since when the last probe has its place, while it has.
    granted_ms: Option<u64>,
}

impl History {
    pub(crate) fn new(settings: Settings) -> Self {
        let period = Period::Closed;
        Self { settings, period, number: 0, failures: 0, successes: 0, probes: 0, granted_ms: None }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.period == Period::Closed
    }

    /// How long an open breaker has to wait still.
    pub(crate) fn waits_ms(&self, now_ms: u64) -> Option<u64> {
        let Period::Open { since_ms } = self.period else { return None };
        let open = since_ms..since_ms + self.settings.open_ms;
        open.contains(&now_ms).then(|| open.end - now_ms)
    }

    /// Whether the next request is a probe. A clock that stands before the moment of the opening,
    /// or of the last grant, was set back.
    pub(crate) fn grants(&self, now_ms: u64) -> bool {
        let probe_ms = self.settings.probe_ms;
        match self.period {
            Period::Closed => false,
            Period::Open { .. } => self.waits_ms(now_ms).is_none(),
            Period::HalfOpen => {
                self.granted_ms.is_none_or(|at_ms| !(at_ms..at_ms + probe_ms).contains(&now_ms))
            }
        }
    }

    /// What of this operation counts, had it happened at this time.
    pub(crate) fn counts(&self, op: &Op, at_ms: u64) -> Option<Event> {
        match (op, self.period) {
            (Op::Ask, _) => self.grants(at_ms).then_some(Event::Grant),
            (_, Period::Open { .. }) => None,
            (Op::CheckFailed, _) => Some(Event::Failure),
            (Op::Report(request, _), _) if request.period != self.number => None,
            (Op::Report(request, outcome), Period::Closed) => self.counts_closed(request, *outcome),
            (Op::Report(request, _), _) if request.probe != Some(self.probes) => None,
            (Op::Report(_, Outcome::Failure), _) => Some(Event::Failure),
            (Op::Report(_, outcome), _) => self.granted_ms.map(|_| match outcome {
                Outcome::Success => Event::Probed,
                _ => Event::GiveBack,
            }),
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
            Op::Ask => "a probe goes out that has no place",
            _ => "an outcome that counts for nothing has changed the record",
        })?;
        match event {
            Event::Failure => self.failures += 1,
            Event::Forget => self.failures = 0,
            Event::Probed => (self.successes, self.granted_ms) = (self.successes + 1, None),
            Event::GiveBack => self.granted_ms = None,
            Event::Grant => (self.probes, self.granted_ms) = (self.probes + 1, Some(at_ms)),
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
        let place_ms = self.granted_ms.map_or(0, |granted_ms| granted_ms + self.settings.probe_ms);
        match (event, old, new) {
            (Event::Probed, _, Closed { .. }) if !enough => Err("too few probes close it"),
            (Event::Probed, HalfOpen { .. }, Closed { failures: 0 }) => Ok("closes"),
            (_, _, HalfOpen { successes, .. }) if successes != self.successes => {
                Err("the successes are not those of this period")
            }
            (_, _, HalfOpen { deadline_ms, .. }) if deadline_ms != place_ms => {
                Err("the probe's deadline is not the right one")
            }
            (Event::Probed, HalfOpen { .. }, HalfOpen { .. }) if enough => {
                Err("enough successes do not close it")
            }
            (Event::Probed, HalfOpen { .. }, HalfOpen { .. }) => Ok("counts a success"),
            (Event::Grant, Open { .. }, HalfOpen { .. }) => Ok("grants the first probe"),
            (Event::Grant, HalfOpen { probe: a, .. }, HalfOpen { probe: b, .. }) if a != b => {
                Ok("grants the next probe")
            }
            (Event::GiveBack, HalfOpen { .. }, HalfOpen { .. }) => Ok("takes a place back"),
            _ => Err("a probe leads where none may"),
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
            self.granted_ms = None;
        }
    }
}
