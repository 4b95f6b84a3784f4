//! A body arrives at every attempt as it was sent, whatever its size and framing.

use super::attempts::Step;
use super::fault::Fault::{self, Breaks, Good, Status};
use super::fleet::{Fleet, Member};
use crate::kit::client::{CLIENTS, Client, Request};
use crate::kit::samples::{Place, body};
use crate::kit::upstream::{Framing, Seen, sha256};

/// What the attempts before the last end with.
const FAULTS: [Fault; 2] = [Status(500), Breaks];

fn arrived(case: &str, chunked: bool, (member, seen): &(&Member, Seen), expected: &[u8]) {
    let at = member.name;
    assert_eq!((seen.complete, seen.length), (true, expected.len()), "{case} at {at}");
    assert_eq!(seen.sha256, sha256(expected), "{case} at {at}");
    let framing = match (chunked, member.http2) {
        (false, _) => Framing::Length(expected.len()),
        (true, false) => Framing::Chunked,
        (true, true) => Framing::Unsaid,
    };
    assert_eq!(seen.framing(), framing, "{case} at {at}");
}

/// Sends bodies of a size that fail once or twice.
fn exact(size: usize, place: Place, pieces: usize) {
    for client in CLIENTS {
        for fault in FAULTS {
            for chunked in [false, true] {
                let mut request = Request::chat(body("one:pair", place, size)).cut_every(pieces);
                request.chunked = chunked;
                let first = ("one:pair", fault);
                let name = format!("{size} {place:?} {fault:?}");
                fails(&name, client, &request, &[first, ("one:pair", Good)], place, size);
                let steps = [first, first, ("two:second", Good)];
                fails(&name, client, &request, &steps, place, size);
            }
        }
    }
    Fleet::shared().gateway.assert_no_trap();
}

fn fails(name: &str, client: Client, request: &Request, steps: &[Step], place: Place, size: usize) {
    let fleet = Fleet::shared();
    let case = format!("{name} {client:?} {} {}", request.chunked, steps.len());
    let _pumps = fleet.script(&case, steps, false);
    let response = client.send(&fleet.gateway, &request.clone().case(&case));
    assert_eq!(response.status, 200, "{case}: {}", response.text());
    let attempts = fleet.attempts(&case);
    assert_eq!(attempts.len(), steps.len(), "{case}");
    for (attempt, (target, _)) in attempts.iter().zip(steps) {
        let (_, model) = target.split_once(':').expect("a target");
        arrived(&case, request.chunked, attempt, &body(model, place, size));
    }
}

#[test]
fn a_kilobyte_is_exact_at_every_attempt() {
    exact(1000, Place::First, 100);
    exact(1000, Place::Last, 1000);
}

#[test]
fn a_hundred_kilobytes_are_exact_at_every_attempt() {
    exact(100_000, Place::First, 16_384);
    exact(100_000, Place::Last, 50_000);
}

#[test]
fn three_megabytes_are_exact_at_every_attempt() {
    exact(3_000_000, Place::First, 100_000);
    exact(3_000_000, Place::Last, 1_000_000);
}
