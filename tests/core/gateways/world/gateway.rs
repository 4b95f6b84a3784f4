//! One gateway: its filter's state, its requests under way, its journal, and its question for changes.

use gaud::gateway::Keys;
use gaud::host::memory::Memory;
use gaud::keys::{self, feed};
use gaud::limits::{Counter, Demand, Ticket};

use super::database::Database;
use super::random::Random;
use super::{COST_MAX, PAYING};

const RENEW_MS: u64 = 10_000;
const TEND_MS: u64 = 100;

/// How long a question is held, and how often the database is looked at meanwhile.
const HOLD_MS: u64 = 20_000;
const LOOK_MS: u64 = 5_000;

/// A question that is under way, or held, or whose answer is under way.
enum Asking {
    Question { at_ms: u64, since: u64, database: u64 },
    Held { since: u64, until_ms: u64, look_ms: u64 },
    Answer { at_ms: u64, page: Option<Vec<u8>> },
}

/// A request that a provider works on.
pub(super) struct Flight {
    pub(super) end_ms: u64,
    pub(super) ticket: Ticket,
    pub(super) cost: u64,
}

pub(super) struct Gateway {
    pub(super) host: Memory,
    pub(super) flights: Vec<Flight>,
    /// What the ledger has not taken in yet.
    pub(super) journal: u64,
    pub(super) is_up: bool,
    /// Whether the database is in reach.
    pub(super) is_connected: bool,
    /// Whether the ledger has taken in what was spent since the leases were looked at.
    has_news: bool,
    /// The last change that the filter has taken.
    taken: u64,
    counter: Counter,
    asking: Option<(u64, Asking)>,
    renewed_ms: u64,
}

impl Gateway {
    pub(super) fn at(now_ms: u64) -> Self {
        Self {
            host: Memory::at(now_ms),
            taken: 0,
            counter: Counter::default(),
            asking: None,
            flights: Vec::new(),
            journal: 0,
            is_up: true,
            is_connected: true,
            has_news: true,
            renewed_ms: now_ms,
        }
    }

    /// The requests that have ended by now.
    pub(super) fn landed(&mut self, now_ms: u64) -> Vec<Flight> {
        let flights = std::mem::take(&mut self.flights);
        let (over, rest) = flights.into_iter().partition(|flight| flight.end_ms <= now_ms);
        self.flights = rest;
        over
    }

    pub(super) fn settle(&mut self, flight: &Flight, now_ms: u64) {
        self.counter = self.counter.settle(&flight.ticket, flight.cost, 0, now_ms);
        self.journal += flight.cost;
    }

    /// A client asks. Returns whether the request is served.
    pub(super) fn ask(&mut self, keys: &Keys, random: &mut Random, now_ms: u64) -> bool {
        let Ok(allowed) = keys::check(&self.host, keys, PAYING) else { return false };
        let terms = allowed.terms.expect("a budget").key;
        let demand = Demand { tokens: 0, nanos: COST_MAX };
        let verdict = self.counter.admit(&terms.limits, terms.known, demand, now_ms);
        self.counter = verdict.counter.unwrap_or(self.counter);
        let Ok(ticket) = verdict.outcome else { return false };
        let cost = 1 + random.below(COST_MAX);
        self.flights.push(Flight { end_ms: now_ms + random.below(2000), ticket, cost });
        true
    }

    /// The ledger, the sign of life, and the leases that are low.
    pub(super) fn tend(&mut self, place: usize, database: &mut Database, now_ms: u64) {
        if !self.is_connected {
            return;
        }
        let spent = std::mem::take(&mut self.journal);
        database.take_in(place, spent);
        self.has_news |= spent > 0;
        if now_ms - self.renewed_ms >= RENEW_MS {
            self.renewed_ms = now_ms;
            database.renew(place, self.taken, now_ms);
        }
        if now_ms.is_multiple_of(TEND_MS) && std::mem::take(&mut self.has_news) {
            database.look_for_low(place);
        }
    }

    /// One step of the question for changes.
    pub(super) fn poll(
        &mut self,
        place: usize,
        keys: &Keys,
        database: &mut Database,
        network: (bool, &mut Random),
        now_ms: u64,
    ) {
        let (has_faults, random) = network;
        let is_lost = has_faults && random.is(20);
        let arrives_ms = now_ms + 10 * random.below(if has_faults { 50 } else { 3 });
        let at_ms = if is_lost { u64::MAX } else { arrives_ms };
        let Some((timeout_ms, asking)) = self.asking.take() else {
            self.asking = self.question(keys, arrives_ms, now_ms);
            return;
        };
        if now_ms >= timeout_ms {
            feed::answered(&self.host, None, Vec::new);
            return;
        }
        let asking = match asking {
            Asking::Question { at_ms, since, database: known } if at_ms <= now_ms => {
                if is_lost {
                    Asking::Question { at_ms: u64::MAX, since, database: known }
                } else {
                    self.taken = since;
                    let since = if known == 1 { since } else { 0 };
                    Asking::Held { since, until_ms: now_ms + HOLD_MS, look_ms: now_ms }
                }
            }
            Asking::Held { since, until_ms, look_ms } => {
                let is_told = since != database.number;
                let is_look = look_ms <= now_ms || is_told;
                database.load.looks += u64::from(is_look && self.is_connected);
                if !self.is_connected || is_told || until_ms <= now_ms {
                    let page = self.is_connected.then(|| database.page(place, since, now_ms));
                    Asking::Answer { at_ms, page }
                } else {
                    let look_ms = if is_look { now_ms + LOOK_MS } else { look_ms };
                    Asking::Held { since, until_ms, look_ms }
                }
            }
            Asking::Answer { at_ms, page } if at_ms <= now_ms => {
                let status = if page.is_some() { 200 } else { 500 };
                feed::answered(&self.host, Some(status), || page.unwrap_or_default());
                return;
            }
            asking => asking,
        };
        self.asking = Some((timeout_ms, asking));
    }

    /// Envoy ticks each second; after an answer the filter asks at once.
    fn question(&self, keys: &Keys, at_ms: u64, now_ms: u64) -> Option<(u64, Asking)> {
        let question = feed::due(keys, &self.host, 1, false)?;
        let number = |name: &str| number(&question.path, name);
        let (since, database) = (number("since"), number("database"));
        let timeout_ms = now_ms + u64::from(question.timeout_ms);
        Some((timeout_ms, Asking::Question { at_ms, since, database }))
    }
}

fn number(path: &str, name: &str) -> u64 {
    let (_, rest) = path.split_once(&format!("{name}=")).expect("a parameter");
    rest.split('&').next().expect("a value").parse().expect("a number")
}
