//! The rules between a provider's breaker and those of its models.
#![allow(clippy::arithmetic_side_effects)]

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const A: Slot = Slot(1);
const B: Slot = Slot(2);
const C: Slot = Slot(3);
const FAILED: Evidence = Evidence::ModelFailed(Reason::Status(500));
const UNREACHABLE: Evidence = Evidence::Unreachable(Reason::Timeout);

/// A provider's breakers, and a clock.
struct World {
    levels: Levels,
    now_ms: u64,
}

impl World {
    fn new() -> Self {
        Self { levels: Levels::default(), now_ms: NOW }
    }

    fn admit(&mut self, slot: Option<Slot>) -> Result<Tickets, Refusal> {
        let (tickets, new) = self.levels.admit(slot, Ask::WHOLE, self.now_ms, &SETTINGS)?;
        self.store(new);
        Ok(tickets)
    }

    fn sent(&mut self, slot: Slot) -> Tickets {
        self.admit(Some(slot)).unwrap()
    }

    fn hear(&mut self, tickets: &Tickets, evidence: Evidence) {
        let new = self.levels.record(tickets, evidence.at_head(tickets), self.now_ms, &SETTINGS);
        self.store(new);
    }

    /// Requests that all say the same.
    fn serve(&mut self, slot: Slot, evidence: Evidence, times: usize) {
        for _ in 0..times {
            let tickets = self.sent(slot);
            self.hear(&tickets, evidence);
        }
    }

    fn store(&mut self, new: Option<Levels>) {
        let Some(new) = new else { return };
        assert_eq!(Levels::from_bytes(&new.to_bytes()), Some(new.clone()));
        self.levels = new;
    }

    fn state(&self) -> BreakerState {
        self.levels.provider().into()
    }

    fn state_of(&self, slot: Slot) -> BreakerState {
        BreakerState::from(&self.levels.model(slot))
    }

    /// All models are open, and the open time has passed.
    fn all_open(slots: &[Slot]) -> Self {
        let mut world = Self::new();
        slots.iter().for_each(|slot| world.serve(*slot, FAILED, 3));
        world.now_ms += SETTINGS.open_ms;
        world
    }
}

fn refusal(level: Level, retry_after_ms: u64) -> Refusal {
    Refusal { level, retry_after_ms }
}

#[test]
fn a_failing_model_leaves_the_other_models_alone() {
    let mut world = World::new();
    world.serve(A, FAILED, 3);
    assert_eq!(world.admit(Some(A)), Err(refusal(Level::Model(A), 30_000)));
    assert_eq!((world.state(), world.state_of(B)), (BreakerState::Closed, BreakerState::Closed));
    world.serve(B, Evidence::Answered, 3);
    assert!(world.admit(None).is_ok());
}

#[test]
fn an_unreachable_provider_is_open_for_all_models() {
    let mut world = World::new();
    for slot in [A, B, C] {
        world.serve(slot, UNREACHABLE, 1);
    }
    for slot in [Some(A), Some(B), None] {
        assert_eq!(world.admit(slot), Err(refusal(Level::Provider, 30_000)));
    }
    assert_eq!(world.levels.models().count(), 0);
}

#[test]
fn three_open_models_open_the_provider() {
    let mut world = World::new();
    world.serve(A, FAILED, 3);
    world.now_ms += 10_000;
    world.serve(B, FAILED, 3);
    world.serve(C, FAILED, 2);
    assert_eq!(world.state(), BreakerState::Closed);
    world.serve(C, FAILED, 1);
    assert_eq!(world.state(), BreakerState::Open);
    let changes = [(Level::Model(C), BreakerState::Open), (Level::Provider, BreakerState::Open)];
    let mut before = World::new();
    before.serve(A, FAILED, 3);
    before.serve(B, FAILED, 3);
    assert_eq!(world.levels.changes_since(&before.levels), changes);
    assert_eq!(world.admit(Some(A)), Err(refusal(Level::Provider, 30_000)), "the longer wait");
}

#[test]
fn models_that_were_open_at_other_times_do_not_open_the_provider() {
    let mut world = World::new();
    for slot in [A, B, C] {
        world.serve(slot, FAILED, 3);
        world.now_ms += SETTINGS.open_ms;
    }
    assert_eq!(world.state(), BreakerState::Closed);
    assert_eq!(world.levels.open_models(world.now_ms, &SETTINGS), 0);
}

#[test]
fn models_that_stay_broken_do_not_open_the_provider_again() {
    let mut world = World::all_open(&[A, B, C]);
    assert_eq!(world.state(), BreakerState::Open);
    for slot in [A, B, C] {
        world.serve(slot, FAILED, 1);
    }
    assert_eq!(world.state(), BreakerState::HalfOpen, "they were probes of themselves");
    assert_eq!(world.levels.open_models(world.now_ms, &SETTINGS), 3);
    world.serve(Slot(9), Evidence::Answered, 2);
    assert_eq!(world.state(), BreakerState::Closed, "a healthy model closes it");
    world.now_ms += SETTINGS.open_ms;
    for slot in [A, B, C] {
        world.serve(slot, FAILED, 1);
    }
    assert_eq!(world.state(), BreakerState::Closed);
}

#[test]
fn another_model_that_fails_opens_the_provider_again() {
    let mut world = World::all_open(&[A, B, C]);
    let tickets = world.sent(Slot(9));
    assert!(tickets.probes_provider() && !tickets.probes_model());
    world.hear(&tickets, FAILED);
    assert_eq!(world.state(), BreakerState::Open);
}

#[test]
fn a_request_can_probe_both() {
    let mut world = World::all_open(&[A, B, C]);
    world.serve(A, Evidence::Answered, 2);
    assert_eq!((world.state(), world.state_of(A)), (BreakerState::Closed, BreakerState::Closed));
    assert_eq!(world.state_of(B), BreakerState::Open);
}

#[test]
fn a_request_that_one_breaker_refuses_takes_no_place_at_the_other() {
    let mut world = World::all_open(&[A, B, C]);
    world.serve(A, FAILED, 1);
    let before = world.levels.clone();
    assert_eq!(world.admit(Some(A)), Err(refusal(Level::Model(A), 30_000)));
    assert_eq!(world.levels, before);
}

#[test]
fn an_answer_forgets_the_providers_failures_at_once_and_the_models_at_its_end() {
    let mut world = World::new();
    world.serve(A, UNREACHABLE, 2);
    world.serve(A, FAILED, 2);
    let tickets = world.sent(A);
    world.hear(&tickets, Evidence::Answered);
    assert_eq!(world.levels.provider().state(), State::Closed { failures: 0 });
    assert_eq!(world.levels.model(A).state(), State::Closed { failures: 2 });
    let ended = Evidence::Answered.at_end();
    world.levels = world.levels.record(&tickets, ended, NOW, &SETTINGS).unwrap();
    assert_eq!(world.levels, Levels::default(), "as short as ever");
}

#[test]
fn a_switch_of_protocols_proves_the_provider_alone() {
    let mut world = World::new();
    world.serve(A, UNREACHABLE, 2);
    world.serve(A, FAILED, 2);
    world.serve(A, Evidence::Switched, 1);
    assert_eq!(world.levels.provider().state(), State::Closed { failures: 0 });
    assert_eq!(world.levels.model(A).state(), State::Closed { failures: 2 });
    let mut world = World::all_open(&[A, B, C]);
    world.serve(A, Evidence::Switched, 1);
    assert_eq!(
        (world.state(), world.state_of(A)),
        (BreakerState::HalfOpen, BreakerState::HalfOpen)
    );
}

#[test]
fn closed_breakers_are_read_in_place() {
    let mut world = World::new();
    world.serve(A, FAILED, 1);
    world.serve(B, FAILED, 3);
    let bytes = world.levels.to_bytes();
    for slot in [None, Some(A), Some(C)] {
        let (tickets, _) = world.levels.admit(slot, Ask::WHOLE, NOW, &SETTINGS).unwrap();
        assert_eq!(Levels::admit_closed(Some(&bytes), slot), Some((tickets, false)));
    }
    assert_eq!(Levels::admit_closed(Some(&bytes), Some(B)), None);
    assert!(Levels::admit_closed(None, Some(A)).is_some());
}

#[test]
fn clients_names_share_a_bounded_table() {
    let mut levels = Levels::default();
    for number in 0..10_000 {
        let slot = Slot::of(&format!("model-{number}"));
        let (tickets, _) = levels.admit(Some(slot), Ask::WHOLE, NOW, &SETTINGS).unwrap();
        let settings = Settings { failures: u32::MAX, ..SETTINGS };
        levels = levels.record(&tickets, FAILED.at_head(&tickets), NOW, &settings).unwrap();
    }
    assert_eq!(levels.models().count(), MODEL_SLOTS);
    assert_eq!(levels.to_bytes().len(), 32 + 24 * MODEL_SLOTS);
    assert_eq!(Levels::from_bytes(&levels.to_bytes()), Some(levels));
}

#[test]
fn a_record_is_its_bytes() {
    let all = [
        Breaker::default(),
        closed(u32::MAX),
        open(u64::MAX),
        half_open(1, u32::MAX, Place::Free),
        half_open(1, 2, reserved(3)),
        half_open(1, 2, taken(u64::MAX)),
        half_open(1, 2, unfinished(3)),
        Breaker { epoch: u32::MAX, ..closed(2) },
    ];
    for provider in all {
        let models = (0..).map(Slot).zip(all).collect();
        let levels =
            Levels { provider, models, refuses_credential: true, refusal_logged_secs: u32::MAX };
        assert_eq!(Levels::from_bytes(&levels.to_bytes()), Some(levels));
    }
}

#[test]
fn what_is_no_record_is_not_read() {
    let models = vec![(A, closed(1)), (B, closed(1))];
    let good = Levels { models, ..Levels::default() }.to_bytes();
    for end in 0..good.len() {
        let is_whole = (end >= 32) && (end - 32).is_multiple_of(24);
        assert_eq!(Levels::from_bytes(&good[..end]).is_some(), is_whole, "{end}");
    }
    // The version, the flag, bytes that are zero, a state, a client, a probe and a time of a closed breaker, a slot out of order.
    for (place, value) in [
        (0, 1),
        (0, 2),
        (1, 2),
        (2, 1),
        (8, 6),
        (9, 1),
        (10, 1),
        (11, 1),
        (20, 1),
        (24, 1),
        (32, 9),
        (57, 1),
    ] {
        let mut bad = good.clone();
        bad[place] = value;
        assert_eq!(Levels::from_bytes(&bad), None, "{place}");
    }
}
