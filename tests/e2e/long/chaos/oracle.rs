//! Which providers are asked in which order, while none is away and no breaker is open: the dice decide all of it.

use super::RETRIES;
use super::fate::{Fate, Next};
use super::ledger::Visit;
use super::plan::Plan;

/// The attempts that a request takes.
pub(super) fn visits(seed: u64, plan: &Plan) -> Vec<Visit> {
    let mut visits = Vec::new();
    for (place, target) in plan.chain.iter().enumerate() {
        let is_last = place + 1 == plan.chain.len();
        for visit in 0..=RETRIES {
            let fate = Fate::draw(seed, plan.id, target.provider, visit, plan.streams);
            let visit = Visit { provider: target.provider, fate };
            visits.push(visit);
            match visit.next() {
                Next::Nothing => return visits,
                Next::Any if fate != Fate::Limited || is_last => {}
                Next::Any | Next::Target => break,
            }
        }
    }
    visits
}
