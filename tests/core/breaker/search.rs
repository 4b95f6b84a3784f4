//! Every world that can be reached, breadth first: the first that breaks a rule is shown with the
//! shortest way to it.

use std::collections::{BTreeSet, HashSet, VecDeque};

use gaud::breaker::{Arrival, Ask, Outcome, Settings};

use super::history::Broken;
use super::key::{SETBACKS_MS, TICK_MS};
use super::world::{CLIENTS, Op, World};

/// Small, and no two alike that might be taken for each other.
const SETTINGS: Settings = Settings {
    failures: 2,
    open_ms: 2 * TICK_MS,
    successes: 2,
    probe_ms: 3 * TICK_MS,
    body_ms: TICK_MS,
    others_ms: TICK_MS,
    models: 2,
};

/// One thing that can happen; a place is one in the world's lists.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask(Ask),
    CheckFailed,
    Finish(usize),
    Hear(usize, Outcome),
    Lose(usize),
    Swap(usize),
    Conflict(usize),
    GiveUp(usize),
    Tick,
    SetBack(u64),
}

/// How large a world may become.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    workers: usize,
    /// In flight at once: a run may have any number.
    requests: usize,
    conflicts: u8,
    may_set_back: bool,
    arrivals: &'static [Arrival],
}

/// Requests of these kinds can be a probe.
const PROBES: &[Arrival] = &[Arrival::Whole, Arrival::Unfinished];

/// What a search has seen.
#[derive(Debug, Default)]
struct Seen {
    keys: HashSet<u128>,
    /// Each world's first step, and where that came from.
    ways: Vec<(usize, Step)>,
    rows: BTreeSet<&'static str>,
    steps: usize,
}

impl Bounds {
    /// Everything that can happen in a world.
    fn steps(self, world: &World) -> Vec<Step> {
        let mut steps = vec![Step::Tick];
        let asks = world.pending.iter().filter(|one| !matches!(one.op, Op::CheckFailed)).count();
        if world.pending.len() < self.workers {
            steps.push(Step::CheckFailed);
            if world.requests.len() + asks < self.requests {
                let asks = self.arrivals.iter().flat_map(|arrival| {
                    CLIENTS.iter().map(|asker| Ask { arrival: *arrival, asker: *asker })
                });
                steps.extend(asks.map(Step::Ask));
            }
            for (place, request) in world.requests.iter().enumerate() {
                if request.arrival == Arrival::Unfinished {
                    steps.push(Step::Finish(place));
                }
                let outcomes = [Outcome::Success, Outcome::Failure, Outcome::Neutral];
                steps.extend(outcomes.map(|outcome| Step::Hear(place, outcome)));
            }
        }
        steps.extend((0..world.requests.len()).map(Step::Lose));
        steps.extend((0..world.pending.len()).map(Step::Swap));
        if world.conflicts > 0 {
            let fresh = (0..world.pending.len()).filter(|place| world.pending[*place].fresh);
            steps.extend(fresh.flat_map(|place| [Step::Conflict(place), Step::GiveUp(place)]));
        }
        if world.may_set_back {
            steps.extend(SETBACKS_MS.map(Step::SetBack));
        }
        steps
    }
}

impl World {
    fn take(&mut self, step: Step) -> Result<(), Broken> {
        self.row = None;
        match step {
            Step::Ask(ask) => self.load(Op::Ask(ask))?,
            Step::Finish(place) => self.finish(place)?,
            Step::CheckFailed => self.load(Op::CheckFailed)?,
            Step::Hear(place, outcome) => self.hear(place, outcome)?,
            Step::Lose(place) => drop(self.requests.swap_remove(place)),
            Step::Swap(place) => self.swap(place)?,
            Step::Conflict(place) => self.conflict(place)?,
            Step::GiveUp(place) => self.give_up(place),
            Step::Tick => self.now_ms += TICK_MS,
            Step::SetBack(by_ms) => {
                self.now_ms -= by_ms;
                (self.may_set_back, self.was_set_back) = (false, true);
            }
        }
        Ok(())
    }
}

impl Seen {
    /// The steps that led to a world, and one more.
    fn way(&self, mut world: usize, last: Step) -> Vec<Step> {
        let mut way = vec![last];
        while world > 0 {
            let (from, step) = self.ways[world];
            way.push(step);
            world = from;
        }
        way.reverse();
        way
    }
}

#[track_caller]
fn search(settings: Settings, bounds: Bounds) -> Seen {
    let mut seen = Seen { ways: vec![(0, Step::Tick)], ..Seen::default() };
    let first = World::new(settings, bounds.conflicts, bounds.may_set_back);
    seen.keys.insert(first.key());
    let mut queue = VecDeque::from([(0, first)]);
    while let Some((from, world)) = queue.pop_front() {
        for step in bounds.steps(&world) {
            let mut next = world.clone();
            seen.steps += 1;
            if let Err(broken) = next.take(step) {
                panic!("{broken}, after {:?}: {next:?}", seen.way(from, step));
            }
            seen.rows.extend(next.row);
            if !seen.keys.insert(next.key()) {
                continue;
            }
            if let Err(broken) = next.holds() {
                panic!("{broken}, after {:?}: {next:?}", seen.way(from, step));
            }
            queue.push_back((seen.ways.len(), next));
            seen.ways.push((from, step));
        }
    }
    println!("{settings:?}, {bounds:?}: {} worlds, {} steps", seen.keys.len(), seen.steps);
    seen
}

/// Every row of the transition table that changes a record.
const ROWS: [&str; 10] = [
    "closes",
    "counts a failure",
    "counts a success",
    "extends a place",
    "forgets",
    "grants the first probe",
    "grants the next probe",
    "opens",
    "opens again",
    "takes a place back",
];

const BOUNDS: Bounds =
    Bounds { workers: 2, requests: 2, conflicts: 1, may_set_back: false, arrivals: PROBES };

#[test]
fn two_workers_keep_every_rule() {
    let seen = search(SETTINGS, BOUNDS);
    assert!(seen.rows.iter().eq(&ROWS), "{:?}", seen.rows);
}

#[test]
fn a_clock_that_is_set_back_keeps_every_rule() {
    let seen = search(SETTINGS, Bounds { workers: 1, may_set_back: true, ..BOUNDS });
    assert!(seen.rows.iter().eq(&ROWS), "{:?}", seen.rows);
}

#[test]
fn three_workers_keep_every_rule() {
    let arrivals = &[Arrival::Whole];
    let seen = search(SETTINGS, Bounds { workers: 3, conflicts: 0, arrivals, ..BOUNDS });
    let missing: Vec<_> = ROWS.iter().filter(|row| !seen.rows.contains(*row)).collect();
    assert_eq!(missing, [&"extends a place"], "every body is whole");
}

#[test]
fn tunnels_keep_every_rule() {
    let arrivals = &[Arrival::Whole, Arrival::Unfinished, Arrival::Tunnel];
    let seen = search(SETTINGS, Bounds { workers: 1, conflicts: 0, arrivals, ..BOUNDS });
    assert!(seen.rows.iter().eq(&ROWS), "{:?}", seen.rows);
}

#[test]
fn other_settings_keep_every_rule() {
    for (failures, successes) in [(1, 1), (2, 1), (1, 2)] {
        for (open_ticks, probe_ms) in [(1, TICK_MS), (2, TICK_MS)] {
            let (open_ms, body_ms) = (open_ticks * TICK_MS, TICK_MS);
            // The whole of a reserved place is for others.
            let others_ms = open_ms;
            let settings =
                Settings { failures, open_ms, successes, probe_ms, body_ms, others_ms, models: 1 };
            search(settings, Bounds { conflicts: 0, ..BOUNDS });
        }
    }
}
