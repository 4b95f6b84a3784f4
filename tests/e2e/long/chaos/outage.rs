//! Times when providers are away: connections to them are refused.

use crate::kit::harness::wait::until_within;
use crate::kit::load::Load;
use crate::kit::upstream::Provider;
use std::ops::Range;
use std::time::Duration;

/// Providers that are away while a part of the requests is asked, in thousandths of all.
struct Outage {
    from: u64,
    to: u64,
    away: &'static [usize],
}

const ALL: [Outage; 6] = [
    Outage { from: 50, to: 90, away: &[0] },
    Outage { from: 200, to: 240, away: &[1] },
    Outage { from: 350, to: 390, away: &[2] },
    Outage { from: 500, to: 540, away: &[0, 1] },
    Outage { from: 650, to: 690, away: &[1, 2] },
    Outage { from: 800, to: 815, away: &[0, 1, 2] },
];

/// The longest wait for the callers' next step.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(servers: &[Provider], load: &Load, numbers: &Range<u64>) {
    for outage in ALL {
        wait_for(load, numbers, outage.from);
        outage.away.iter().for_each(|server| servers[*server].close());
        wait_for(load, numbers, outage.to);
        outage.away.iter().for_each(|server| servers[*server].open());
    }
}

/// Waits until `part` thousandths of the requests have begun.
fn wait_for(load: &Load, numbers: &Range<u64>, part: u64) {
    let wanted = numbers.start + (numbers.end - numbers.start) * part / 1000;
    until_within(LIMIT, "the callers' next step", || (load.next() >= wanted).then_some(()));
}
