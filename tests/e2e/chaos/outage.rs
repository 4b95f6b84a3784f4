//! Times when providers are away: connections to them are refused.

use super::caller::Work;
use super::server::Server;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

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

pub(super) fn run(servers: &[Server], work: &Work, first: u64) {
    for outage in ALL {
        wait_for(work, first, outage.from);
        outage.away.iter().for_each(|server| servers[*server].close());
        wait_for(work, first, outage.to);
        outage.away.iter().for_each(|server| servers[*server].open());
    }
}

fn wait_for(work: &Work, first: u64, part: u64) {
    let wanted = first + (work.end - first) * part / 1000;
    let start = Instant::now();
    while work.next.load(Ordering::SeqCst) < wanted {
        assert!(start.elapsed() < LIMIT, "the callers are stuck before {wanted}");
        sleep(Duration::from_millis(2));
    }
}
