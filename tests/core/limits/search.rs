//! Every world that can be reached, breadth first: the first that breaks a rule is shown with the shortest way to it.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::world::{Broken, MOST, Phase, TICK_MS, World};

/// One thing that can happen; a place is one in the world's list of requests.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask(u64),
    AskUser(usize),
    Undo(usize),
    Charge(usize),
    Renew(usize),
    Settle(usize, u64),
    SettleUser(usize, u64),
    Lose(usize),
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
        steps.extend([Step::Ask(1), Step::Ask(MOST)]);
    }
    for (place, request) in world.requests.iter().enumerate() {
        steps.extend(bounds.has_ways.then_some(Step::Lose(place)));
        match request.phase {
            Phase::AsksUser => steps.push(Step::AskUser(place)),
            Phase::Undoes => steps.push(Step::Undo(place)),
            Phase::SettlesUser(cost) => steps.push(Step::SettleUser(place, cost)),
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
            Step::Ask(demand) => self.ask(demand)?,
            Step::AskUser(place) => self.ask_user(place)?,
            Step::Undo(place) => self.undo(place),
            Step::Charge(place) => self.charge(place),
            Step::Renew(place) => self.renew(place),
            Step::Settle(place, cost) => self.settle(place, cost),
            Step::SettleUser(place, cost) => self.settle_user(place, cost),
            Step::Lose(place) => self.lose(place),
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
const ROWS: [&str; 10] = [
    "admit",
    "admit the last",
    "charge",
    "lose",
    "refuse: budget",
    "refuse: parallel",
    "renew",
    "settle",
    "turn",
    "undo",
];

const BOUNDS: Bounds = Bounds { ticks: 3, requests: 3, has_ways: true };

#[track_caller]
fn assert_missing(rows: &BTreeSet<&'static str>, expected: &[&str]) {
    let missing: Vec<_> = ROWS.iter().filter(|row| !rows.contains(*row)).copied().collect();
    assert_eq!(missing, expected);
}

#[test]
fn the_budget_of_a_key_keeps_every_rule() {
    let rows = search(&World::new(4, None, false, 3), BOUNDS);
    assert_missing(&rows, &["undo"]);
}

#[test]
fn budgets_of_a_key_and_a_user_keep_every_rule() {
    let bounds = Bounds { ticks: 1, has_ways: false, ..BOUNDS };
    let rows = search(&World::new(4, Some(5), false, 3), bounds);
    assert_missing(&rows, &["charge", "lose", "renew"]);
}

#[test]
fn requests_of_a_user_are_lost_and_renewed_on_both_counters() {
    search(&World::new(2, Some(2), false, 2), Bounds { ticks: 2, requests: 2, ..BOUNDS });
}

#[test]
fn strict_budgets_are_never_exceeded() {
    let rows = search(&World::new(4, None, true, 3), BOUNDS);
    assert_missing(&rows, &["admit the last", "undo"]);
}

#[test]
fn a_clock_that_is_set_back_gives_no_two_minds() {
    search(&World::new(4, None, false, 2).with_setback(), Bounds { requests: 2, ..BOUNDS });
}
