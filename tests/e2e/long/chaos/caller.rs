//! Callers: each keeps a connection, half of them over each protocol.

use super::judge::{self, Told};
use super::ledger::Ledger;
use super::oracle;
use super::plan::Plan;
use crate::kit::client::{CLIENTS, Line, Response};
use crate::kit::load::Load;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

/// The pause between two pieces of a body that is sent slowly.
const PAUSE: Duration = Duration::from_millis(2);

/// Attempts that providers had seen when their caller had its answer.
pub(super) const SEEN: &str = "attempts that were seen";

/// Attempts that the gateway says it has made.
pub(super) const SAID: &str = "attempts that were said";

/// What the callers share.
pub(super) struct Work {
    pub(super) seed: u64,
    pub(super) ledger: Arc<Ledger>,
    /// No provider is away, and no breaker open.
    pub(super) is_steady: bool,
}

/// Lets `size` callers send the requests of these numbers.
pub(super) fn start(addr: SocketAddr, size: usize, numbers: Range<u64>, work: Work) -> Load {
    let open = |caller: usize| Line::open(CLIENTS[caller % CLIENTS.len()], addr);
    Load::start(size, numbers, open, move |line, id| {
        let plan = Plan::new(work.seed, id);
        let response = line.exchange(&plan.request(), PAUSE);
        if work.judge(&plan, response.as_ref()) == Some(Told::Unavailable) {
            sleep(Duration::from_secs(1)); // as the gateway asked
        }
    })
}

impl Work {
    fn judge(&self, plan: &Plan, response: Option<&Response>) -> Option<Told> {
        let visits = self.ledger.of(plan.id);
        let expected = oracle::visits(self.seed, plan);
        if self.is_steady && visits != expected {
            self.ledger.complain(format!("{}: {visits:?} are not {expected:?}", plan.id));
        }
        match judge::judge(plan, &visits, response) {
            Ok((told, attempts)) => {
                self.ledger.tell(format!("answers: {told:?}"));
                self.ledger.add(SEEN, visits.len());
                self.ledger.add(SAID, attempts);
                Some(told)
            }
            Err(complaint) => {
                self.ledger.complain(format!("{}: {complaint}", plan.id));
                None
            }
        }
    }
}
