//! The attempts of a request so far: which target comes next, and when no target is left.
//!
//! ```text
//! begin ──> target, admitted by its breaker ──> judge ──> Same, Move: begin again
//!   │                                             └─────> Final
//!   └─────> no target is left: an error
//! ```
//!
//! Envoy makes the attempts, each a request of its own to the hop's listener. One worker makes all attempts of a
//! request, so their history is in that worker's memory.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;

use crate::breaker::{Ask, ClientNumber};
use crate::config::RetryOn;
use crate::gateway::Gateway;
use crate::health::admission::{Admission, Blames};
use crate::health::asking::Asking;
use crate::health::shared_breaker::{self, Watched};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::reply::Reject;
use crate::route::retry::{Cause, Next, Remaining};
use crate::route::{ChainTarget, Loads, ProviderId};

/// How long a history is kept after its last attempt: longer than the longest `retry-after` that the gateway waits for
/// and the back-off that Envoy adds.
pub(crate) const KEPT_MS: u64 = 480_000;

/// How long a history is kept after the last answer. Envoy closes the connection over the hop after an answer to a request
/// that is still on its way, and Envoy's router may see the end of the connection before it sees the answer: it then sends
/// the request once more, after its back-off.
const ANSWERED_KEPT_MS: u64 = 15_000;

/// The histories of a worker, by the requests' names, and how its deployments do.
#[derive(Debug, Default)]
pub struct Histories(RefCell<HashMap<String, History>>, Loads);

/// The attempts of one request.
#[derive(Debug)]
struct History {
    /// The configuration whose providers the targets are.
    gateway: Rc<Gateway>,
    targets: Vec<ChainTarget>,
    /// Who sends the request.
    asker: ClientNumber,
    /// The index of the target that was asked last.
    at: Option<usize>,
    /// The provider that was asked last.
    asked: Option<ProviderId>,
    /// The number of attempts in a row on that target.
    tries: u32,
    /// The number of all attempts.
    attempts: u32,
    /// What comes after the last attempt; `None` until the attempt is judged.
    next: Option<Next>,
    /// When the last attempt was over; `None` while an attempt is under way.
    ended_ms: Option<u64>,
    /// The failures that the breakers have heard of. An attempt may end after its history.
    blames: Rc<Blames>,
}

/// One attempt of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptId {
    /// The request's name, see [`crate::session::hop::Crossing`].
    pub request: String,
    /// The attempt's number within the request, from 1.
    pub number: u32,
}

/// An attempt that may begin.
#[derive(Debug)]
pub struct Begun {
    /// The provider, and the model's name there.
    pub target: ChainTarget,
    /// The breaker's permission. The breaker is told the outcome through the admission.
    pub admission: Admission,
    /// The attempt's number within the request, from 1.
    pub number: u32,
}

/// No target is left for a further attempt.
#[derive(Debug)]
pub struct NoTarget {
    /// The answer to the client.
    pub reject: Reject,
    /// The number of attempts that were made.
    pub attempts: u32,
}

impl Histories {
    /// How the deployments do.
    pub fn loads(&self) -> &Loads {
        &self.1
    }

    /// Begins the next attempt of the request `name`. `targets` is asked once, at the first attempt. Targets whose breaker
    /// is open are skipped.
    ///
    /// # Errors
    /// No target is left: the answer, and the number of attempts.
    pub fn begin(
        &self,
        host: &dyn Host,
        gateway: &Rc<Gateway>,
        name: &str,
        ask: Ask,
        targets: impl FnOnce() -> Vec<ChainTarget>,
    ) -> Result<Begun, NoTarget> {
        let mut histories = self.0.borrow_mut();
        let history = histories
            .entry_ref(name)
            .or_insert_with(|| History::new(Rc::clone(gateway), targets(), ask.asker));
        history.move_to(gateway);
        history.ended_ms = None;
        let before = history.asked;
        match history.begin(host, gateway, ask) {
            Ok(begun) => {
                if let Some(provider) = before {
                    host.count(Metric::Retried(provider));
                }
                Ok(begun)
            }
            Err(reject) => {
                let attempts = history.attempts;
                if attempts == 0 {
                    histories.remove(name);
                } else {
                    history.next = Some(Next::Final);
                    history.ended_ms = Some(host.now_ms());
                }
                Err(NoTarget { reject, attempts })
            }
        }
    }

    /// Decides what comes after an attempt.
    pub fn judge(
        &self,
        host: &dyn Host,
        gateway: &Gateway,
        name: &str,
        cause: Cause,
        retry_after_secs: Option<u64>,
    ) -> Next {
        let mut histories = self.0.borrow_mut();
        let Some(history) = histories.get_mut(name) else { return Next::Final };
        let next = history.verdict(host, gateway, cause, retry_after_secs);
        history.skip_to(cause, next);
        next
    }

    /// Whether the same target would be asked again.
    pub fn would_repeat(
        &self,
        host: &dyn Host,
        gateway: &Gateway,
        name: &str,
        cause: Cause,
        retry_after_secs: Option<u64>,
    ) -> bool {
        let histories = self.0.borrow();
        let Some(history) = histories.get(name) else { return false };
        matches!(history.verdict(host, gateway, cause, retry_after_secs), Next::Same(_))
    }

    /// Whether another attempt could follow the attempt under way.
    pub fn has_more(&self, gateway: &Gateway, name: &str) -> bool {
        self.0.borrow().get(name).is_some_and(|history| {
            let is_last = history.at.is_none_or(|at| at.saturating_add(1) >= history.targets.len());
            !is_last || history.tries <= gateway.retries.max
        })
    }

    /// The request has its answer: no attempt follows.
    pub fn forget(&self, name: &str) {
        self.0.borrow_mut().remove(name);
    }

    /// Whether a target with another model could follow.
    pub fn has_other_model(&self, name: &str) -> bool {
        self.0
            .borrow()
            .get(name)
            .is_some_and(|history| history.others(Cause::ContextLength).next().is_some())
    }

    /// An attempt is over. The history of an answered request is forgotten; after an error as the answer, a while later. An attempt that was neither answered nor
    /// judged has lost its connection.
    pub fn end(&self, host: &dyn Host, gateway: &Gateway, id: &AttemptId, is_answered: bool) {
        let name = &id.request;
        // Envoy may begin the next attempt before it ends this attempt.
        let of_this = |history: &&History| history.attempts == id.number;
        let Some(next) = self.0.borrow().get(name).filter(of_this).map(|history| history.next)
        else {
            return;
        };
        match next {
            None if is_answered => self.forget(name),
            Some(Next::Final | Next::Same(_) | Next::Move) => {}
            None => {
                // Envoy's router may retry on its own; without a verdict the next attempt would ask the first target again.
                self.judge(host, gateway, name, Cause::Of(RetryOn::Connection), None);
            }
        }
        if let Some(history) = self.0.borrow_mut().get_mut(name) {
            history.ended_ms = Some(host.now_ms());
        }
    }

    /// Forgets histories whose clients have left between two attempts, and those whose last answer has arrived.
    pub fn purge(&self, now_ms: u64) {
        self.0.borrow_mut().retain(|_, history| {
            let kept_ms =
                if history.next == Some(Next::Final) { ANSWERED_KEPT_MS } else { KEPT_MS };
            history.ended_ms.is_none_or(|ended_ms| now_ms.saturating_sub(ended_ms) < kept_ms)
        });
    }
}

#[cfg(test)]
impl Histories {
    /// How many histories there are.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }
}

impl History {
    fn new(gateway: Rc<Gateway>, targets: Vec<ChainTarget>, asker: ClientNumber) -> Self {
        Self {
            gateway,
            targets,
            asker,
            at: None,
            asked: None,
            tries: 0,
            attempts: 0,
            next: Some(Next::Move),
            ended_ms: None,
            blames: Rc::default(),
        }
    }

    /// Goes on under a configuration that came between two attempts. A provider is known by its name; the targets of a
    /// provider that is gone are left out.
    fn move_to(&mut self, gateway: &Rc<Gateway>) {
        if Rc::ptr_eq(&self.gateway, gateway) {
            return;
        }
        let old = std::mem::replace(&mut self.gateway, Rc::clone(gateway));
        let id = |id: ProviderId| gateway.id_of(&old.provider(id)?.name);
        let targets = std::mem::take(&mut self.targets).into_iter();
        let moved: Vec<_> = targets
            .map(|target| Some(ChainTarget { provider: id(target.provider)?, ..target }))
            .collect();
        if let Some(at) = self.at {
            let is_there = |target: &&Option<ChainTarget>| target.is_some();
            let before = moved.iter().take(at).filter(is_there).count();
            if moved.get(at).is_some_and(Option::is_some) {
                self.at = Some(before);
            } else {
                self.at = before.checked_sub(1);
                self.next = Some(Next::Move);
            }
        }
        self.targets = moved.into_iter().flatten().collect();
        self.asked = self.asked.and_then(id);
        // They name providers of the configuration before.
        self.blames = Rc::default();
    }

    fn begin(&mut self, host: &dyn Host, gateway: &Gateway, ask: Ask) -> Result<Begun, Reject> {
        let mut place = match self.next.take() {
            Some(Next::Same(_)) => self.at,
            // The last attempt has lost its connection, and its end has not been reported yet.
            None if self.tries <= gateway.retries.max && !self.has_sibling() => self.at,
            Some(Next::Move) | None => Some(self.at.map_or(0, |at| at.saturating_add(1))),
            Some(Next::Final) => None,
        };
        let mut soonest: Option<(u64, Reject)> = None;
        while let Some(target) = place.and_then(|at| self.targets.get(at)) {
            let Some(watched) = Watched::of(gateway, target.provider) else { break };
            match Admission::ask(host, watched, Some(&target.model), Asking::Crossed(ask)) {
                Ok(admission) => {
                    self.tries = if place == self.at { self.tries.saturating_add(1) } else { 1 };
                    self.attempts = self.attempts.saturating_add(1);
                    self.at = place;
                    self.asked = Some(target.provider);
                    let number = self.attempts;
                    let admission = admission.among(Rc::clone(&self.blames));
                    return Ok(Begun { target: target.clone(), admission, number });
                }
                Err(refused) => {
                    let wait_ms = refused.wait_ms();
                    if soonest.as_ref().is_none_or(|(least_ms, _)| wait_ms < *least_ms) {
                        let reject = refused.reject(watched.name(), Some(&target.model));
                        soonest = Some((wait_ms, reject));
                    }
                }
            }
            place = place.map(|at| at.saturating_add(1));
        }
        let asked = self.asked.and_then(|id| gateway.provider(id));
        let exhausted = || Reject::Exhausted(asked.map(|own| own.name.clone()).unwrap_or_default());
        Err(soonest.map_or_else(exhausted, |(_, reject)| reject))
    }

    /// What would come after an attempt that ended by `cause`.
    fn verdict(
        &self,
        host: &dyn Host,
        gateway: &Gateway,
        cause: Cause,
        retry_after_secs: Option<u64>,
    ) -> Next {
        let remaining = self.remaining(host, gateway, cause);
        gateway.retries.judge(cause, retry_after_secs, remaining)
    }

    fn remaining(&self, host: &dyn Host, gateway: &Gateway, cause: Cause) -> Remaining {
        let asking = Asking::Crossed(Ask { asker: self.asker, ..Ask::WHOLE });
        let is_admitting = |target: &ChainTarget| {
            let provider = gateway.provider(target.provider);
            provider.is_some_and(|provider| {
                shared_breaker::would_admit(host, provider, Some(&target.model), asking)
            })
        };
        let asked = self.at.and_then(|at| self.targets.get(at));
        let may_repeat = self.tries <= gateway.retries.max && !self.siblings().any(is_admitting);
        Remaining {
            same: may_repeat && asked.is_some_and(is_admitting),
            next: self.others(cause).any(|(_, target)| is_admitting(target)),
        }
    }

    /// Whether another deployment follows the deployment that was asked last.
    fn has_sibling(&self) -> bool {
        self.siblings().next().is_some()
    }

    /// The deployments that follow the deployment that was asked last, which is left out for the rest of the request.
    fn siblings(&self) -> impl Iterator<Item = &ChainTarget> {
        let from = self.at.unwrap_or(self.targets.len());
        let following = self.targets.iter().skip(from);
        let mut has_sibling = true;
        let deployments = following
            .take_while(move |target| std::mem::replace(&mut has_sibling, target.has_sibling));
        deployments.skip(1)
    }

    /// The targets that may follow, with their indices. A context that was too long for a model is too long for the same
    /// model on another provider.
    fn others(&self, cause: Cause) -> impl Iterator<Item = (usize, &ChainTarget)> {
        let asked = self.at.and_then(|at| self.targets.get(at));
        let following = self.at.map_or(0, |at| at.saturating_add(1));
        let is_other = move |target: &ChainTarget| {
            cause != Cause::ContextLength || asked.is_none_or(|asked| asked.model != target.model)
        };
        self.targets.iter().enumerate().skip(following).filter(move |(_, target)| is_other(target))
    }

    /// Records what comes next, and skips the targets that cannot help.
    fn skip_to(&mut self, cause: Cause, next: Next) {
        if next == Next::Move {
            let place = self.others(cause).next().map(|(place, _)| place);
            // `begin` moves on by a target: it must start from the target before.
            self.at = place.map_or(self.at, |place| place.checked_sub(1));
        }
        self.next = Some(next);
    }
}
