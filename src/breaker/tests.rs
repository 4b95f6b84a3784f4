//! The transition table, row by row, and the record. The rules between the two levels are in `levels`.

mod levels;

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SETTINGS: Settings = Settings {
    failures: 3,
    open_ms: 30_000,
    successes: 2,
    probe_ms: 125_000,
    body_ms: 5000,
    others_ms: 1000,
    models: 3,
};
const NOW: u64 = 1_000_000;

fn closed(failures: u32) -> Breaker {
    Breaker { epoch: 7, state: State::Closed { failures } }
}

fn open(until_ms: u64) -> Breaker {
    Breaker { epoch: 7, state: State::Open { until_ms } }
}

fn half_open(successes: u32, probe: u32, place: Place) -> Breaker {
    Breaker { epoch: 7, state: State::HalfOpen { successes, probe, place } }
}

/// Of the client that asks, whose requests have the probe's place, too.
const OWN: ClientNumber = ClientNumber(7);
const OTHER: ClientNumber = ClientNumber(8);

fn reserved(until_ms: u64) -> Place {
    Place::Reserved { until_ms, asker: OWN }
}

fn taken(until_ms: u64) -> Place {
    Place::Taken { until_ms, is_whole: true, asker: OWN }
}

fn unfinished(until_ms: u64) -> Place {
    Place::Taken { until_ms, is_whole: false, asker: OWN }
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

const ARRIVALS: [Arrival; 3] = [Arrival::Whole, Arrival::Unfinished, Arrival::Tunnel];

#[test]
fn closed_admits_without_a_write() {
    for (failures, saw_failures) in [(0, false), (2, true)] {
        let expected = Verdict::Admitted(Ticket { saw_failures, ..ticket(None) });
        for arrival in ARRIVALS {
            let ask = Ask { arrival, asker: OWN };
            assert_eq!(closed(failures).admit(ask, NOW, &SETTINGS), (expected, None));
        }
    }
}

fn refused(retry_after_ms: u64) -> (Verdict, Option<Breaker>) {
    (Verdict::Refused { retry_after_ms }, None)
}

#[track_caller]
fn admits(breaker: Breaker, arrival: Arrival, expected: (Verdict, Option<Breaker>)) {
    admits_from(OWN, breaker, arrival, expected);
}

#[track_caller]
fn admits_from(
    asker: ClientNumber,
    breaker: Breaker,
    arrival: Arrival,
    expected: (Verdict, Option<Breaker>),
) {
    let ask = Ask { arrival, asker };
    assert_eq!(breaker.admit(ask, NOW, &SETTINGS), expected, "{ask:?} {breaker:?}");
}

fn probe(epoch: u32, number: u32, becomes: Breaker) -> (Verdict, Option<Breaker>) {
    let ticket = Ticket { epoch, probe: Some(number), saw_failures: false };
    (Verdict::Admitted(ticket), Some(becomes))
}

fn passes() -> (Verdict, Option<Breaker>) {
    (Verdict::Admitted(Ticket { saw_failures: false, ..ticket(None) }), None)
}

#[test]
fn open_refuses_until_its_time_and_then_lets_one_through() {
    for arrival in ARRIVALS {
        admits(open(NOW + 30_000), arrival, refused(30_000));
        admits(open(NOW + 1), arrival, refused(1));
    }
    // The last: the clock was set back, and no request waits for longer than open_ms.
    for until_ms in [NOW, 0, NOW + 31_001] {
        let open = open(until_ms);
        let whole = then(half_open(0, 0, taken(NOW + 125_000)));
        admits(open, Arrival::Whole, probe(8, 0, whole));
        let part = then(half_open(0, 0, unfinished(NOW + 5000)));
        admits(open, Arrival::Unfinished, probe(8, 0, part));
        admits(open, Arrival::Tunnel, passes());
    }
}

#[test]
fn half_open_lets_one_through_at_a_time() {
    for place in [taken(NOW + 1), unfinished(NOW + 1), taken(NOW + 125_000)] {
        for arrival in ARRIVALS {
            admits(half_open(1, 4, place), arrival, refused(1000));
        }
    }
    // No probe is out, the probe is lost, or the clock was set back.
    for place in [Place::Free, taken(NOW), taken(NOW + 126_001), unfinished(NOW + 6001)] {
        let breaker = half_open(1, 4, place);
        let whole = half_open(1, 5, taken(NOW + 125_000));
        admits(breaker, Arrival::Whole, probe(7, 5, whole));
        let part = half_open(1, 5, unfinished(NOW + 5000));
        admits(breaker, Arrival::Unfinished, probe(7, 5, part));
        admits(breaker, Arrival::Tunnel, passes());
    }
}

/// A worker looks at its clock before it loads the record: meanwhile another worker, whose clock is later, may open the
/// breaker, or send the probe.
#[test]
fn a_change_at_a_later_time_than_the_workers_own_holds() {
    for later_ms in 0..=1000 {
        let now_ms = NOW + later_ms;
        let opened = closed(2).failed(now_ms, &SETTINGS).unwrap();
        let ask = |arrival| Ask { arrival, asker: OWN };
        let whole = open(NOW).admit(ask(Arrival::Whole), now_ms, &SETTINGS).1.unwrap();
        let part = open(NOW).admit(ask(Arrival::Unfinished), now_ms, &SETTINGS).1.unwrap();
        for arrival in ARRIVALS {
            admits(opened, arrival, refused(30_000));
            admits(whole, arrival, refused(1000));
            admits(part, arrival, refused(1000));
        }
        let probe = Ticket { epoch: 8, probe: Some(0), saw_failures: false };
        let neutral = whole.record(probe, Outcome::Neutral, now_ms, &SETTINGS).unwrap();
        admits(neutral, Arrival::Unfinished, refused(1000));
        admits(neutral, Arrival::Whole, refused(1000));
    }
}

#[test]
fn a_reserved_place_is_for_requests_whose_body_is_whole() {
    // The last two: an unfinished probe has lost its place.
    let (begins, ends) = (unfinished(NOW - 1000), unfinished(NOW - 29_999));
    for place in [reserved(NOW + 1), reserved(NOW + 29_000), begins, ends] {
        let breaker = half_open(1, 4, place);
        admits(breaker, Arrival::Unfinished, refused(1000));
        admits(breaker, Arrival::Tunnel, passes());
        let whole = half_open(1, 5, taken(NOW + 125_000));
        admits(breaker, Arrival::Whole, probe(7, 5, whole));
    }
    for place in [reserved(NOW), reserved(NOW + 31_001), unfinished(NOW - 30_000)] {
        let part = half_open(1, 5, unfinished(NOW + 5000));
        admits(half_open(1, 4, place), Arrival::Unfinished, probe(7, 5, part));
    }
}

#[test]
fn the_place_after_a_probe_that_says_nothing_is_first_for_other_clients() {
    // The last two: an unfinished probe has lost its place.
    for (place, left_ms) in [
        (reserved(NOW + 30_000), 1000),
        (reserved(NOW + 29_001), 1),
        (unfinished(NOW), 1000),
        (unfinished(NOW - 999), 1),
    ] {
        let breaker = half_open(1, 4, place);
        admits(breaker, Arrival::Whole, refused(left_ms));
        admits(breaker, Arrival::Tunnel, passes());
        for asker in [OTHER, ClientNumber::UNKNOWN] {
            admits_from(asker, breaker, Arrival::Unfinished, refused(1000));
            let place = Place::Taken { until_ms: NOW + 125_000, is_whole: true, asker };
            admits_from(asker, breaker, Arrival::Whole, probe(7, 5, half_open(1, 5, place)));
        }
    }
}

#[test]
fn no_two_clients_without_an_address_are_the_same() {
    let asker = ClientNumber::UNKNOWN;
    let place = Place::Taken { until_ms: NOW + 125_000, is_whole: true, asker };
    let whole = half_open(1, 5, place);
    let reserved = half_open(1, 4, Place::Reserved { until_ms: NOW + 30_000, asker });
    admits_from(asker, reserved, Arrival::Whole, probe(7, 5, whole));
}

#[test]
fn a_probe_keeps_its_place_once_its_body_is_whole() {
    let came = |breaker: Breaker, ticket| breaker.body_came(ticket, NOW, &SETTINGS);
    let out = half_open(0, 4, unfinished(NOW + 1));
    let whole = half_open(0, 4, taken(NOW + 125_000));
    assert_eq!(came(out, ticket(Some(4))), Some(whole));
    assert_eq!(came(out, ticket(Some(3))), None);
    assert_eq!(came(out, ticket(None)), None);
    assert_eq!(came(out, Ticket { epoch: 6, ..ticket(Some(4)) }), None);
    for other in [closed(1), open(NOW), half_open(0, 4, Place::Free), half_open(0, 4, taken(NOW))] {
        assert_eq!(came(other, ticket(Some(4))), None);
    }
}

#[test]
fn half_open_is_decided_by_its_probe() {
    for place in [taken(NOW + 1), unfinished(NOW + 1)] {
        let out = half_open(0, 4, place);
        let probe = ticket(Some(4));
        records(out, probe, Outcome::Success, Some(half_open(1, 4, Place::Free)));
        records(half_open(1, 4, place), probe, Outcome::Success, Some(then(closed(0))));
        records(out, probe, Outcome::Failure, Some(then(open(NOW + 30_000))));
        records(out, probe, Outcome::Neutral, Some(half_open(0, 4, reserved(NOW + 30_000))));
    }
    // It had succeeded, and its response breaks off.
    let probe = ticket(Some(4));
    let free = half_open(1, 4, Place::Free);
    records(free, probe, Outcome::Failure, Some(then(open(NOW + 30_000))));
    records(free, probe, Outcome::Success, None);
    records(half_open(1, 4, reserved(NOW + 1)), probe, Outcome::Neutral, None);
}

#[test]
fn late_outcomes_say_nothing() {
    let late = Ticket { epoch: 6, ..ticket(None) };
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Neutral] {
        for breaker in [closed(2), open(NOW), half_open(0, 4, taken(NOW + 1))] {
            records(breaker, late, outcome, None);
        }
        records(half_open(0, 4, taken(NOW + 1)), ticket(Some(3)), outcome, None);
        records(half_open(0, 4, taken(NOW + 1)), ticket(None), outcome, None);
        records(open(NOW), ticket(None), outcome, None);
    }
}

#[test]
fn a_failed_check_is_a_failure() {
    assert_eq!(closed(0).failed(NOW, &SETTINGS), Some(closed(1)));
    assert_eq!(closed(2).failed(NOW, &SETTINGS), Some(then(open(NOW + 30_000))));
    assert_eq!(open(NOW).failed(NOW, &SETTINGS), None);
    assert_eq!(half_open(1, 4, Place::Free).failed(NOW, &SETTINGS), Some(then(open(NOW + 30_000))));
}
