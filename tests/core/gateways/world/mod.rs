//! The gateways, the database between them, and the messages under way.

mod database;
mod gateway;
mod random;

use gaud::config::Secret;
use gaud::gateway::Keys;
use gaud::keys;

pub(super) use database::{Load, policy};

use database::Database;
use gateway::{Flight, Gateway};
use random::Random;

/// 2026-11-29T16:00:00Z.
pub(super) const START_MS: u64 = 1_795_968_000_000;
const TICK_MS: u64 = 10;

/// The most that a request can cost.
pub(super) const COST_MAX: u64 = 1000;

const PAYING: &str = "sk-prx-aaaaaaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const REVOKED: &str = "sk-prx-bbbbbbbbbbbb-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// What a world has.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) gateways: usize,
    /// How many requests of the highest cost the budget pays.
    pub(super) budget_requests: u64,
    pub(super) is_strict: bool,
    /// At each gateway a request begins in one of this many ticks of 10 ms.
    pub(super) ticks_per_request: u64,
    /// The others get no requests.
    pub(super) busy: usize,
}

pub(super) struct World {
    now_ms: u64,
    random: Random,
    database: Database,
    gateways: Vec<Gateway>,
    keys: Keys,
    plan: Plan,
    pub(super) spent_nanos: u64,
    pub(super) requests: u64,
}

impl Plan {
    pub(super) fn small(seed: u64, gateways: usize) -> Self {
        let budget_requests = 400;
        let ticks_per_request = 4;
        Self {
            seed,
            gateways,
            budget_requests,
            is_strict: false,
            ticks_per_request,
            busy: gateways,
        }
    }
}

impl World {
    pub(super) fn new(plan: Plan) -> Self {
        let budget_nanos = plan.budget_requests * COST_MAX;
        Self {
            now_ms: START_MS,
            random: Random::of(plan.seed),
            database: Database::of(plan.gateways, budget_nanos, plan.is_strict, START_MS),
            gateways: (0..plan.gateways).map(|_| Gateway::at(START_MS)).collect(),
            keys: Keys { authorization: Secret::new("Bearer t"), ..Keys::default() },
            plan,
            spent_nanos: 0,
            requests: 0,
        }
    }

    pub(super) fn budget_nanos(&self) -> u64 {
        self.database.budget_nanos
    }

    pub(super) fn load(&self) -> Load {
        self.database.load
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
        self.database.revoke();
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
        let lost: u64 = own.flights.drain(..).map(|flight| flight.cost).sum();
        own.journal += lost;
        own.is_up = false;
        self.spend(lost);
    }

    /// A clean end: what is under way ends first.
    fn end(&mut self, place: usize) {
        let flights = std::mem::take(&mut self.gateways[place].flights);
        self.settle(place, &flights);
        self.gateways[place].is_up = false;
        if self.gateways[place].is_connected {
            self.take_in(place);
            self.database.end(place);
        }
    }

    fn come_back(&mut self, place: usize) {
        self.take_in(place);
        self.database.begin(place, self.now_ms);
        self.gateways[place] = Gateway::at(self.now_ms);
    }

    fn take_in(&mut self, place: usize) {
        let read = std::mem::take(&mut self.gateways[place].journal);
        self.database.take_in(place, read);
    }

    fn tick(&mut self, has_faults: bool) {
        self.now_ms += TICK_MS;
        for place in 0..self.gateways.len() {
            if !self.gateways[place].is_up {
                continue;
            }
            let flights = self.gateways[place].landed(self.now_ms);
            self.settle(place, &flights);
            let is_asked = place < self.plan.busy && self.random.is(self.plan.ticks_per_request);
            let (own, now_ms) = (&mut self.gateways[place], self.now_ms);
            own.host.advance(TICK_MS);
            if is_asked && own.ask(&self.keys, &mut self.random, now_ms) {
                self.requests += 1;
            }
            own.tend(place, &mut self.database, now_ms);
            let network = (has_faults, &mut self.random);
            own.poll(place, &self.keys, &mut self.database, network, now_ms);
        }
    }

    fn settle(&mut self, place: usize, flights: &[Flight]) {
        for flight in flights {
            self.gateways[place].settle(flight, self.now_ms);
            self.spend(flight.cost);
        }
    }

    fn spend(&mut self, nanos: u64) {
        self.spent_nanos += nanos;
        let (spent, budget, seed) = (self.spent_nanos, self.budget_nanos(), self.plan.seed);
        let gateways = self.plan.gateways as u64;
        let more = if self.plan.is_strict { 0 } else { gateways * COST_MAX };
        assert!(spent <= budget + more, "seed {seed}: {spent} of {budget} are spent");
    }
}
