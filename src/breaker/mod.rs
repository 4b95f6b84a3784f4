//! When traffic is refused: the one place with every transition of a breaker.
//!
//! A provider has a breaker, and so has each model at the provider ([`Levels`] has the rules between the two). Both follow
//! this table:
//!
//! | state | event | next |
//! |---|---|---|
//! | closed | a failure, fewer than `failures` in a row | closed, one failure more |
//! | closed | a failure, the last of `failures` in a row | **open** until now + `open_ms` |
//! | closed | a success of a request that saw failures when it was admitted | closed, no failures |
//! | closed | `models` models of the provider are open | **open** until now + `open_ms` |
//! | open | a request, before the end of the open time | the same; refused, with the time that is left |
//! | open | a request, after the open time | **half-open**; the request is the probe |
//! | open | a tunnel, after the open time | the same; let through, no probe |
//! | half-open, taken | a request | the same; refused |
//! | half-open, reserved | a request whose body is unfinished | the same; refused |
//! | half-open, reserved | a whole request of the last probe's client, before the end of `others_ms` | the same; refused, with the time that is left |
//! | half-open, reserved | any other request whose body is whole | half-open, taken; the request is the probe |
//! | half-open, free | a request | half-open, taken; the request is the probe |
//! | half-open, free or reserved | a tunnel | the same; let through, no probe |
//! | half-open, taken | the body of the probe becomes whole | half-open, taken until now + `probe_ms` |
//! | half-open, taken | the probe succeeds, fewer than `successes` | half-open, free, one success more |
//! | half-open, taken | the probe succeeds, the last of `successes` | **closed** |
//! | half-open, taken | the probe is neutral | half-open, reserved until now + `open_ms` |
//! | half-open | the probe fails, or an active check fails | **open** until now + `open_ms` |
//! | any | an outcome of a request that was admitted in another state, or of a lost probe | the same |
//! | any | neutral | the same |
//!
//! A probe takes its place until now + `probe_ms` if its body is whole, else until now + `body_ms`: a client that does not
//! send its body says nothing about the provider, and must not keep others from probing. When that time has passed, the
//! place of a whole probe is free, and that of an unfinished one is reserved for another `open_ms`. Likewise the client that
//! aborts a probe cannot hold the next place by another unfinished request.
//!
//! The client of a probe that says nothing, mostly because the client has aborted the probe, cannot hold the next place by a
//! whole request either: for the first `others_ms` a reserved place is for the other clients, which are told to ask again
//! within that time. Then any whole request may be the probe, so that a client that is alone waits for no longer. Clients are
//! told apart by a [`ClientNumber`]. A probe of both levels that fails at one level is neutral at the other, and was not
//! aborted: the place there is for every client at once, because the request may go on to another target.
//!
//! A tunnel (an upgrade, such as a WebSocket) may last for hours and ends without a status: a tunnel is never a probe.
//!
//! A failed check may open the breaker while a probe is out: the next half-open period has a probe of its own.
//! Everything else changes nothing. A record is one value: a worker stores the whole transition. `now` is milliseconds of
//! the wall clock, and may jump: a time that is further away than it is ever set was set before the clock was set back,
//! or before the settings were lowered, and counts as passed. A worker looks at the clock before it loads the record, and
//! another worker may store the record in between: so a time may be further away by a second.

mod client_number;
mod evidence;
mod levels;
mod record;
mod settings;

pub use client_number::ClientNumber;
pub use evidence::{Evidence, Reason};
pub use levels::{Level, Levels, MODEL_SLOTS, Outcomes, Refusal, Slot, Tickets};
pub use settings::Settings;

use crate::record::left_ms;

/// The breaker of a provider or of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Breaker {
    /// Counts the changes of state: tells a late outcome from one that counts.
    epoch: u32,
    state: State,
}

/// What a breaker does with traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Traffic flows.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// Traffic is refused.
    Open {
        /// When the next request is let through, in milliseconds.
        until_ms: u64,
    },
    /// One request at a time is let through.
    HalfOpen {
        /// Probes that have succeeded.
        successes: u32,
        /// The number of the last probe.
        probe: u32,
        /// Who may be the next probe.
        place: Place,
    },
}

/// The place of the probe in half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The next request is the probe.
    Free,
    /// The last probe said nothing: for a while only a request whose body is whole can be the probe.
    Reserved {
        /// The end of that while, in milliseconds.
        until_ms: u64,
        /// Whose probe that was: for the first [`Settings::others_ms`] of that while the place is for others.
        asker: ClientNumber,
    },
    /// A probe is out.
    Taken {
        /// When the probe loses its place, in milliseconds.
        until_ms: u64,
        /// All of the probe's body has come.
        is_whole: bool,
        /// Whose probe it is.
        asker: ClientNumber,
    },
}

/// How far a request has come when it asks a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Head and body have come.
    Whole,
    /// The body is still coming.
    Unfinished,
    /// The request asks for another protocol.
    Tunnel,
}

impl Arrival {
    /// By what the request's head asks for, and whether its body has come.
    pub fn of(is_tunnel: bool, is_whole: bool) -> Self {
        match (is_tunnel, is_whole) {
            (true, _) => Self::Tunnel,
            (false, true) => Self::Whole,
            (false, false) => Self::Unfinished,
        }
    }
}

/// A request that asks a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// How far the request has come.
    pub arrival: Arrival,
    /// Who sends it.
    pub asker: ClientNumber,
}

impl Ask {
    /// A whole request of nobody who is known.
    pub const WHOLE: Self = Self { arrival: Arrival::Whole, asker: ClientNumber::UNKNOWN };
}

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may go; its outcome comes back with this.
    Admitted(Ticket),
    /// It may not.
    Refused {
        /// When it is worth another try.
        retry_after_ms: u64,
    },
}

/// What a request was admitted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    epoch: u32,
    /// It is this probe.
    probe: Option<u32>,
    /// There were failures when it was admitted.
    saw_failures: bool,
}

impl Ticket {
    /// Whether the request is a probe.
    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// Whether an outcome can change nothing, so that the record need not be read.
    pub(crate) fn says_nothing(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Success => !self.is_probe() && !self.saw_failures,
            Outcome::Failure => false,
            Outcome::Neutral => !self.is_probe(),
        }
    }
}

/// What an attempt says about a provider or a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The provider, or the model, answers.
    Success,
    /// The provider, or the model, does not answer.
    Failure,
    /// Nothing: the client left, or the gateway itself has answered.
    Neutral,
}

impl Outcome {
    /// The value of a metric's label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
        }
    }
}

/// The states of a breaker, without their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // [`State`] describes each.
pub enum BreakerState {
    Closed = 0,
    Open = 1,
    HalfOpen = 2,
}

impl BreakerState {
    /// The value of a metric's label, and the word in `/health`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl From<&Breaker> for BreakerState {
    fn from(breaker: &Breaker) -> Self {
        match breaker.state {
            State::Closed { .. } => Self::Closed,
            State::Open { .. } => Self::Open,
            State::HalfOpen { .. } => Self::HalfOpen,
        }
    }
}

/// How long a refused request waits while a probe is out: the time that the probe takes is not known.
pub(crate) const PROBE_RETRY_AFTER_MS: u64 = 1000;

impl Default for Breaker {
    fn default() -> Self {
        Self { epoch: 0, state: State::Closed { failures: 0 } }
    }
}

impl Breaker {
    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether a request may go; with the record to store when that changes the record. Then the verdict
    /// holds only if the record was stored.
    pub fn admit(&self, ask: Ask, now_ms: u64, settings: &Settings) -> (Verdict, Option<Self>) {
        match self.state {
            State::Closed { failures } => {
                (Verdict::Admitted(Ticket { saw_failures: failures > 0, ..self.ticket() }), None)
            }
            State::Open { until_ms } => match left_ms(until_ms, now_ms, settings.open_ms) {
                0 if ask.arrival == Arrival::Tunnel => (Verdict::Admitted(self.ticket()), None),
                0 => self.next_epoch().let_probe(ask, now_ms, settings),
                retry_after_ms => (Verdict::Refused { retry_after_ms }, None),
            },
            State::HalfOpen { place, .. } => {
                let place = place.at(now_ms, settings);
                match (place.refuses_ms(ask, now_ms, settings), ask.arrival) {
                    (0, Arrival::Tunnel) => (Verdict::Admitted(self.ticket()), None),
                    (0, _) => self.let_probe(ask, now_ms, settings),
                    (retry_after_ms, _) => (Verdict::Refused { retry_after_ms }, None),
                }
            }
        }
    }

    /// What an outcome makes of the record; `None` when it changes nothing.
    #[inline(never)]
    pub fn record(
        &self,
        ticket: Ticket,
        outcome: Outcome,
        now_ms: u64,
        settings: &Settings,
    ) -> Option<Self> {
        if ticket.epoch != self.epoch {
            return None;
        }
        match (self.state, outcome) {
            (State::Closed { failures }, Outcome::Success) => (ticket.saw_failures && failures > 0)
                .then_some(Self { state: State::Closed { failures: 0 }, ..*self }),
            (State::Closed { .. }, Outcome::Failure) => self.failed(now_ms, settings),
            (State::HalfOpen { probe, .. }, _) if ticket.probe != Some(probe) => None,
            (State::HalfOpen { .. }, Outcome::Failure) => self.failed(now_ms, settings),
            (State::HalfOpen { successes, probe, place: Place::Taken { asker, .. } }, _) => {
                let reserved =
                    Place::Reserved { until_ms: now_ms.saturating_add(settings.open_ms), asker };
                Some(match outcome == Outcome::Success {
                    true => self.probed(successes.saturating_add(1), probe, settings),
                    false => self.half_open(successes, probe, reserved),
                })
            }
            (State::HalfOpen { .. } | State::Open { .. }, _)
            | (State::Closed { .. }, Outcome::Neutral) => None,
        }
    }

    /// The body of a request has become whole: a probe keeps its place while the provider answers.
    pub fn body_came(&self, ticket: Ticket, now_ms: u64, settings: &Settings) -> Option<Self> {
        let State::HalfOpen { successes, probe, place } = self.state else { return None };
        let Place::Taken { is_whole: false, asker, .. } = place else { return None };
        (ticket.epoch == self.epoch && ticket.probe == Some(probe)).then(|| {
            let ask = Ask { arrival: Arrival::Whole, asker };
            self.half_open(successes, probe, Place::taken(ask, now_ms, settings))
        })
    }

    /// A failure that belongs to no request: an active check's.
    pub fn failed(&self, now_ms: u64, settings: &Settings) -> Option<Self> {
        match self.state {
            State::Closed { failures } => {
                let failures = failures.saturating_add(1);
                Some(match failures >= settings.failures {
                    true => self.opened(now_ms, settings),
                    false => Self { state: State::Closed { failures }, ..*self },
                })
            }
            State::HalfOpen { .. } => Some(self.opened(now_ms, settings)),
            State::Open { .. } => None,
        }
    }

    /// The probe that is out has succeeded, and with it `successes` probes of this half-open period.
    fn probed(&self, successes: u32, probe: u32, settings: &Settings) -> Self {
        match successes >= settings.successes {
            true => self.change(State::Closed { failures: 0 }),
            false => self.half_open(successes, probe, Place::Free),
        }
    }

    fn half_open(&self, successes: u32, probe: u32, place: Place) -> Self {
        Self { state: State::HalfOpen { successes, probe, place }, ..*self }
    }

    /// The same, but a reserved place is for every client: the last probe was not aborted.
    fn for_every_client(mut self) -> Self {
        if let State::HalfOpen { place: Place::Reserved { asker, .. }, .. } = &mut self.state {
            *asker = ClientNumber::UNKNOWN;
        }
        self
    }

    /// Open from now on, whatever the state was.
    fn opened(&self, now_ms: u64, settings: &Settings) -> Self {
        self.change(State::Open { until_ms: now_ms.saturating_add(settings.open_ms) })
    }

    /// Open, and its open time has not passed.
    fn is_open_at(&self, now_ms: u64, settings: &Settings) -> bool {
        match self.state {
            State::Open { until_ms } => left_ms(until_ms, now_ms, settings.open_ms) > 0,
            State::Closed { .. } | State::HalfOpen { .. } => false,
        }
    }

    /// The ticket of a request whose success has been recorded and whose response still streams:
    /// should that die, it counts in the state that the success has led to.
    pub fn ticket_after(&self, ticket: Ticket) -> Ticket {
        Ticket { epoch: self.epoch, ..ticket }
    }

    /// When a whole request of another client is let through again; 0 for now.
    pub fn retry_after_ms(&self, now_ms: u64, settings: &Settings) -> u64 {
        match self.admit(Ask::WHOLE, now_ms, settings).0 {
            Verdict::Admitted(_) => 0,
            Verdict::Refused { retry_after_ms } => retry_after_ms,
        }
    }

    /// The ticket of a request that is not a probe.
    fn ticket(&self) -> Ticket {
        Ticket { epoch: self.epoch, probe: None, saw_failures: false }
    }

    fn let_probe(&self, ask: Ask, now_ms: u64, settings: &Settings) -> (Verdict, Option<Self>) {
        let (successes, probe) = match self.state {
            State::HalfOpen { successes, probe, .. } => (successes, probe.wrapping_add(1)),
            State::Closed { .. } | State::Open { .. } => (0, 0),
        };
        let ticket = Ticket { probe: Some(probe), ..self.ticket() };
        let place = Place::taken(ask, now_ms, settings);
        (Verdict::Admitted(ticket), Some(self.half_open(successes, probe, place)))
    }

    fn next_epoch(&self) -> Self {
        Self { epoch: self.epoch.wrapping_add(1), ..*self }
    }

    fn change(&self, state: State) -> Self {
        Self { epoch: self.epoch.wrapping_add(1), state }
    }
}

impl Place {
    fn taken(ask: Ask, now_ms: u64, settings: &Settings) -> Self {
        let is_whole = ask.arrival == Arrival::Whole;
        let ms = if is_whole { settings.probe_ms } else { settings.body_ms };
        Self::Taken { until_ms: now_ms.saturating_add(ms), is_whole, asker: ask.asker }
    }

    /// For how long this place, which is that of now, is not for a request; 0 if the request may go.
    fn refuses_ms(self, ask: Ask, now_ms: u64, settings: &Settings) -> u64 {
        match (self, ask.arrival) {
            (Self::Taken { .. }, _) | (Self::Reserved { .. }, Arrival::Unfinished) => {
                PROBE_RETRY_AFTER_MS
            }
            (Self::Reserved { until_ms, asker }, Arrival::Whole) if asker.is(ask.asker) => {
                let left_ms = left_ms(until_ms, now_ms, settings.open_ms);
                settings.others_ms.saturating_sub(settings.open_ms.saturating_sub(left_ms))
            }
            (Self::Free | Self::Reserved { .. }, _) => 0,
        }
    }

    /// What is left of the place at a time.
    fn at(self, now_ms: u64, settings: &Settings) -> Self {
        let is_ahead = |until_ms, most_ms| left_ms(until_ms, now_ms, most_ms) > 0;
        match self {
            Self::Taken { until_ms, is_whole: true, .. }
                if is_ahead(until_ms, settings.probe_ms) =>
            {
                self
            }
            Self::Taken { until_ms, is_whole: false, .. }
                if is_ahead(until_ms, settings.body_ms) =>
            {
                self
            }
            Self::Taken { until_ms, is_whole: false, asker } if until_ms <= now_ms => {
                let until_ms = until_ms.saturating_add(settings.open_ms);
                Self::Reserved { until_ms, asker }.at(now_ms, settings)
            }
            Self::Reserved { until_ms, .. } if is_ahead(until_ms, settings.open_ms) => self,
            Self::Free | Self::Reserved { .. } | Self::Taken { .. } => Self::Free,
        }
    }
}

#[cfg(test)]
mod tests;
