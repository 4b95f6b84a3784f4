//! Every world that can be reached, breadth first: the first that breaks a rule is shown with the shortest way to it.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use gaud::limits::{Budget, Limits};

use super::world::{Broken, MOST, Phase, TICK_MS, World, money};

/// One thing that can happen; a place is one in the world's list of requests.
#[derive(Debug, Clone, Copy)]
enum Step {
    Begin(u64),
    Ask(usize),
    Undo(usize),
    Charge(usize),
    Renew(usize),
    Settle(usize, u64),
    Lose(usize),
    Learn,
    Tick,
    SetBack(u64),
}

/// How large a world may become.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// How far the clock goes.
    ticks: u64,
    /// How many requests there are at once.
    requests: usize,
    /// Whether requests are charged, renewed and lost on their way.
    has_ways: bool,
}

fn steps(world: &World, first: &World, bounds: Bounds) -> Vec<Step> {
    let mut steps = Vec::new();
    if world.now_ms < first.now_ms + bounds.ticks * TICK_MS {
        steps.push(Step::Tick);
    }
    if world.may_set_back && world.now_ms > first.now_ms {
        steps.extend([Step::SetBack(1), Step::SetBack(2)]);
    }
    if world.left > 0 && world.requests.len() < bounds.requests {
        steps.extend([Step::Begin(1), Step::Begin(MOST)]);
    }
    steps.extend(world.elsewhere.map(|_| Step::Learn));
    for (place, request) in world.requests.iter().enumerate() {
        steps.extend(bounds.has_ways.then_some(Step::Lose(place)));
        match request.phase {
            Phase::Asks(_) => steps.push(Step::Ask(place)),
            Phase::Undoes(_) => steps.push(Step::Undo(place)),
            Phase::Settles(_, cost) => steps.push(Step::Settle(place, cost)),
            Phase::Live => {
                steps.extend(bounds.has_ways.then_some(Step::Renew(place)));
                if bounds.has_ways && world.may_be_charged(place) {
                    steps.push(Step::Charge(place));
                }
                steps.extend(world.costs(place).map(|cost| Step::Settle(place, cost)));
            }
        }
    }
    steps
}

impl World {
    fn step(&mut self, step: Step) -> Result<(), Broken> {
        match step {
            Step::Begin(demand) => self.begin(demand)?,
            Step::Ask(place) => self.ask(place)?,
            Step::Undo(place) => self.undo(place),
            Step::Charge(place) => self.charge(place),
            Step::Renew(place) => self.renew(place),
            Step::Settle(place, cost) => self.settle(place, cost),
            Step::Lose(place) => self.lose(place),
            Step::Learn => self.learn(),
            Step::Tick => self.tick(),
            Step::SetBack(ticks) => self.set_back(ticks),
        }
        Ok(())
    }
}

fn key(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

/// The steps that led to a world, and one more.
fn way(ways: &[(usize, Step)], mut world: usize, last: Step) -> Vec<Step> {
    let mut way = vec![last];
    while world > 0 {
        let (from, step) = ways[world];
        way.push(step);
        world = from;
    }
    way.reverse();
    way
}

#[track_caller]
fn search(first: &World, bounds: Bounds) -> BTreeSet<&'static str> {
    let (mut seen, mut rows) = (HashSet::from([key(first)]), BTreeSet::new());
    let mut ways = vec![(0, Step::Tick)];
    let mut queue = VecDeque::from([(0, first.clone())]);
    while let Some((from, world)) = queue.pop_front() {
        for step in steps(&world, first, bounds) {
            let mut next = world.clone();
            let holds = next.step(step).and_then(|()| next.holds());
            if let Err(broken) = holds {
                panic!("{broken}, after {:?}: {next:?}", way(&ways, from, step));
            }
            rows.extend(std::mem::take(&mut next.rows));
            if seen.insert(key(&next)) {
                queue.push_back((ways.len(), next));
                ways.push((from, step));
            }
        }
    }
    println!("{} worlds", seen.len());
    rows
}

/// Every line of the table of transitions.
const ROWS: [&str; 13] = [
    "admit",
    "admit the last",
    "charge",
    "learn",
    "lose",
    "refuse: budget",
    "refuse: parallel",
    "refuse: requests",
    "refuse: tokens",
    "renew",
    "settle",
    "turn",
    "undo",
];

/// What a world without buckets and without spending elsewhere never does.
const UNLIMITED: [&str; 3] = ["learn", "refuse: requests", "refuse: tokens"];

const BOUNDS: Bounds = Bounds { ticks: 3, requests: 3, has_ways: true };

#[track_caller]
fn assert_missing(rows: &BTreeSet<&'static str>, expected: &[&[&'static str]]) {
    let missing: BTreeSet<_> = ROWS.into_iter().filter(|row| !rows.contains(*row)).collect();
    assert_eq!(missing, expected.concat().into_iter().collect());
}

fn strict(limits: Limits) -> Limits {
    let budget = limits.budget.map(|budget| Budget { is_strict: true, ..budget });
    Limits { budget, ..limits }
}

#[test]
fn the_budget_of_a_key_keeps_every_rule() {
    let rows = search(&World::new(&[money(4, 2)], 3), BOUNDS);
    assert_missing(&rows, &[&UNLIMITED, &["undo"]]);
}

#[test]
fn budgets_of_a_key_and_a_user_keep_every_rule() {
    let bounds = Bounds { ticks: 1, has_ways: false, ..BOUNDS };
    let rows = search(&World::new(&[money(4, 2), money(5, 3)], 3), bounds);
    assert_missing(&rows, &[&UNLIMITED, &["charge", "lose", "renew"]]);
}

#[test]
fn requests_of_a_user_are_lost_and_renewed_on_both_counters() {
    let world = World::new(&[money(2, 2), money(2, 3)], 2);
    search(&world, Bounds { ticks: 2, requests: 2, ..BOUNDS });
}

#[test]
fn strict_budgets_are_never_exceeded() {
    let rows = search(&World::new(&[strict(money(4, 2))], 3), BOUNDS);
    assert_missing(&rows, &[&UNLIMITED, &["admit the last", "undo"]]);
}

#[test]
fn a_clock_that_is_set_back_gives_no_two_minds() {
    let bounds = Bounds { ticks: 2, requests: 2, has_ways: false };
    let rows = search(&World::new(&[money(4, 3)], 3).with_setback(), bounds);
    assert_missing(&rows, &[&UNLIMITED, &["charge", "lose", "refuse: parallel", "renew", "undo"]]);
    // Fewer requests, which are charged, renewed and lost too.
    let bounds = Bounds { has_ways: true, ..bounds };
    let rows = search(&World::new(&[money(4, 3)], 2).with_setback(), bounds);
    assert!(["charge", "lose", "renew", "turn"].iter().all(|row| rows.contains(row)));
}

#[test]
fn buckets_of_a_key_a_model_and_a_user_keep_every_rule() {
    let key = Limits { rpm: Some(2), ..money(4, 2) };
    let model = Limits { tpm: Some(4), ..Limits::NONE };
    let user =
        Limits { rpm: Some(3), tpm: Some(5), max_parallel_requests: Some(1), ..Limits::NONE };
    let world = World::new(&[key, model, user], 3);
    let rows = search(&world, Bounds { ticks: 1, requests: 2, has_ways: false });
    assert_missing(&rows, &[&["charge", "learn", "lose", "renew"]]);
}

#[test]
fn attempts_and_losses_take_their_tokens_once() {
    let limits = Limits { rpm: Some(2), tpm: Some(4), ..Limits::NONE };
    let rows = search(&World::new(&[limits], 3), Bounds { ticks: 2, ..BOUNDS });
    assert!(["charge", "lose", "renew", "refuse: tokens"].iter().all(|row| rows.contains(row)));
}

#[test]
fn money_that_was_spent_elsewhere_counts() {
    let world = World::new(&[money(4, 2), money(3, 3)], 2).with_spending_elsewhere(2);
    let rows = search(&world, Bounds { ticks: 1, has_ways: false, ..BOUNDS });
    assert!(["learn", "admit the last", "turn", "undo"].iter().all(|row| rows.contains(row)));
}
