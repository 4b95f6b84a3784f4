//! What must hold of a world that stands still, whatever has happened to it.

use gaud::breaker::{Breaker, Outcome, State, Verdict};

use super::history::Broken;
use super::world::{World, decode};

/// Longer than every wait, wherever the clock was set back to.
const LONG_MS: u64 = 1000;

impl World {
    /// Checks everything that can be seen without a step.
    pub(crate) fn stands(&self) -> Result<(), Broken> {
        let breaker = decode(&self.record)?;
        if let State::Closed { failures } = breaker.state()
            && failures != self.history.failures
        {
            return Err("the failures are not those that have happened");
        }
        self.answers(&breaker)?;
        self.has_one_probe()?;
        self.comes_back(breaker)
    }

    /// Who asked now would get the right answer.
    fn answers(&self, breaker: &Breaker) -> Result<(), Broken> {
        let (verdict, new) = breaker.admit(self.now_ms, &self.settings);
        let grants = self.history.grants(self.now_ms);
        match (verdict, new) {
            (Verdict::Admitted(ticket), None) if self.history.is_closed() => {
                (!ticket.is_probe()).then_some(()).ok_or("a closed breaker has a probe")
            }
            (Verdict::Admitted(ticket), Some(_)) if grants => {
                ticket.is_probe().then_some(()).ok_or("the request let through is no probe")
            }
            (Verdict::Refused { .. }, _) if grants => Err("nobody is let through in time"),
            (Verdict::Refused { .. }, _) if self.history.is_closed() => Err("closed, and refuses"),
            (Verdict::Refused { retry_after_ms }, None) => {
                match self.history.waits_ms(self.now_ms).unwrap_or(retry_after_ms) {
                    0 => Err("refused without a time to wait"),
                    left_ms if left_ms == retry_after_ms => Ok(()),
                    _ => Err("the time to wait is not the time that is left"),
                }
            }
            _ => Err("a request is let through out of turn"),
        }
    }

    /// Two requests never have the probe's place at once, where clocks only go forward.
    fn has_one_probe(&self) -> Result<(), Broken> {
        let has_place = self.requests.iter().filter(|request| {
            !request.streams
                && request.probe.is_some()
                && request.period == self.history.number
                && self.now_ms < request.at_ms + self.settings.probe_ms
        });
        match has_place.count() {
            2.. if !self.was_set_back => Err("two probes are out at once"),
            _ => Ok(()),
        }
    }

    /// Left alone until every deadline has passed, good probes close it: nothing is ever stuck.
    fn comes_back(&self, mut breaker: Breaker) -> Result<(), Broken> {
        let now_ms = self.now_ms + LONG_MS;
        for _ in 0..self.settings.successes {
            if let State::Closed { .. } = breaker.state() {
                return Ok(());
            }
            let (Verdict::Admitted(ticket), Some(half_open)) =
                breaker.admit(now_ms, &self.settings)
            else {
                return Err("a place never comes back");
            };
            breaker = half_open
                .record(ticket, Outcome::Success, now_ms, &self.settings)
                .ok_or("a good probe does not count")?;
        }
        let is_closed = matches!(breaker.state(), State::Closed { .. });
        is_closed.then_some(()).ok_or("good probes do not close it")
    }
}
