//! The gateways, the database between them, and the messages under way.

use gaud::config::Secret;
use gaud::gateway::Keys;
use gaud::host::memory::Memory;
use gaud::keys::{self, KeyHash, Models, Page, Policy, Standing, feed};
use gaud::limits::{Budget, Counter, Demand, Known, Limits, Terms, Ticket, Window};
use gaud::native::leases::{Lease, Rest};

/// 2026-11-29T16:00:00Z.
const START_MS: u64 = 1_795_968_000_000;
const TICK_MS: u64 = 10;

/// The most that a request can cost.
const COST_MAX: u64 = 1000;
const BUDGET: u64 = 400 * COST_MAX;

const LIFE_MS: u64 = 60_000;
const RENEW_MS: u64 = 10_000;
const TEND_MS: u64 = 100;

const PAYING: &str = "sk-prx-aaaaaaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const REVOKED: &str = "sk-prx-bbbbbbbbbbbb-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// xorshift64*: the same seed has the same faults.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    /// Once in `times`.
    fn is(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// A gateway's row in the database.
#[derive(Default)]
struct Row {
    lease: Lease,
    is_used_up: bool,
    until_ms: u64,
    is_read: bool,
}

struct Database {
    is_strict: bool,
    rows: Vec<Row>,
    /// The number of the last change, and those of the two keys.
    number: u64,
    paying: u64,
    revoked: u64,
    is_revoked: bool,
}

/// A question that is under way, or held, or whose answer is under way.
enum Asking {
    Question { at_ms: u64, since: u64, database: u64 },
    Held { since: u64, until_ms: u64 },
    Answer { at_ms: u64, page: Option<Vec<u8>> },
}

struct Gateway {
    host: Memory,
    counter: Counter,
    asking: Option<(u64, Asking)>,
    flights: Vec<(u64, Ticket, u64)>,
    /// What the ledger has not taken in yet.
    journal: u64,
    is_up: bool,
    /// Whether the database is in reach.
    is_connected: bool,
    renewed_ms: u64,
}

pub(super) struct World {
    now_ms: u64,
    random: Random,
    database: Database,
    gateways: Vec<Gateway>,
    keys: Keys,
    pub(super) spent_nanos: u64,
    pub(super) requests: u64,
    pub(super) extended: u64,
    seed: u64,
}

impl World {
    pub(super) fn new(seed: u64, gateways: usize, is_strict: bool) -> Self {
        let rows = (0..gateways).map(|_| Row { until_ms: START_MS + LIFE_MS, ..Row::default() });
        let database = Database {
            is_strict,
            rows: rows.collect(),
            number: 2,
            paying: 1,
            revoked: 2,
            is_revoked: false,
        };
        let keys = Keys { authorization: Secret::new("Bearer t"), ..Keys::default() };
        Self {
            now_ms: START_MS,
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            database,
            gateways: (0..gateways).map(|_| Gateway::at(START_MS)).collect(),
            keys,
            spent_nanos: 0,
            requests: 0,
            extended: 0,
            seed,
        }
    }

    pub(super) fn budget_nanos(&self) -> u64 {
        BUDGET
    }

    pub(super) fn run(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        while self.now_ms < end_ms {
            self.tick(false);
        }
    }

    pub(super) fn run_with_faults(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        while self.now_ms < end_ms {
            self.fail();
            self.tick(true);
        }
    }

    /// Whatever has failed is well again.
    pub(super) fn heal(&mut self) {
        for place in 0..self.gateways.len() {
            self.gateways[place].is_connected = true;
            if !self.gateways[place].is_up {
                self.come_back(place);
            }
        }
    }

    pub(super) fn revoke(&mut self) {
        self.database.number += 1;
        self.database.revoked = self.database.number;
        self.database.is_revoked = true;
    }

    /// How many gateways take the revoked key.
    pub(super) fn opens_somewhere(&self) -> usize {
        let takes = |own: &&Gateway| keys::check(&own.host, &self.keys, REVOKED).is_ok();
        self.gateways.iter().filter(|own| own.is_up).filter(takes).count()
    }

    fn fail(&mut self) {
        for place in 0..self.gateways.len() {
            let is_up = self.gateways[place].is_up;
            if self.random.is(600) {
                self.gateways[place].is_connected = !self.gateways[place].is_connected;
            }
            if is_up && self.random.is(2000) {
                self.crash(place);
            } else if is_up && self.random.is(3000) {
                self.end(place);
            } else if !is_up && self.gateways[place].is_connected && self.random.is(200) {
                self.come_back(place);
            }
        }
    }

    /// Killed: what is under way is lost, and charged by the journal.
    fn crash(&mut self, place: usize) {
        let own = &mut self.gateways[place];
        let lost: u64 = own.flights.drain(..).map(|(_, _, cost)| cost).sum();
        own.journal += lost;
        self.spent_nanos += lost;
        own.is_up = false;
        self.check();
    }

    /// A clean end: what is under way ends first.
    fn end(&mut self, place: usize) {
        while let Some((_, ticket, cost)) = self.gateways[place].flights.pop() {
            self.settle(place, ticket, cost);
        }
        self.gateways[place].is_up = false;
        if self.gateways[place].is_connected {
            self.take_in(place);
            let row = &mut self.database.rows[place];
            (row.is_read, row.until_ms) = (true, 0);
            self.tell_again();
        }
    }

    fn come_back(&mut self, place: usize) {
        self.take_in(place);
        let row = &mut self.database.rows[place];
        if row.is_read {
            row.lease = Lease { spent_nanos: row.lease.spent_nanos, ..Lease::default() };
        }
        (row.is_read, row.until_ms, row.is_used_up) = (false, self.now_ms + LIFE_MS, false);
        self.gateways[place] = Gateway { journal: 0, ..Gateway::at(self.now_ms) };
    }

    fn take_in(&mut self, place: usize) {
        let read = std::mem::take(&mut self.gateways[place].journal);
        self.database.rows[place].lease.spent_nanos += read;
    }

    fn tell_again(&mut self) {
        self.database.number += 1;
        self.database.paying = self.database.number;
    }

    fn tick(&mut self, has_faults: bool) {
        self.now_ms += TICK_MS;
        for place in 0..self.gateways.len() {
            if !self.gateways[place].is_up {
                continue;
            }
            self.gateways[place].host.advance(TICK_MS);
            self.land(place);
            self.ask(place);
            self.tend(place);
            self.poll(place, has_faults);
            self.check();
        }
    }

    /// Requests end.
    fn land(&mut self, place: usize) {
        let now_ms = self.now_ms;
        let flights = std::mem::take(&mut self.gateways[place].flights);
        let (over, rest): (Vec<_>, Vec<_>) =
            flights.into_iter().partition(|(end_ms, ..)| *end_ms <= now_ms);
        self.gateways[place].flights = rest;
        for (_, ticket, cost) in over {
            self.settle(place, ticket, cost);
        }
    }

    fn settle(&mut self, place: usize, ticket: Ticket, cost: u64) {
        let own = &mut self.gateways[place];
        own.counter = own.counter.settle(&ticket, cost, 0, self.now_ms);
        own.journal += cost;
        self.spent_nanos += cost;
    }

    /// A client asks.
    fn ask(&mut self, place: usize) {
        if !self.random.is(4) {
            return;
        }
        let own = &mut self.gateways[place];
        let Ok(allowed) = keys::check(&own.host, &self.keys, PAYING) else { return };
        let terms = allowed.terms.expect("a budget").key;
        let demand = Demand { tokens: 0, nanos: COST_MAX };
        let verdict = own.counter.admit(&terms.limits, terms.known, demand, self.now_ms);
        own.counter = verdict.counter.unwrap_or(own.counter);
        if let Ok(ticket) = verdict.outcome {
            let cost = 1 + self.random.below(COST_MAX);
            let end_ms = self.now_ms + self.random.below(2000);
            self.gateways[place].flights.push((end_ms, ticket, cost));
            self.requests += 1;
        }
    }

    /// The ledger, the sign of life, and the leases that are low.
    fn tend(&mut self, place: usize) {
        if !self.gateways[place].is_connected {
            return;
        }
        self.take_in(place);
        if self.now_ms - self.gateways[place].renewed_ms >= RENEW_MS {
            self.gateways[place].renewed_ms = self.now_ms;
            self.database.rows[place].until_ms = self.now_ms + LIFE_MS;
        }
        let row = &self.database.rows[place];
        let is_low = row.lease.granted_nanos > 0 && row.lease.is_low() && !row.is_used_up;
        if is_low && self.now_ms.is_multiple_of(TEND_MS) {
            self.tell_again();
        }
    }

    /// One step of the question for changes.
    fn poll(&mut self, place: usize, has_faults: bool) {
        let is_lost = has_faults && self.random.is(20);
        let at_ms = self.now_ms + 10 * self.random.below(if has_faults { 50 } else { 3 });
        let own = &mut self.gateways[place];
        let Some((timeout_ms, asking)) = own.asking.take() else {
            // Envoy ticks each second; after an answer the filter asks at once.
            if let Some(question) = feed::due(&self.keys, &own.host, 1, false) {
                let number = |name: &str| number(&question.path, name);
                let (since, database) = (number("since"), number("database"));
                let timeout_ms = self.now_ms + u64::from(question.timeout_ms);
                own.asking = Some((timeout_ms, Asking::Question { at_ms, since, database }));
            }
            return;
        };
        if self.now_ms >= timeout_ms {
            feed::answered(&own.host, None, Vec::new);
            return;
        }
        let asking = match asking {
            Asking::Question { at_ms, since, database } if at_ms <= self.now_ms => {
                if is_lost {
                    own.asking =
                        Some((timeout_ms, Asking::Question { at_ms: u64::MAX, since, database }));
                    return;
                }
                let since = if database == 1 { since } else { 0 };
                Asking::Held { since, until_ms: self.now_ms + 20_000 }
            }
            Asking::Held { since, until_ms }
                if !own.is_connected
                    || since != self.database.number
                    || until_ms <= self.now_ms =>
            {
                let page = own.is_connected.then(|| self.page(place, since).to_bytes());
                Asking::Answer { at_ms: if is_lost { u64::MAX } else { at_ms }, page }
            }
            Asking::Answer { at_ms, page } if at_ms <= self.now_ms => {
                let status = if page.is_some() { 200 } else { 500 };
                feed::answered(&own.host, Some(status), || page.unwrap_or_default());
                return;
            }
            asking => asking,
        };
        self.gateways[place].asking = Some((timeout_ms, asking));
    }

    fn page(&mut self, place: usize, since: u64) -> Page {
        let mut policies = Vec::new();
        let database = &self.database;
        if database.revoked > since {
            let standing = if database.is_revoked { Standing::Revoked } else { Standing::Valid };
            policies.push((KeyHash::of(REVOKED), policy("b", database.revoked, standing)));
        }
        if database.paying > since {
            let mut paying = policy("a", database.paying, Standing::Valid);
            paying.terms = self.terms(place);
            policies.push((KeyHash::of(PAYING), paying));
        }
        let number = self.database.number;
        Page { is_reset: since == 0, has_more: false, database: 1, number, policies, prices: None }
    }

    /// The lease as the budget of the key.
    fn terms(&mut self, place: usize) -> Terms {
        let own = self.database.rows[place].lease;
        if own.is_low() {
            let rest = self.rest(place);
            let extended = rest.extend(own);
            self.extended += u64::from(extended.is_some());
            let row = &mut self.database.rows[place];
            (row.is_used_up, row.lease) = (extended.is_none(), extended.unwrap_or(own));
        }
        let lease = self.database.rows[place].lease;
        let budget = Budget {
            nanos: BUDGET.min(lease.granted_nanos),
            window: Window::Total,
            is_strict: self.database.is_strict,
        };
        let known =
            Known { period: Window::Total.at(self.now_ms / 1000), spent_nanos: lease.spent_nanos };
        Terms { limits: Limits { budget: Some(budget), ..Limits::NONE }, known: Some(known) }
    }

    fn rest(&self, place: usize) -> Rest {
        let rows = &self.database.rows;
        let others = rows.iter().enumerate().filter(|(own, _)| *own != place).map(|(_, row)| row);
        let counts = |row: &&Row| !row.is_read || row.until_ms > self.now_ms;
        Rest {
            budget_nanos: BUDGET,
            spent_nanos: rows.iter().map(|row| row.lease.spent_nanos).sum(),
            held_nanos: others.filter(counts).map(|row| row.lease.held_nanos()).sum(),
            gateways: rows.iter().filter(|row| row.until_ms > self.now_ms).count() as u64,
        }
    }

    fn check(&self) {
        let more = if self.database.is_strict { 0 } else { self.gateways.len() as u64 * COST_MAX };
        let spent = self.spent_nanos;
        assert!(spent <= BUDGET + more, "seed {}: {spent} of {BUDGET} are spent", self.seed);
    }
}

impl Gateway {
    fn at(now_ms: u64) -> Self {
        Self {
            host: Memory::at(now_ms),
            counter: Counter::default(),
            asking: None,
            flights: Vec::new(),
            journal: 0,
            is_up: true,
            is_connected: true,
            renewed_ms: now_ms,
        }
    }
}

fn policy(id: &str, number: u64, standing: Standing) -> Policy {
    Policy {
        number,
        standing,
        expires_secs: 0,
        id: id.repeat(12),
        user: String::new(),
        name: String::new(),
        models: Models::of(Vec::new()),
        terms: Terms::default(),
        user_terms: Terms::default(),
        model_terms: Vec::new(),
    }
}

fn number(path: &str, name: &str) -> u64 {
    let (_, rest) = path.split_once(&format!("{name}=")).expect("a parameter");
    rest.split('&').next().expect("a value").parse().expect("a number")
}
