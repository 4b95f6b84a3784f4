//! All gateways together spend a budget, and at most one request each beyond the budget.

use super::{COST, Gateways};
use crate::kit::harness::wait;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::thread;

pub(super) fn budget(requests: u64) -> Value {
    json!({"budget": {"usd": (requests * COST) as f64 / 1e9, "window": "total"}})
}

impl Gateways {
    /// Asks these gateways at once until the provider has been asked so often, and then until each has refused.
    fn use_up(&self, gateways: &[usize], key: &str, requests: u64) {
        wait::until_true("the budget is used up", || {
            let refused = thread::scope(|scope| {
                let asked = |gateway: &usize| {
                    let gateway = *gateway;
                    scope.spawn(move || self.ask(gateway, key).status == 429)
                };
                let all: Vec<_> = gateways.iter().chain(gateways).map(asked).collect();
                all.into_iter().map(|one| one.join().expect("a client")).filter(|is| *is).count()
            });
            refused == 2 * gateways.len() && self.spent() >= requests * COST
        });
    }
}

#[test]
fn four_gateways_spend_a_budget_and_at_most_a_request_each_more() {
    let gateways = Gateways::start(4);
    let (key, _) = gateways.key(&budget(100));
    gateways.use_up(&[0, 1, 2, 3], &key, 100);
    let spent = gateways.spent() / COST;
    println!("{spent} requests of 100");
    assert!((100..=104).contains(&spent), "{spent} requests of 100");
}

#[test]
fn a_gateway_that_ends_gives_the_rest_of_its_part_to_the_others() {
    let mut gateways = Gateways::start(2);
    let (key, _) = gateways.key(&budget(40));
    assert_eq!(gateways.ask(0, &key).status, 200);
    gateways.runs[0].signal(Signal::TERM);
    assert!(gateways.runs[0].ended());
    gateways.use_up(&[1], &key, 40);
    let spent = gateways.spent() / COST;
    assert!((40..=42).contains(&spent), "{spent} requests of 40");
}

#[test]
fn a_gateway_that_is_killed_keeps_its_part_until_it_comes_back() {
    let mut gateways = Gateways::start(2);
    let (key, _) = gateways.key(&budget(40));
    for _ in 0..3 {
        assert_eq!(gateways.ask(0, &key).status, 200);
    }
    gateways.runs[0].keep();
    let folder = gateways.runs[0].folder().to_owned();
    gateways.runs[0].signal(Signal::KILL);
    gateways.runs[0].ended();
    // The killed gateway has between a sixth and a quarter of the budget, and three requests of that are spent.
    gateways.use_up(&[1], &key, 33);
    let spent = gateways.spent() / COST;
    assert!(
        (33..=37).contains(&spent),
        "{spent} requests of 40, and the rest is the killed gateway's"
    );
    std::fs::remove_file(folder.join("keep")).expect("the mark");
    gateways.begin(folder);
    gateways.use_up(&[1, 2], &key, 40);
    let spent = gateways.spent() / COST;
    assert!((40..=42).contains(&spent), "{spent} requests of 40");
}
