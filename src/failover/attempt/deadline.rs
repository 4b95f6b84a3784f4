//! The deadlines of an attempt, looked at once a second.

use super::{Attempt, AttemptPhase, AttemptReply, RetryHeaders};
use crate::breaker::{Evidence, Reason};
use crate::config::RetryOn;
use crate::host::Host;
use crate::reply::Reject;
use crate::route::retry::Cause;

/// After more bytes than this a stall says nothing of the provider: a client that does not read can hold up the
/// response. The events of all known models are shorter.
pub(super) const STALL_BYTES_MAX: u64 = 512 * 1024;

/// How long reading an error may take.
pub(super) const ERROR_MS_MAX: u64 = 10_000;

impl Attempt {
    /// The reply when a deadline has passed.
    pub fn tick(&mut self, host: &dyn Host, now_ms: u64) -> Option<AttemptReply> {
        self.admission.iter_mut().for_each(|admission| admission.renew(host));
        let provider = self.provider()?;
        let passed = |since_ms: u64, limit_ms: Option<u64>| {
            limit_ms.is_some_and(|limit_ms| now_ms.saturating_sub(since_ms) >= limit_ms)
        };
        match &self.phase {
            // The provider cannot answer a request that has not come whole.
            phase @ (AttemptPhase::Waiting | AttemptPhase::Head(..))
                if self.is_whole && passed(self.asked_ms, self.first_token_ms()) =>
            {
                let evidence = match phase {
                    AttemptPhase::Head(..) => Evidence::ModelFailed(Reason::Stalled),
                    _ => Evidence::Unreachable(Reason::Timeout),
                };
                let reject = Reject::NoFirstToken(provider.name.clone());
                Some(self.leave(host, evidence, &reject))
            }
            AttemptPhase::Head(_, last_ms) if passed(*last_ms, Some(provider.idle_ms)) => {
                let reject = Reject::Stalled(provider.name.clone());
                Some(self.leave(host, Evidence::ModelFailed(Reason::Stalled), &reject))
            }
            AttemptPhase::Streaming { bytes, last_ms, .. }
                if *bytes <= STALL_BYTES_MAX && passed(*last_ms, Some(provider.idle_ms)) =>
            {
                let reject = Reject::Stalled(provider.name.clone());
                self.conclude(host, Evidence::ModelFailed(Reason::Stalled));
                let attempts = self.id.number;
                Some(self.late(&reject, RetryHeaders { attempts, ..RetryHeaders::default() }))
            }
            AttemptPhase::Error { since_ms, .. } if passed(*since_ms, Some(ERROR_MS_MAX)) => {
                let reject = Reject::EndlessError(provider.name.clone());
                let headers = self.judge_error(host, now_ms);
                if headers.again.is_none() {
                    self.conclude(host, Evidence::Nothing);
                }
                Some(self.late(&reject, headers))
            }
            _ => None,
        }
    }

    /// How long a stream may take to begin: one that the request asks for, or one that has a head. Any other response has the
    /// time that Envoy gives it.
    pub(super) fn first_token_ms(&self) -> Option<u64> {
        let is_stream = match &self.phase {
            AttemptPhase::Waiting => {
                self.stream_options.as_ref().is_some_and(|options| options.is_stream())
            }
            AttemptPhase::Head(reader, _) => reader.is_of_events(),
            _ => false,
        };
        self.provider()?.first_token_ms.filter(|_| is_stream)
    }

    /// Nothing has reached the client: another target may answer.
    fn leave(&mut self, host: &dyn Host, evidence: Evidence, reject: &Reject) -> AttemptReply {
        self.note(host, evidence);
        let headers = self.fail(host, Cause::Of(RetryOn::Timeout), None);
        self.late(reject, headers)
    }

    fn late(&self, reject: &Reject, headers: RetryHeaders) -> AttemptReply {
        AttemptReply { reply: reject.reply(self.shape), headers }
    }
}
