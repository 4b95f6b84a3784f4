//! What many gateways ask of the database, counted in simulated time: `make simulate` prints the table of
//! [many gateways](../../../docs/gateways.md).

use std::time::Instant;

use gaud::config::Secret;
use gaud::gateway::Keys;
use gaud::host::memory::Memory;
use gaud::keys::{self, KeyHash, Page, Standing, feed};

use super::world::{Load, Plan, START_MS, World, policy};

/// 50 requests a second.
const TICKS_PER_REQUEST: u64 = 2;
const NEVER: u64 = u64::MAX;

const SECONDS: u64 = 20;

#[test]
#[ignore = "two minutes, with `make simulate`"]
fn a_thousand_gateways_ask_little_of_the_database() {
    println!(
        "| gateways | requests | looks for changes | pages | KB of pages | leases | looks for low leases | signs of life |"
    );
    for (gateways, ticks_per_request) in [
        (10, NEVER),
        (10, TICKS_PER_REQUEST),
        (100, TICKS_PER_REQUEST),
        (1000, NEVER),
        (1000, TICKS_PER_REQUEST),
    ] {
        let budget_requests = 40 * SECONDS * gateways as u64;
        let plan = Plan { budget_requests, ticks_per_request, ..Plan::small(1, gateways) };
        let mut world = World::new(plan);
        // The first questions of all gateways.
        world.run(2_000);
        let (begun, before) = (world.load(), world.requests);
        world.run(SECONDS * 1000);
        row(gateways, world.requests - before, begun, world.load());
    }
}

fn row(gateways: usize, requests: u64, begun: Load, load: Load) {
    println!(
        "| {gateways} | {} | {} | {} | {} | {} | {} | {} |",
        requests / SECONDS,
        (load.looks - begun.looks) / SECONDS,
        (load.pages - begun.pages) / SECONDS,
        (load.page_bytes - begun.page_bytes) / SECONDS / 1024,
        (load.extended - begun.extended) / SECONDS,
        (load.tended - begun.tended) / SECONDS,
        (load.renewed - begun.renewed) / SECONDS,
    );
}

#[test]
#[ignore = "two minutes, with `make simulate`"]
fn a_thousand_gateways_keep_a_budget_and_hear_of_a_revoked_key() {
    let plan = Plan { budget_requests: 100_000, ..Plan::small(1, 1000) };
    let mut world = World::new(plan);
    world.run(5_000);
    world.revoke();
    world.run(1_000);
    assert_eq!(world.opens_somewhere(), 0, "without faults");
    world.run_with_faults(20_000);
    world.heal();
    world.run(27_000);
    assert_eq!(world.opens_somewhere(), 0, "after faults");
    let (spent, budget) = (world.spent_nanos, world.budget_nanos());
    assert!(spent >= budget, "{spent} of {budget} are spent: the rest is lost");
    println!("{} requests, {spent} of {budget} spent", world.requests);
}

#[test]
#[ignore = "two minutes, with `make simulate`"]
fn a_hundred_thousand_keys_fill_a_filter() {
    const KEYS: u32 = 100_000;
    const PAGE: u32 = 1_000;
    let host = Memory::at(START_MS);
    let keys = Keys { authorization: Secret::new("Bearer t"), ..Keys::default() };
    let name = |key: u32| format!("sk-prx-{key:012}-{:032}", 0);
    let (mut bytes, begun) = (0, Instant::now());
    for first in (0..KEYS).step_by(PAGE as usize) {
        let own = first..first + PAGE;
        let policies = own.map(|key| {
            let id = char::from(b'a' + (key % 26) as u8).to_string();
            (KeyHash::of(&name(key)), policy(&id, u64::from(key) + 1, Standing::Valid))
        });
        let page = Page {
            is_reset: first == 0,
            has_more: first + PAGE < KEYS,
            database: 1,
            number: u64::from(first + PAGE),
            policies: policies.collect(),
            prices: None,
        };
        let page = page.to_bytes();
        bytes += page.len();
        feed::due(&keys, &host, 1, false).expect("after a page there is the next question");
        feed::answered(&host, Some(200), || page);
    }
    println!("{KEYS} keys: {bytes} bytes in pages, taken in {:?}", begun.elapsed());
    for key in [0, KEYS / 2, KEYS - 1] {
        assert!(keys::check(&host, &keys, &name(key)).is_ok(), "{key}");
    }
}
