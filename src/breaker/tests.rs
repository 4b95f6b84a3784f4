//! The transition table, row by row, and the record.

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SETTINGS: Settings = Settings { failures: 3, open_ms: 30_000, successes: 2, probe_ms: 5000 };
const NOW: u64 = 1_000_000;

fn closed(failures: u32) -> Breaker {
    Breaker { epoch: 7, state: State::Closed { failures } }
}

fn open(until_ms: u64) -> Breaker {
    Breaker { epoch: 7, state: State::Open { until_ms } }
}

fn half_open(successes: u32, probe: u32, deadline_ms: u64) -> Breaker {
    Breaker { epoch: 7, state: State::HalfOpen { successes, probe, deadline_ms } }
}

fn ticket(probe: Option<u32>) -> Ticket {
    Ticket { epoch: 7, probe, saw_failures: true }
}

/// In the next epoch.
fn then(breaker: Breaker) -> Breaker {
    Breaker { epoch: 8, ..breaker }
}

#[track_caller]
fn records(breaker: Breaker, ticket: Ticket, outcome: Outcome, becomes: Option<Breaker>) {
    assert_eq!(breaker.record(ticket, outcome, NOW, &SETTINGS), becomes);
}

#[test]
fn closed_counts_failures_in_a_row() {
    let plain = ticket(None);
    records(closed(0), plain, Outcome::Failure, Some(closed(1)));
    records(closed(1), plain, Outcome::Failure, Some(closed(2)));
    records(closed(2), plain, Outcome::Failure, Some(then(open(NOW + 30_000))));
    records(closed(2), plain, Outcome::Success, Some(closed(0)));
    records(closed(0), plain, Outcome::Success, None);
    records(closed(2), Ticket { saw_failures: false, ..plain }, Outcome::Success, None);
    records(closed(2), plain, Outcome::Neutral, None);
}

#[test]
fn closed_admits_without_a_write() {
    for (failures, saw_failures) in [(0, false), (2, true)] {
        let expected = Verdict::Admitted(Ticket { saw_failures, ..ticket(None) });
        assert_eq!(closed(failures).admit(NOW, &SETTINGS), (expected, None));
    }
}

#[test]
fn open_refuses_until_its_time_and_then_lets_one_through() {
    let refused = |retry_after_ms| (Verdict::Refused { retry_after_ms }, None);
    assert_eq!(open(NOW + 30_000).admit(NOW, &SETTINGS), refused(30_000));
    assert_eq!(open(NOW + 1).admit(NOW, &SETTINGS), refused(1));
    let probe = Ticket { epoch: 8, probe: Some(0), saw_failures: false };
    let let_through = (Verdict::Admitted(probe), Some(then(half_open(0, 0, NOW + 5000))));
    assert_eq!(open(NOW).admit(NOW, &SETTINGS), let_through);
    assert_eq!(open(0).admit(NOW, &SETTINGS), let_through);
    // The clock was set back: nobody waits for longer than open_secs.
    assert_eq!(open(NOW + 30_001).admit(NOW, &SETTINGS), let_through);
}

#[test]
fn half_open_lets_one_through_at_a_time() {
    let refused = (Verdict::Refused { retry_after_ms: 1000 }, None);
    assert_eq!(half_open(1, 4, NOW + 1).admit(NOW, &SETTINGS), refused);
    let probe = Ticket { epoch: 7, probe: Some(5), saw_failures: false };
    let let_through = (Verdict::Admitted(probe), Some(half_open(1, 5, NOW + 5000)));
    assert_eq!(half_open(1, 4, 0).admit(NOW, &SETTINGS), let_through, "none is out");
    assert_eq!(half_open(1, 4, NOW).admit(NOW, &SETTINGS), let_through, "it is lost");
    assert_eq!(half_open(1, 4, NOW + 5001).admit(NOW, &SETTINGS), let_through, "clock set back");
}

#[test]
fn half_open_is_decided_by_its_probe() {
    let out = half_open(0, 4, NOW + 1);
    let probe = ticket(Some(4));
    records(out, probe, Outcome::Success, Some(half_open(1, 4, 0)));
    records(half_open(1, 4, NOW + 1), probe, Outcome::Success, Some(then(closed(0))));
    records(out, probe, Outcome::Failure, Some(then(open(NOW + 30_000))));
    records(out, probe, Outcome::Neutral, Some(half_open(0, 4, 0)));
    // It had succeeded, and its response breaks off.
    records(half_open(1, 4, 0), probe, Outcome::Failure, Some(then(open(NOW + 30_000))));
    records(half_open(1, 4, 0), probe, Outcome::Success, None);
}

#[test]
fn late_outcomes_say_nothing() {
    let late = Ticket { epoch: 6, ..ticket(None) };
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Neutral] {
        for breaker in [closed(2), open(NOW), half_open(0, 4, NOW + 1)] {
            records(breaker, late, outcome, None);
        }
        records(half_open(0, 4, NOW + 1), ticket(Some(3)), outcome, None);
        records(half_open(0, 4, NOW + 1), ticket(None), outcome, None);
        records(open(NOW), ticket(None), outcome, None);
    }
}

#[test]
fn a_failed_check_is_a_failure() {
    assert_eq!(closed(0).failed(NOW, &SETTINGS), Some(closed(1)));
    assert_eq!(closed(2).failed(NOW, &SETTINGS), Some(then(open(NOW + 30_000))));
    assert_eq!(open(NOW).failed(NOW, &SETTINGS), None);
    assert_eq!(half_open(1, 4, 0).failed(NOW, &SETTINGS), Some(then(open(NOW + 30_000))));
}

#[test]
fn a_record_is_its_bytes() {
    for breaker in [
        Breaker::default(),
        closed(u32::MAX),
        open(u64::MAX),
        half_open(1, u32::MAX, 3),
        Breaker { epoch: u32::MAX, ..closed(2) },
    ] {
        assert_eq!(Breaker::from_bytes(&breaker.to_bytes()), Some(breaker));
    }
    let good = closed(1).to_bytes();
    assert_eq!(Breaker::from_bytes(&good[1..]), None);
    assert_eq!(Breaker::from_bytes(&[]), None);
    for (place, value) in [(0, 2), (1, 3), (2, 1), (3, 1)] {
        let mut bad = good;
        bad[place] = value;
        assert_eq!(Breaker::from_bytes(&bad), None);
    }
}
