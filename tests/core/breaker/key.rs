//! When two worlds are the same: nothing that can still happen tells them apart.
//!
//! Times count from now, and one that has passed for good is as good as any other. Of epochs and
//! of probes' numbers the breaker only asks whether they are those of the record. Requests, and
//! workers, have no order, and the clients may change their parts. So the search ends, though neither the clock nor the number of requests
//! of a run has a bound.

use gaud::breaker::{Arrival, Ask, ClientNumber, Levels, Outcome, Place, State};
use gaud::record::LATER_MS;

use super::world::{CLIENTS, Op, Pending, Request, World};

/// A step of the clock: as much as the clocks of two workers may differ.
pub(crate) const TICK_MS: u64 = LATER_MS;

/// How far the clock is set back: by a little, and to before everything that still has a deadline.
pub(crate) const SETBACKS_MS: [u64; 2] = [TICK_MS, 6 * TICK_MS];

/// No time: beyond every one that [`World::time`] gives.
const NEVER: u128 = 31;

/// The number of the last probe, in half-open.
pub(crate) fn probe_number(record: &[u8]) -> Option<u32> {
    match Levels::from_bytes(record)?.provider().state() {
        State::HalfOpen { probe, .. } => Some(probe),
        _ => None,
    }
}

/// The part of a client, in 2 bits; 0 for an unknown client.
fn part(asker: ClientNumber, clients: [ClientNumber; 2]) -> u128 {
    clients.iter().position(|client| *client == asker).map_or(0, |place| place as u128 + 1)
}

impl World {
    /// All of it, packed: the same for worlds that are the same.
    pub(crate) fn key(&self) -> u128 {
        let [a, b] = *CLIENTS;
        self.key_of([a, b]).min(self.key_of([b, a]))
    }

    /// The same with the clients in these parts.
    fn key_of(&self, clients: [ClientNumber; 2]) -> u128 {
        let mut requests: Vec<_> = self.requests.iter().map(|one| self.request(one)).collect();
        let mut pending: Vec<_> =
            self.pending.iter().map(|one| self.pending(one, clients)).collect();
        requests.sort_unstable();
        pending.sort_unstable();
        let mut key = self.record(&self.record, clients);
        key = key << 3 | u128::from(self.conflicts) << 1 | u128::from(self.was_set_back);
        key = key << 1 | u128::from(self.may_set_back);
        key = requests.iter().fold(key << 2 | requests.len() as u128, |key, one| key << 7 | one);
        pending.iter().fold(key << 2 | pending.len() as u128, |key, one| key << 24 | one)
    }

    /// 12 bits.
    fn record(&self, record: &[u8], clients: [ClientNumber; 2]) -> u128 {
        let state = Levels::from_bytes(record).map(|levels| levels.provider().state());
        let nobody = ClientNumber::UNKNOWN;
        let (state, count, time, asker) = match state {
            Some(State::Closed { failures }) => (0, failures, NEVER, nobody),
            Some(State::Open { until_ms }) => (1, 0, self.time(until_ms), nobody),
            Some(State::HalfOpen { successes, place, .. }) => match place {
                Place::Free => (2, successes, NEVER, nobody),
                Place::Reserved { until_ms, asker } => (3, successes, self.time(until_ms), asker),
                Place::Taken { until_ms, is_whole, asker } => {
                    (if is_whole { 4 } else { 5 }, successes, self.time(until_ms), asker)
                }
            },
            None => (6, 0, NEVER, nobody),
        };
        part(asker, clients) << 10 | state << 7 | u128::from(count & 3) << 5 | time
    }

    /// How far away a time is, in 5 bits.
    fn time(&self, time_ms: u64) -> u128 {
        let back_ms = if self.may_set_back { SETBACKS_MS[1] } else { 0 };
        let past_ms = (self.now_ms + SETBACKS_MS[1]).saturating_sub(time_ms);
        // After the time of an unfinished probe its place is reserved.
        let reserved_ms = self.settings.open_ms;
        let passed = past_ms.min(SETBACKS_MS[1] + back_ms + reserved_ms);
        let to_come = time_ms.saturating_sub(self.now_ms + SETBACKS_MS[1]);
        u128::from((SETBACKS_MS[1] * 2 + reserved_ms - passed + to_come) / TICK_MS)
    }

    /// 7 bits.
    fn request(&self, request: &Request) -> u128 {
        let role = match request.probe_number {
            None => 0,
            number if number == probe_number(&self.record) => 1,
            Some(_) => 2,
        };
        let is_late = request.period != self.history.number;
        let is_whole = request.arrival == Arrival::Whole;
        let is_last = self.is_last(request);
        let flags = [request.streams, is_late, request.saw_failures, is_last, is_whole];
        flags.iter().fold(role, |bits, flag| bits << 1 | u128::from(*flag))
    }

    /// Whether the history knows it as its last probe.
    fn is_last(&self, request: &Request) -> bool {
        request.probe == Some(self.history.probes)
    }

    /// 24 bits.
    fn pending(&self, pending: &Pending, clients: [ClientNumber; 2]) -> u128 {
        let op = match pending.op {
            Op::Ask(Ask { arrival, asker }) => {
                let arrival = match arrival {
                    Arrival::Whole => 0,
                    Arrival::Unfinished => 1,
                    Arrival::Tunnel => 2,
                };
                part(asker, clients) << 2 | arrival
            }
            Op::CheckFailed => 3,
            Op::BodyCame(request) => 1 << 7 | self.request(&request),
            Op::Report(request, outcome) => {
                let outcome = match outcome {
                    Outcome::Success => 2,
                    Outcome::Failure => 3,
                    Outcome::Neutral => 4,
                };
                outcome << 7 | self.request(&request)
            }
        };
        // A stale change is decided again.
        let new = if pending.fresh { self.record(&pending.new, clients) + 1 } else { 0 };
        let is_late = !pending.fresh && pending.at_ms < self.now_ms;
        (op << 13 | new) << 1 | u128::from(is_late)
    }
}
