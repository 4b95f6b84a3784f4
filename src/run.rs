//! A request and its attempts: which target comes next, and when there is none.
//!
//! ```text
//! begin ──> target, admitted by its breaker ──> judge ──> Same, Move: begin again
//!   │                                             └─────> Final
//!   └─────> nobody is left: an error
//! ```
//!
//! Envoy makes the attempts, each a request of its own to the hop's listener; what is known of the ones
//! before stands here, in the memory of the worker that makes them all.

use std::cell::RefCell;

use hashbrown::HashMap;

use crate::admission::Admission;
use crate::breaker::shared;
use crate::config::{Gateway, ProviderId, RetryOn};
use crate::host::Host;
use crate::metrics::Metric;
use crate::reply::Reject;
use crate::retry::{Cause, Left, Next};
use crate::route::ChainTarget;

/// How long a run is kept that nobody goes on with: longer than the longest `retry-after` that can be
/// waited for, and what Envoy adds to it.
pub(crate) const KEPT_MS: u64 = 480_000;

/// The runs of a worker, by their names.
#[derive(Debug, Default)]
pub struct Runs(RefCell<HashMap<String, Run>>);

/// One request.
#[derive(Debug)]
struct Run {
    targets: Vec<ChainTarget>,
    /// The place of the target that was asked last.
    at: Option<usize>,
    /// Who was asked last.
    asked: Option<ProviderId>,
    /// How often it was asked.
    tries: u32,
    /// How many attempts there were.
    attempts: u32,
    /// What comes after the last one; `None` while nothing is known of it.
    next: Option<Next>,
    /// When the last attempt was over; `None` while one is under way.
    ended_ms: Option<u64>,
}

/// An attempt that may begin.
#[derive(Debug)]
pub struct Begun {
    /// Whom to ask, for what.
    pub target: ChainTarget,
    /// What the breaker is to hear.
    pub admission: Admission,
    /// Its place among the run's attempts, from 1.
    pub number: u32,
}

impl Runs {
    /// Begins the next attempt of a run; the first one says among which targets. Targets that are left
    /// alone are passed over.
    ///
    /// # Errors
    /// The answer when nobody is left, and how many attempts there were.
    pub fn begin<H>(
        &self,
        host: &H,
        gateway: &Gateway,
        name: &str,
        targets: impl FnOnce() -> Vec<ChainTarget>,
    ) -> Result<Begun, (Reject, u32)>
    where
        H: Host + ?Sized,
    {
        let mut runs = self.0.borrow_mut();
        let run = runs.entry_ref(name).or_insert_with(|| Run::new(targets()));
        run.ended_ms = None;
        let before = run.asked;
        match run.begin(host, gateway) {
            Ok(begun) => {
                if let Some(provider) = before {
                    host.count(Metric::Retried(provider));
                }
                Ok(begun)
            }
            Err(reject) => {
                let attempts = run.attempts;
                runs.remove(name);
                Err((reject, attempts))
            }
        }
    }

    /// Decides what comes after an attempt.
    pub fn judge<H>(
        &self,
        host: &H,
        gateway: &Gateway,
        name: &str,
        (cause, retry_after_secs): (Cause, Option<u64>),
    ) -> Next
    where
        H: Host + ?Sized,
    {
        let mut runs = self.0.borrow_mut();
        let Some(run) = runs.get_mut(name) else { return Next::Final };
        let left = run.left(host, gateway, cause);
        let next = gateway.retries.judge(cause, retry_after_secs, left);
        run.skip_to(cause, next);
        next
    }

    /// Whether anything could come after the attempt that is under way.
    pub fn has_more(&self, gateway: &Gateway, name: &str) -> bool {
        self.0.borrow().get(name).is_some_and(|run| {
            let is_last = run.at.is_none_or(|at| at.saturating_add(1) >= run.targets.len());
            !is_last || run.tries <= gateway.retries.max
        })
    }

    /// The request has its answer.
    pub fn forget(&self, name: &str) {
        self.0.borrow_mut().remove(name);
    }

    /// Whether another model could come after it.
    pub fn has_other_model(&self, name: &str) -> bool {
        self.0
            .borrow()
            .get(name)
            .is_some_and(|run| run.others(Cause::ContextLength).next().is_some())
    }

    /// The `number`th attempt is over. A run that it has ended is forgotten; an attempt that was neither
    /// `answered` nor judged has lost its connection.
    pub fn end<H>(&self, host: &H, gateway: &Gateway, (name, number): (&str, u32), answered: bool)
    where
        H: Host + ?Sized,
    {
        // The next attempt may have begun already.
        let of_this = |run: &&Run| run.attempts == number;
        let Some(next) = self.0.borrow().get(name).filter(of_this).map(|run| run.next) else {
            return;
        };
        match next {
            Some(Next::Final) => self.forget(name),
            None if answered => self.forget(name),
            Some(Next::Same(_) | Next::Move) => {}
            None => {
                // Envoy's router may go on, and must not begin anew.
                self.judge(host, gateway, name, (Cause::Of(RetryOn::Connection), None));
            }
        }
        if let Some(run) = self.0.borrow_mut().get_mut(name) {
            run.ended_ms = Some(host.now_ms());
        }
    }

    /// Forgets runs whose clients have left between two attempts.
    pub fn purge(&self, now_ms: u64) {
        let is_fresh = |ended_ms: u64| now_ms.saturating_sub(ended_ms) < KEPT_MS;
        self.0.borrow_mut().retain(|_, run| run.ended_ms.is_none_or(is_fresh));
    }
}

#[cfg(test)]
impl Runs {
    /// How many runs there are.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }
}

impl Run {
    fn new(targets: Vec<ChainTarget>) -> Self {
        Self {
            targets,
            at: None,
            asked: None,
            tries: 0,
            attempts: 0,
            next: Some(Next::Move),
            ended_ms: None,
        }
    }

    fn begin<H>(&mut self, host: &H, gateway: &Gateway) -> Result<Begun, Reject>
    where
        H: Host + ?Sized,
    {
        let mut place = match self.next.take() {
            Some(Next::Same(_)) => self.at,
            // It has lost its connection, and that has not been said yet.
            None if self.tries <= gateway.retries.max => self.at,
            Some(Next::Move) | None => Some(self.at.map_or(0, |at| at.saturating_add(1))),
            Some(Next::Final) => None,
        };
        let mut soonest: Option<(u64, Reject)> = None;
        while let Some(target) = place.and_then(|at| self.targets.get(at)) {
            let Some(provider) = gateway.provider(target.provider) else { break };
            match Admission::ask(host, target.provider, provider) {
                Ok(admission) => {
                    self.tries = if place == self.at { self.tries.saturating_add(1) } else { 1 };
                    self.attempts = self.attempts.saturating_add(1);
                    self.at = place;
                    self.asked = Some(target.provider);
                    let number = self.attempts;
                    return Ok(Begun { target: target.clone(), admission, number });
                }
                Err(wait_ms)
                    if soonest.as_ref().is_none_or(|(least_ms, _)| wait_ms < *least_ms) =>
                {
                    soonest = Some((wait_ms, Reject::unavailable(provider, wait_ms)));
                }
                Err(_) => {}
            }
            place = place.map(|at| at.saturating_add(1));
        }
        Err(soonest.map_or(Reject::Exhausted, |(_, reject)| reject))
    }

    fn left<H: Host + ?Sized>(&self, host: &H, gateway: &Gateway, cause: Cause) -> Left {
        let is_open = |target: &ChainTarget| {
            let provider = gateway.provider(target.provider);
            provider.is_some_and(|provider| shared::would_admit(host, provider))
        };
        let own = self.at.and_then(|at| self.targets.get(at));
        Left {
            same: self.tries <= gateway.retries.max && own.is_some_and(is_open),
            next: self.others(cause).any(|(_, target)| is_open(target)),
        }
    }

    /// The targets that may follow, with their places: where a context was too long, the same model
    /// elsewhere is no help.
    fn others(&self, cause: Cause) -> impl Iterator<Item = (usize, &ChainTarget)> {
        let own = self.at.and_then(|at| self.targets.get(at));
        let behind = self.at.map_or(0, |at| at.saturating_add(1));
        let is_other = move |target: &ChainTarget| {
            cause != Cause::ContextLength || own.is_none_or(|own| own.model != target.model)
        };
        self.targets.iter().enumerate().skip(behind).filter(move |(_, target)| is_other(target))
    }

    /// Notes what comes next, and passes over what cannot help.
    fn skip_to(&mut self, cause: Cause, next: Next) {
        if next == Next::Move {
            let place = self.others(cause).next().map(|(place, _)| place);
            // The target before it counts as the one that was asked.
            self.at = place.map_or(self.at, |place| place.checked_sub(1));
        }
        self.next = Some(next);
    }
}
