//! A request that the breakers have let through, until the breakers know its outcome.

use std::cell::RefCell;
use std::rc::Rc;

use super::asking::Asking;
use super::outcome::{self, SentRequest};
use super::shared_breaker::{Admitted, Watched};
use super::{last_error, shortage};
use crate::breaker::{Evidence, Refusal, Slot};
use crate::gateway::Gateway;
use crate::host::Host;
use crate::host::metrics::{Metric, RequestOutcome};
use crate::keys::Share;
use crate::reply::Reject;
use crate::route::ProviderId;

/// What the breakers are still to hear.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The provider that gets the request.
    pub provider: ProviderId,
    /// What the breakers admitted the request as; `None` without breakers.
    admitted: Option<Admitted>,
    /// The outcome as far as the attempt knows; `None` until the response begins.
    noted: Option<Evidence>,
    /// The failures of the request's other attempts.
    blames: Option<Rc<Blames>>,
    /// What the request has of the provider's own limits; `None` where there are none.
    share: Option<Box<Share>>,
}

/// Why a provider does not get a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Breaker(Refusal),
    /// The provider gets as many requests as its limits allow; another try is worth it after this time, `None` for never.
    Limit {
        wait_ms: Option<u64>,
    },
}

impl Refused {
    /// After how many milliseconds a request may be let through.
    pub fn wait_ms(self) -> u64 {
        match self {
            Self::Breaker(refusal) => refusal.retry_after_ms,
            Self::Limit { wait_ms } => wait_ms.unwrap_or(u64::MAX),
        }
    }

    /// The answer to a request for a model at a provider.
    pub fn reject(self, provider: &str, model: Option<&str>) -> Reject {
        match self {
            Self::Breaker(refusal) => Reject::unavailable(provider, model, refusal),
            Self::Limit { wait_ms } => Reject::ProviderLimit {
                provider: provider.to_owned(),
                retry_after_secs: wait_ms.map(|ms| ms.div_ceil(1000).max(1)),
            },
        }
    }
}

/// The failures of one request's attempts that the breakers have heard of: a request counts as one failure of a target,
/// however often the request is sent there.
#[derive(Debug, Default)]
pub struct Blames(RefCell<Vec<(ProviderId, Option<Slot>)>>);

impl Blames {
    /// Whether this is the request's first failure of a provider, or of a model at the provider.
    fn is_first(&self, provider: ProviderId, slot: Option<Slot>) -> bool {
        let mut blames = self.0.borrow_mut();
        let is_first = !blames.contains(&(provider, slot));
        if is_first {
            blames.push((provider, slot));
        }
        is_first
    }
}

impl Admission {
    /// Asks the limits of a provider, and the breakers of the provider and of a model.
    ///
    /// # Errors
    /// The breaker or the limit that refuses the request.
    pub fn ask(
        host: &dyn Host,
        watched: Watched<'_>,
        model: Option<&str>,
        asking: Asking,
    ) -> Result<Self, Refused> {
        let id = watched.id;
        let share = match watched.limits() {
            None => None,
            Some((name, limits)) => Share::of_provider(host, name, limits)
                .map_err(|wait_ms| Refused::Limit { wait_ms })?,
        };
        match watched.admit(host, model, asking) {
            Ok(admitted) => Ok(Self { provider: id, admitted, noted: None, blames: None, share }),
            Err(refusal) => {
                share.into_iter().for_each(|share| share.undo(host));
                host.count(Metric::Request(id, RequestOutcome::Rejected));
                Err(Refused::Breaker(refusal))
            }
        }
    }

    /// A request that lives for long says so to the limits of its provider.
    pub fn renew(&mut self, host: &dyn Host) {
        self.share.iter_mut().for_each(|share| share.renew(host));
    }

    /// The provider has the request no more.
    fn leave(&mut self, host: &dyn Host) {
        self.share.take().into_iter().for_each(|share| share.give_back(host));
    }

    /// Asks for one attempt of a request with several attempts.
    pub fn among(self, blames: Rc<Blames>) -> Self {
        Self { blames: Some(blames), ..self }
    }

    /// Whether the request is a probe.
    fn is_probe(&self) -> bool {
        self.admitted.is_some_and(|admitted| admitted.tickets.is_probe())
    }

    /// Whether a success of the request can change a breaker.
    pub fn can_heal(&self) -> bool {
        self.admitted.is_some_and(|admitted| admitted.tickets.can_heal())
    }

    /// Whether a good answer says something too, so that the end of the stream must be looked at in any case.
    pub fn is_watched(&self) -> bool {
        self.admitted
            .is_some_and(|admitted| admitted.tickets.can_heal() || admitted.refuses_credential)
    }

    /// Whether the request is a probe whose response has not been heard of.
    pub fn is_probe_unheard(&self) -> bool {
        self.noted.is_none() && self.is_probe()
    }

    /// Whether the beginning of the response has been heard of.
    pub fn has_heard(&self) -> bool {
        self.noted.is_some()
    }

    /// The request's body has become whole.
    pub fn body_came(&self, host: &dyn Host, gateway: &Gateway) {
        if let (Some(admitted), Some(watched)) =
            (self.admitted, Watched::of(gateway, self.provider))
        {
            watched.body_came(host, admitted.tickets);
        }
    }

    /// The provider has answered a request that had the gateway's credential.
    pub fn credential_answered(&self, host: &dyn Host, gateway: &Gateway, status: u32) {
        if let (Some(admitted), Some(watched)) =
            (self.admitted, Watched::of(gateway, self.provider))
        {
            watched.credential_answered(host, admitted, status);
        }
    }

    /// The breakers hear of failures and of probes as soon as they are known.
    pub fn note(&mut self, host: &dyn Host, gateway: &Gateway, evidence: Evidence) {
        self.noted = Some(evidence);
        if self.is_probe() {
            host.count(Metric::Probe(self.provider, evidence.outcome()));
        }
        if evidence == Evidence::Shortage {
            shortage::note(host);
        }
        self.remember(host, gateway, evidence);
        let evidence = self.once(evidence);
        let watched = Watched::of(gateway, self.provider);
        let (Some(admitted), Some(watched)) = (&mut self.admitted, watched) else { return };
        let outcomes = evidence.at_head(&admitted.tickets);
        admitted.tickets = watched.record(host, admitted.tickets, outcomes, evidence.reason());
    }

    /// The stream is over. `flags` and `details` are Envoy's `response.flags` and
    /// `response.code_details`.
    pub fn end(
        mut self,
        host: &dyn Host,
        gateway: &Gateway,
        sent: SentRequest,
        flags: u64,
        details: impl FnOnce() -> Vec<u8>,
    ) {
        let noted = self.known(host, gateway);
        let last = match noted {
            Evidence::Answered => outcome::at_end(flags, sent, details),
            _ => noted,
        };
        self.conclude(host, gateway, last);
    }

    /// Tells the breakers the outcome of the attempt, which is over.
    ///
    /// Only here does the success of a request end a row of failures that the request has seen. If the success counted when
    /// the response begins, a model whose streams all break off would never fail several times in a row.
    pub fn conclude(mut self, host: &dyn Host, gateway: &Gateway, last: Evidence) {
        self.leave(host);
        let noted = self.known(host, gateway);
        host.count(Metric::Request(self.provider, RequestOutcome::Sent(last.outcome())));
        if noted != Evidence::Answered {
            return;
        }
        self.remember(host, gateway, last);
        let last = self.once(last);
        if let (Some(admitted), Some(watched)) =
            (self.admitted, Watched::of(gateway, self.provider))
        {
            watched.record(host, admitted.tickets, last.at_end(), last.reason());
        }
    }

    /// Ends the attempt with the outcome so far: what happens to the stream from now on is not the provider's doing.
    pub fn settle(mut self, host: &dyn Host, gateway: &Gateway) {
        let noted = self.known(host, gateway);
        self.conclude(host, gateway, noted);
    }

    /// Makes the outcome neutral: the provider is not at fault.
    pub fn give_up(mut self, host: &dyn Host, gateway: &Gateway) {
        self.leave(host);
        let noted = self.known(host, gateway);
        host.count(Metric::Request(self.provider, RequestOutcome::Sent(noted.outcome())));
    }

    /// A failure is the provider's last error until the next. A provider without a breaker has no records.
    fn remember(&self, host: &dyn Host, gateway: &Gateway, evidence: Evidence) {
        let Some(reason) = evidence.reason() else { return };
        let provider = gateway.provider(self.provider);
        if let Some(provider) = provider.filter(|provider| provider.breaker.is_some()) {
            last_error::note(host, provider, reason);
        }
    }

    /// The outcome as far as the attempt knows; neutral until the response begins.
    fn known(&mut self, host: &dyn Host, gateway: &Gateway) -> Evidence {
        if self.noted.is_none() {
            self.note(host, gateway, Evidence::Nothing);
        }
        self.noted.unwrap_or(Evidence::Nothing)
    }

    /// What the breakers are to hear. A failure that another attempt of the request has told is neutral here. A probe always
    /// tells its outcome, because the place of a probe must not stay taken.
    fn once(&self, evidence: Evidence) -> Evidence {
        let (Some(blames), Some(admitted)) = (&self.blames, self.admitted) else { return evidence };
        let is_first = match evidence {
            Evidence::ModelFailed(_) => blames.is_first(self.provider, admitted.tickets.slot()),
            Evidence::Unreachable(_) => blames.is_first(self.provider, None),
            Evidence::Answered
            | Evidence::Switched
            | Evidence::Shortage
            | Evidence::NoCredential
            | Evidence::Nothing => true,
        };
        if is_first || admitted.tickets.is_probe() { evidence } else { Evidence::Nothing }
    }
}
