//! What must hold of a world at any moment, whatever has happened to it.

use gaud::breaker::{Arrival, Ask, ClientNumber, Levels, Outcome, Outcomes, State};

use super::history::Broken;
use super::key::TICK_MS;
use super::world::{CLIENTS, World, decode, state};

/// Longer than every wait, wherever the clock was set back to.
const LONG_MS: u64 = 1000 * TICK_MS;

impl World {
    /// Checks everything that can be seen without a step.
    pub(crate) fn holds(&self) -> Result<(), Broken> {
        let levels = decode(&self.record)?;
        if let State::Closed { failures } = state(&levels)
            && failures != self.history.failures
        {
            return Err("the failures are not those that have happened");
        }
        for arrival in [Arrival::Whole, Arrival::Unfinished, Arrival::Tunnel] {
            let [a, b] = *CLIENTS;
            for asker in [a, b, ClientNumber::UNKNOWN] {
                self.answers(&levels, Ask { arrival, asker })?;
            }
        }
        self.has_one_probe()?;
        self.comes_back(levels)
    }

    /// A request that asked now would get the right answer.
    fn answers(&self, levels: &Levels, ask: Ask) -> Result<(), Broken> {
        let verdict = levels.admit(None, ask, self.now_ms, &self.settings);
        let grants = self.history.grants(ask, self.now_ms);
        let passes = match ask.arrival {
            Arrival::Tunnel => self.history.lets_tunnels(self.now_ms),
            Arrival::Whole | Arrival::Unfinished => self.history.is_closed(),
        };
        match verdict {
            Ok((tickets, None)) if passes => (!tickets.is_probe())
                .then_some(())
                .ok_or("a request that changes nothing is a probe"),
            Ok((tickets, Some(_))) if grants => {
                tickets.is_probe().then_some(()).ok_or("the request let through is not a probe")
            }
            Ok(_) => Err("a request is let through out of turn"),
            Err(_) if grants => Err("no request is let through in time"),
            Err(_) if passes => Err("a request is refused that may pass"),
            Err(refusal) => {
                let wait_ms = refusal.retry_after_ms;
                let shuts_out_ms = self.history.shuts_out_ms(ask, self.now_ms);
                let left_ms = self.history.waits_ms(self.now_ms).or(shuts_out_ms);
                match left_ms.unwrap_or(wait_ms) {
                    0 => Err("refused without a time to wait"),
                    left_ms if left_ms == wait_ms => Ok(()),
                    _ => Err("the time to wait is not the time that is left"),
                }
            }
        }
    }

    /// Two requests never have the probe's place at once, where clocks only go forward.
    fn has_one_probe(&self) -> Result<(), Broken> {
        let has_place = self.requests.iter().filter(|request| {
            !request.streams
                && request.probe.is_some()
                && request.period == self.history.number
                && self.now_ms < request.until_ms
        });
        match has_place.count() {
            2.. if !self.was_set_back => Err("two probes are out at once"),
            _ => Ok(()),
        }
    }

    /// Left alone until every deadline has passed, good probes close it: nothing is ever stuck.
    fn comes_back(&self, mut levels: Levels) -> Result<(), Broken> {
        let now_ms = self.now_ms + LONG_MS;
        let good = Outcomes { provider: Outcome::Success, model: Outcome::Neutral };
        for _ in 0..self.settings.successes {
            if let State::Closed { .. } = state(&levels) {
                return Ok(());
            }
            let ask = Ask { arrival: Arrival::Unfinished, ..Ask::WHOLE };
            let admitted = levels.admit(None, ask, now_ms, &self.settings);
            let Ok((tickets, Some(half_open))) = admitted else {
                return Err("a place never comes back");
            };
            levels = half_open
                .record(&tickets, good, now_ms, &self.settings)
                .ok_or("a good probe does not count")?;
        }
        let is_closed = matches!(state(&levels), State::Closed { .. });
        is_closed.then_some(()).ok_or("good probes do not close it")
    }
}
