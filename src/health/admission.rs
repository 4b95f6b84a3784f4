//! A request that a provider's breaker has let through, until the breaker knows what became of it.

use super::{outcome, shared_breaker};
use crate::breaker::{Outcome, Ticket};
use crate::gateway::{Gateway, Provider};
use crate::host::Host;
use crate::host::metrics::{Metric, RequestOutcome};
use crate::route::ProviderId;

/// What a breaker is still to hear.
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// Who gets the request.
    pub provider: ProviderId,
    /// What its breaker admitted it as; `None` without a breaker.
    ticket: Option<Ticket>,
    /// What is known of its outcome: nothing until the response begins.
    outcome: Option<Outcome>,
}

impl Admission {
    /// Asks the breaker.
    ///
    /// # Errors
    /// In how many milliseconds it is worth to ask again.
    pub fn ask(host: &dyn Host, id: ProviderId, provider: &Provider) -> Result<Self, u64> {
        let ticket = shared_breaker::admit(host, id, provider)
            .inspect_err(|_| host.count(Metric::Request(id, RequestOutcome::Rejected)))?;
        Ok(Self { provider: id, ticket, outcome: None })
    }

    /// Whether its outcome closes a breaker.
    pub fn is_probe(&self) -> bool {
        self.ticket.is_some_and(|ticket| ticket.is_probe())
    }

    /// The breaker hears of failures and of probes as soon as they are known.
    pub fn note(&mut self, host: &dyn Host, gateway: &Gateway, outcome: Outcome) {
        self.outcome = Some(outcome);
        let provider = gateway.provider(self.provider);
        let (Some(ticket), Some(provider)) = (&mut self.ticket, provider) else { return };
        if ticket.is_probe() {
            host.count(Metric::Probe(self.provider, outcome));
        }
        if ticket.is_probe() || outcome != Outcome::Success {
            *ticket = shared_breaker::record(host, self.provider, provider, *ticket, outcome);
        }
    }

    /// The stream is over. `flags` and `details` are Envoy's `response.flags` and
    /// `response.code_details`.
    ///
    /// A success of a request that saw failures makes them forgotten only here: were it when the
    /// response begins, a provider whose streams all break off would never have failed in a row.
    pub fn end(
        mut self,
        host: &dyn Host,
        gateway: &Gateway,
        request_is_whole: bool,
        flags: u64,
        details: impl FnOnce() -> Vec<u8>,
    ) {
        let noted = self.known(host, gateway);
        let last = match noted {
            Outcome::Success => outcome::at_end(flags, request_is_whole, details),
            Outcome::Failure | Outcome::Neutral => noted,
        };
        self.conclude(host, gateway, last);
    }

    /// The attempt is over, and this is what became of it.
    pub fn conclude(mut self, host: &dyn Host, gateway: &Gateway, last: Outcome) {
        let noted = self.known(host, gateway);
        host.count(Metric::Request(self.provider, RequestOutcome::Sent(last)));
        let provider = gateway.provider(self.provider);
        if let (Outcome::Success, Some(ticket), Some(provider)) = (noted, self.ticket, provider) {
            shared_breaker::record(host, self.provider, provider, ticket, last);
        }
    }

    /// What is known of its outcome; nothing known is neutral.
    fn known(&mut self, host: &dyn Host, gateway: &Gateway) -> Outcome {
        if self.outcome.is_none() {
            self.note(host, gateway, Outcome::Neutral);
        }
        self.outcome.unwrap_or(Outcome::Neutral)
    }

    /// The attempt is over, and what was noted stays: whatever becomes of its stream is not the
    /// provider's doing.
    pub fn settle(mut self, host: &dyn Host, gateway: &Gateway) {
        let noted = self.known(host, gateway);
        self.conclude(host, gateway, noted);
    }

    /// Whatever the provider has of the request, it was not its fault.
    pub fn give_up(mut self, host: &dyn Host, gateway: &Gateway) {
        let outcome = self.known(host, gateway);
        host.count(Metric::Request(self.provider, RequestOutcome::Sent(outcome)));
    }
}
