//! Several gateways, one budget and one feed under a virtual clock: messages are late or lost, processes crash, end and come
//! back, and the database is out of reach. The filter's side, the rule of the leases and the pages are the gateway's own code.
//!
//! `GATEWAYS_SEED=7 cargo test --test core gateways::` runs one seed again.

mod scale;
mod world;

use world::{Plan, World};

const SEEDS: u64 = 40;
const GATEWAYS: usize = 4;

/// How long faults come, and how long the gateways then have to come to rest.
const FAULTS_MS: u64 = 120_000;
const REST_MS: u64 = 60_000;

fn each_seed(run: impl Fn(u64)) {
    match std::env::var("GATEWAYS_SEED") {
        Ok(seed) => run(seed.parse().expect("a number")),
        Err(_) => (1..=SEEDS).for_each(run),
    }
}

#[test]
fn whatever_fails_a_budget_is_exceeded_by_a_request_for_each_gateway_at_most() {
    each_seed(|seed| {
        let mut world = World::new(Plan::small(seed, GATEWAYS));
        world.run_with_faults(FAULTS_MS);
        world.heal();
        world.run(REST_MS);
        let (spent, budget) = (world.spent_nanos, world.budget_nanos());
        assert!(spent >= budget, "seed {seed}: {spent} of {budget} are spent: the rest is lost");
        assert!(world.requests > 300, "seed {seed}: only {} requests", world.requests);
    });
}

#[test]
fn whatever_fails_a_strict_budget_is_never_exceeded() {
    each_seed(|seed| {
        let mut world = World::new(Plan { is_strict: true, ..Plan::small(seed, GATEWAYS) });
        world.run_with_faults(FAULTS_MS);
        world.heal();
        world.run(REST_MS);
        let (spent, budget) = (world.spent_nanos, world.budget_nanos());
        assert!(spent * 10 >= budget * 8, "seed {seed}: only {spent} of {budget} are spent");
    });
}

#[test]
fn a_revoked_key_opens_nothing_within_a_second_where_nothing_fails_and_soon_after_faults() {
    each_seed(|seed| {
        let mut world = World::new(Plan::small(seed, GATEWAYS));
        world.run(5_000);
        world.revoke();
        world.run(1_000);
        assert_eq!(world.opens_somewhere(), 0, "seed {seed}: without faults");
        let mut world = World::new(Plan::small(seed, GATEWAYS));
        world.run_with_faults(FAULTS_MS / 4);
        world.revoke();
        world.run_with_faults(FAULTS_MS / 4);
        world.heal();
        // The longest question, and the tick that asks again.
        world.run(27_000);
        assert_eq!(world.opens_somewhere(), 0, "seed {seed}: after faults");
    });
}

#[test]
fn the_same_seed_has_the_same_course() {
    let course = |seed| {
        let mut world = World::new(Plan::small(seed, GATEWAYS));
        world.run_with_faults(FAULTS_MS / 4);
        (world.spent_nanos, world.requests, world.load())
    };
    assert_eq!(course(7), course(7));
    assert_ne!(course(7), course(8));
}

#[test]
fn what_idle_gateways_hold_comes_to_the_one_that_is_asked() {
    for gateways in [2, 4, 8] {
        let mut world = World::new(Plan { busy: 1, ..Plan::small(1, gateways) });
        world.run(REST_MS);
        let early = world.spent_nanos;
        world.run(2 * REST_MS);
        let (late, budget) = (world.spent_nanos, world.budget_nanos());
        println!("{gateways} gateways: {early}, then {late} of {budget}");
        assert!(late * 100 >= budget * 90, "{gateways} gateways: {late} of {budget}");
    }
}

/// How much the database has to do for the leases of a budget.
#[test]
fn leases_are_few() {
    let mut most = 0;
    for gateways in [1, 4, 16] {
        let mut world = World::new(Plan::small(1, gateways));
        world.run(FAULTS_MS);
        let (extended, requests) = (world.load().extended, world.requests);
        most = most.max(extended * 1000 / requests);
        println!("{gateways} gateways: {extended} leases for {requests} requests");
        assert!(world.spent_nanos >= world.budget_nanos());
    }
    assert!(most < 100, "{most} leases for a thousand requests");
}
