//! The body of a 200 whose head is held: does it begin with an answer, or with an error?

use super::{Attempt, AttemptPhase, ResponseAction, RetryHeaders};
use crate::breaker::{Evidence, Reason};
use crate::config::RetryOn;
use crate::failover::answer::AnswerHead;
use crate::failover::fault::Fault;
use crate::failover::reader::{AnswerReader, Content, Opening};
use crate::failover::retry_after::NEVER;
use crate::failover::stream_end;
use crate::gateway::Account;
use crate::host::Host;
use crate::route::retry::Cause;

/// How long comments are held, where no `first_token_secs` says so: who waits for the response needs to see that the
/// connection lives.
pub(super) const HELD_MS_MAX: u64 = 60_000;

impl Attempt {
    /// Reads the body of a 200.
    pub(super) fn reader(&self, answer: &AnswerHead<'_>) -> Option<AnswerReader> {
        let content = if answer.is_encoded { Content::Other } else { answer.content };
        let is_open_stream = content == Content::Events && !answer.has_length;
        let stream_end = self.stream_end.filter(|_| is_open_stream);
        (answer.status == 200).then(|| AnswerReader::new(content, stream_end))
    }

    /// A piece of the body comes.
    pub(super) fn open(
        &mut self,
        host: &dyn Host,
        now_ms: u64,
        piece: &[u8],
        end: bool,
    ) -> ResponseAction {
        let is_held_for_long = self.is_held_for_long(now_ms);
        let AttemptPhase::Head(reader, last_ms) = &mut self.phase else {
            return ResponseAction::Pass;
        };
        *last_ms = now_ms;
        reader.feed(piece);
        if end {
            reader.finish();
        }
        match reader.opening() {
            Some(Opening::Error(fault)) => self.judge_fault(host, now_ms, fault),
            _ if end && reader.is_cut() => self.cut(host),
            _ if end && reader.is_empty() => self.empty(host, now_ms),
            None if !end && !is_held_for_long => ResponseAction::Hold,
            _ => self.release(host, now_ms),
        }
    }

    fn is_held_for_long(&self, now_ms: u64) -> bool {
        self.first_token_ms().is_none() && now_ms.saturating_sub(self.asked_ms) >= HELD_MS_MAX
    }

    /// The response is an answer.
    fn release(&mut self, host: &dyn Host, now_ms: u64) -> ResponseAction {
        self.note(host, Evidence::Answered);
        let reader = match std::mem::replace(&mut self.phase, AttemptPhase::Over) {
            AttemptPhase::Head(reader, _) => Some(reader),
            _ => None,
        };
        ResponseAction::Release(self.stream(now_ms, reader), None)
    }

    /// The body begins with an error.
    fn judge_fault(&mut self, host: &dyn Host, now_ms: u64, fault: Fault) -> ResponseAction {
        let failed = Evidence::ModelFailed(Reason::ErrorInAnswer);
        let limited = Some(Cause::Of(RetryOn::RateLimited));
        let (evidence, cause) = match fault {
            // As with a status of this meaning, see `answer::classify`.
            Fault::Provider if self.account == Account::Missing => (Evidence::Nothing, None),
            Fault::Limit | Fault::Quota if self.account != Account::Gateway => {
                (Evidence::Answered, None)
            }
            Fault::Provider => (failed, Some(Cause::Of(RetryOn::ServerError))),
            Fault::Limit | Fault::Quota => (Evidence::Answered, limited),
            Fault::TooLong => (Evidence::Nothing, Some(Cause::ContextLength)),
            Fault::Client => (Evidence::Nothing, None),
        };
        self.note(host, evidence);
        let headers = match cause {
            Some(cause) => self.fail(host, cause, (fault == Fault::Quota).then_some(NEVER)),
            None => self.stream(now_ms, None),
        };
        ResponseAction::Release(headers, None)
    }

    /// A response ended without a body: another target may have one; without another target the client gets the head.
    pub(super) fn empty(&mut self, host: &dyn Host, now_ms: u64) -> ResponseAction {
        self.note(host, Evidence::Answered);
        match self.fail(host, Cause::Of(RetryOn::Connection), None) {
            headers @ RetryHeaders { again: Some(_), .. } => ResponseAction::Release(headers, None),
            _ => ResponseAction::Release(self.stream(now_ms, None), None),
        }
    }

    /// A stream without its last event, of which nothing has reached the client.
    fn cut(&mut self, host: &dyn Host) -> ResponseAction {
        self.note(host, Evidence::ModelFailed(Reason::BrokeOff));
        match self.fail(host, Cause::Of(RetryOn::Connection), None) {
            headers @ RetryHeaders { again: Some(_), .. } => ResponseAction::Release(headers, None),
            headers => ResponseAction::Release(headers, Some(stream_end::error_event(self.shape))),
        }
    }
}
