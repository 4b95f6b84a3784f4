//! When two worlds are the same: nothing that can still happen tells them apart.
//!
//! Times count from now, and one that has passed for good is as good as any other. Of epochs and
//! of probes' numbers the breaker only asks whether they are those of the record. Requests, and
//! workers, have no order. So the search ends, though neither the clock nor the number of requests
//! of a run has a bound.

use gaud::breaker::{Breaker, Outcome, RECORD_BYTES, State};

use super::world::{Op, Pending, Request, World};

/// How far the clock is set back: by a little, and to before everything that still has a deadline.
pub(crate) const SETBACKS_MS: [u64; 2] = [1, 6];

/// No time: beyond every one that [`World::time`] gives.
const NEVER: u128 = 31;

/// The number of the last probe, in half-open.
pub(crate) fn probe_number(record: &[u8]) -> Option<u32> {
    match Breaker::from_bytes(record)?.state() {
        State::HalfOpen { probe, .. } => Some(probe),
        _ => None,
    }
}

impl World {
    /// All of it, packed: the same for worlds that are the same.
    pub(crate) fn key(&self) -> u128 {
        let mut requests: Vec<_> = self.requests.iter().map(|one| self.request(one)).collect();
        let mut pending: Vec<_> = self.pending.iter().map(|one| self.pending(one)).collect();
        requests.sort_unstable();
        pending.sort_unstable();
        let mut key = self.record(&self.record);
        key = key << 3 | u128::from(self.conflicts) << 1 | u128::from(self.was_set_back);
        key = key << 1 | u128::from(self.may_set_back);
        key = requests.iter().fold(key << 2 | requests.len() as u128, |key, one| key << 6 | one);
        pending.iter().fold(key << 2 | pending.len() as u128, |key, one| key << 19 | one)
    }

    /// 9 bits.
    fn record(&self, record: &[u8; RECORD_BYTES]) -> u128 {
        let (state, count, time) = match Breaker::from_bytes(record).map(|one| one.state()) {
            Some(State::Closed { failures }) => (0, failures, NEVER),
            Some(State::Open { until_ms }) => (1, 0, self.time(until_ms)),
            Some(State::HalfOpen { successes, deadline_ms: 0, .. }) => (2, successes, NEVER),
            Some(State::HalfOpen { successes, deadline_ms, .. }) => {
                (2, successes, self.time(deadline_ms))
            }
            None => (3, 0, NEVER),
        };
        state << 7 | u128::from(count & 3) << 5 | time
    }

    /// How far away a time is, in 5 bits.
    fn time(&self, time_ms: u64) -> u128 {
        let back_ms = if self.may_set_back { SETBACKS_MS[1] } else { 0 };
        let past_ms = (self.now_ms + SETBACKS_MS[1]).saturating_sub(time_ms);
        let passed = past_ms.min(SETBACKS_MS[1] + back_ms);
        let to_come = time_ms.saturating_sub(self.now_ms + SETBACKS_MS[1]);
        u128::from(SETBACKS_MS[1] * 2 - passed + to_come)
    }

    /// 6 bits.
    fn request(&self, request: &Request) -> u128 {
        let role = match request.probe_number {
            None => 0,
            number if number == probe_number(&self.record) => 1,
            Some(_) => 2,
        };
        let is_late = request.period != self.history.number;
        let flags = [request.streams, is_late, request.saw_failures, self.is_last(request)];
        flags.iter().fold(role, |bits, flag| bits << 1 | u128::from(*flag))
    }

    /// Whether the history knows it as its last probe.
    fn is_last(&self, request: &Request) -> bool {
        request.probe == Some(self.history.probes)
    }

    /// 19 bits.
    fn pending(&self, pending: &Pending) -> u128 {
        let op = match pending.op {
            Op::Ask => 0,
            Op::CheckFailed => 1,
            Op::Report(request, outcome) => {
                let outcome = match outcome {
                    Outcome::Success => 1,
                    Outcome::Failure => 2,
                    Outcome::Neutral => 3,
                };
                outcome << 6 | self.request(&request)
            }
        };
        // What is stale is decided anew.
        let new = if pending.fresh { self.record(&pending.new) + 1 } else { 0 };
        op << 10 | new
    }
}
