//! When a provider is left alone: the one place with every transition of a breaker.
//!
//! | state | what happens | becomes |
//! |---|---|---|
//! | closed | a failure, fewer than `failures` in a row | closed, one more |
//! | closed | a failure, the last of `failures` in a row | **open** until now + `open_secs` |
//! | closed | a success of a request that saw failures when it was admitted | closed, none |
//! | open | a request, before its time | refused, with the time that is left |
//! | open | a request, at its time | **half-open**, and the request is the probe |
//! | half-open | a request, while a probe is out | refused |
//! | half-open | a request, with no probe out or the probe's deadline passed | half-open, it is the probe |
//! | half-open | the probe succeeds, fewer than `successes` | half-open, one more, no probe out |
//! | half-open | the probe succeeds, the last of `successes` | **closed** |
//! | half-open | the probe fails, or an active check does | **open** until now + `open_secs` |
//! | half-open | the probe is neutral | half-open, no probe out |
//! | any | an outcome of a request that was admitted in another state, or of a lost probe | the same |
//! | any | neutral | the same |
//!
//! A failed check may open the breaker while a probe is out: the next period has a probe of its own.
//! Everything else changes nothing. A record is one value: whoever stores it stores the whole
//! transition. `now` is milliseconds of the wall clock, and may jump: a breaker that is open for
//! longer than `open_secs` from now is one whose clock was set back, or whose settings were lowered,
//! and its time has come; the same holds for a probe's place.

mod record;
mod settings;

pub use record::RECORD_BYTES;
pub use settings::Settings;

/// A provider's breaker, as all workers of an Envoy see it.
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
        /// Until when that probe has its place; 0 when none is out.
        deadline_ms: u64,
    },
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

/// What an attempt says about its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The provider answers.
    Success,
    /// It does not.
    Failure,
    /// It says nothing: the client left, or the gateway itself has answered.
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

/// How long a refused request waits while a probe is out: nobody knows how long that takes.
const PROBE_RETRY_AFTER_MS: u64 = 1000;

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

    /// Whether a request may go; with the record to store when that changes it. Then the verdict
    /// holds only if the record was stored.
    pub fn admit(&self, now_ms: u64, settings: &Settings) -> (Verdict, Option<Self>) {
        match self.state {
            State::Closed { failures } => {
                let ticket = Ticket { epoch: self.epoch, probe: None, saw_failures: failures > 0 };
                (Verdict::Admitted(ticket), None)
            }
            State::Open { until_ms } => match self.waits_ms(until_ms, now_ms, settings) {
                0 => self.next_epoch().let_probe(now_ms, settings),
                retry_after_ms => (Verdict::Refused { retry_after_ms }, None),
            },
            State::HalfOpen { deadline_ms, .. } => {
                // A deadline too far away was set before the clock was set back.
                let latest_ms = now_ms.saturating_add(settings.probe_ms);
                match (now_ms.saturating_add(1)..=latest_ms).contains(&deadline_ms) {
                    true => (Verdict::Refused { retry_after_ms: PROBE_RETRY_AFTER_MS }, None),
                    false => self.let_probe(now_ms, settings),
                }
            }
        }
    }

    /// What an outcome makes of the record; `None` when it changes nothing.
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
            (State::HalfOpen { deadline_ms: 0, .. }, Outcome::Success | Outcome::Neutral) => None,
            (State::HalfOpen { successes, probe, .. }, Outcome::Success) => {
                let successes = successes.saturating_add(1);
                Some(match successes >= settings.successes {
                    true => self.change(State::Closed { failures: 0 }),
                    false => Self {
                        state: State::HalfOpen { successes, probe, deadline_ms: 0 },
                        ..*self
                    },
                })
            }
            (State::HalfOpen { .. }, Outcome::Failure) => self.failed(now_ms, settings),
            (State::HalfOpen { successes, probe, .. }, Outcome::Neutral) => {
                Some(Self { state: State::HalfOpen { successes, probe, deadline_ms: 0 }, ..*self })
            }
            (State::Open { .. }, _) | (State::Closed { .. }, Outcome::Neutral) => None,
        }
    }

    /// A failure that belongs to no request: an active check's.
    pub fn failed(&self, now_ms: u64, settings: &Settings) -> Option<Self> {
        let open = || State::Open { until_ms: now_ms.saturating_add(settings.open_ms) };
        match self.state {
            State::Closed { failures } => {
                let failures = failures.saturating_add(1);
                Some(match failures >= settings.failures {
                    true => self.change(open()),
                    false => Self { state: State::Closed { failures }, ..*self },
                })
            }
            State::HalfOpen { .. } => Some(self.change(open())),
            State::Open { .. } => None,
        }
    }

    /// The ticket of a request whose success has been recorded and whose response still streams:
    /// should that die, it counts in the state that the success has led to.
    pub fn ticket_after(&self, ticket: Ticket) -> Ticket {
        Ticket { epoch: self.epoch, ..ticket }
    }

    /// When a request is let through again; 0 for now.
    pub fn retry_after_ms(&self, now_ms: u64, settings: &Settings) -> u64 {
        match self.admit(now_ms, settings).0 {
            Verdict::Admitted(_) => 0,
            Verdict::Refused { retry_after_ms } => retry_after_ms,
        }
    }

    fn waits_ms(&self, until_ms: u64, now_ms: u64, settings: &Settings) -> u64 {
        match until_ms.saturating_sub(now_ms) {
            left_ms if left_ms > settings.open_ms => 0,
            left_ms => left_ms,
        }
    }

    fn let_probe(&self, now_ms: u64, settings: &Settings) -> (Verdict, Option<Self>) {
        let (successes, probe) = match self.state {
            State::HalfOpen { successes, probe, .. } => (successes, probe.wrapping_add(1)),
            State::Closed { .. } | State::Open { .. } => (0, 0),
        };
        let deadline_ms = now_ms.saturating_add(settings.probe_ms);
        let state = State::HalfOpen { successes, probe, deadline_ms };
        let ticket = Ticket { epoch: self.epoch, probe: Some(probe), saw_failures: false };
        (Verdict::Admitted(ticket), Some(Self { state, ..*self }))
    }

    fn next_epoch(&self) -> Self {
        Self { epoch: self.epoch.wrapping_add(1), ..*self }
    }

    fn change(&self, state: State) -> Self {
        Self { epoch: self.epoch.wrapping_add(1), state }
    }
}

#[cfg(test)]
mod tests;
