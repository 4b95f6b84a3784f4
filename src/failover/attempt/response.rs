//! The response of an attempt: held, passed on, or given up for another attempt.

use super::{Attempt, AttemptPhase, ResponseAction, RetryHeaders, Suspect};
use crate::breaker::{Evidence, Reason};
use crate::config::RetryOn;
use crate::failover::answer::{self, AnswerHead, AnswerKind};
use crate::failover::fault::{Fault, is_quota};
use crate::failover::reader::AnswerReader;
use crate::failover::retry_after::NEVER;
use crate::failover::stream_end;
use crate::failover::too_long;
use crate::gateway::Account;
use crate::health::outcome;
use crate::host::Host;
use crate::route::retry::{Cause, Next};

/// How much of an error is read to know what it is.
const ERROR_BYTES_MAX: usize = 64 * 1024;

impl Attempt {
    /// The response begins.
    pub fn respond(
        &mut self,
        host: &dyn Host,
        now_ms: u64,
        answer: &AnswerHead<'_>,
    ) -> ResponseAction {
        if let AttemptPhase::Over = self.phase {
            return ResponseAction::Pass;
        }
        if let Some(admission) = &self.admission {
            admission.credential_answered(host, &self.gateway, answer.status);
        }
        let kind = answer::classify(answer, self.account);
        if let (AnswerKind::Good, Some(under_way)) = (&kind, &self.under_way) {
            under_way.answered(now_ms.saturating_sub(self.asked_ms), now_ms);
        }
        if kind == AnswerKind::Good
            && self.holds_head(answer)
            && let Some(reader) = self.reader(answer)
        {
            self.phase = AttemptPhase::Head(reader, now_ms);
            return ResponseAction::Hold;
        }
        self.note_head(host, answer);
        match kind {
            _ if answer.status == 101 => ResponseAction::Release(self.tunnel(), None),
            AnswerKind::Good if answer.end && answer.status == 200 => self.empty(host, now_ms),
            AnswerKind::Good => {
                let reader = self.reader(answer);
                ResponseAction::Release(self.stream(now_ms, reader), None)
            }
            AnswerKind::Failed(RetryOn::RateLimited) if self.reads_quota(host, answer) => self
                .hold_error(now_ms, Suspect::Quota { retry_after_secs: answer.retry_after_secs }),
            AnswerKind::Failed(cause) => {
                let headers = self.fail(host, Cause::Of(cause), answer.retry_after_secs);
                ResponseAction::Release(headers, None)
            }
            AnswerKind::MayBeTooLong
                if !answer.end && self.histories.has_other_model(&self.id.request) =>
            {
                self.hold_error(now_ms, Suspect::ContextLength)
            }
            AnswerKind::MayBeTooLong | AnswerKind::Other => {
                ResponseAction::Release(self.stream(now_ms, None), None)
            }
        }
    }

    /// A piece of the response's body, of `size` bytes; `read` reads the bytes where they are looked at.
    pub fn feed(
        &mut self,
        host: &dyn Host,
        now_ms: u64,
        size: usize,
        read: impl FnOnce() -> Vec<u8>,
        end: bool,
    ) -> ResponseAction {
        let Some(meter) = self.meter.as_mut().filter(|meter| meter.reads()) else {
            return self.take(host, now_ms, size, read, end);
        };
        let bytes = if size > 0 { read() } else { Vec::new() };
        let changed = meter.feed(host, now_ms, &bytes, end);
        if meter.removes() {
            self.passing.add(&bytes, changed);
        }
        self.charge(host);
        self.take(host, now_ms, size, || bytes, end)
    }

    fn take(
        &mut self,
        host: &dyn Host,
        now_ms: u64,
        size: usize,
        read: impl FnOnce() -> Vec<u8>,
        end: bool,
    ) -> ResponseAction {
        match &mut self.phase {
            AttemptPhase::Head(..) if size == 0 && !end => ResponseAction::Hold,
            AttemptPhase::Head(..) if size == 0 => self.open(host, now_ms, &[], end),
            AttemptPhase::Head(..) => self.open(host, now_ms, &read(), end),
            AttemptPhase::Error { held, .. } => {
                held.extend(read());
                if end || held.len() > ERROR_BYTES_MAX {
                    ResponseAction::Release(self.judge_error(host, now_ms), None)
                } else {
                    ResponseAction::Hold
                }
            }
            AttemptPhase::Streaming { .. } => self.pass(host, now_ms, size, read, end),
            AttemptPhase::Waiting | AttemptPhase::Tunnel | AttemptPhase::Over => {
                ResponseAction::Pass
            }
        }
    }

    /// The response goes to the client.
    pub(super) fn stream(&mut self, now_ms: u64, reader: Option<AnswerReader>) -> RetryHeaders {
        self.phase = AttemptPhase::Streaming { reader, bytes: 0, last_ms: now_ms };
        RetryHeaders { attempts: self.id.number, ..RetryHeaders::default() }
    }

    /// The client and the provider speak another protocol from now on.
    fn tunnel(&mut self) -> RetryHeaders {
        self.phase = AttemptPhase::Tunnel;
        RetryHeaders { attempts: self.id.number, ..RetryHeaders::default() }
    }

    /// The attempt did not give an answer: is the request to be sent again?
    pub(super) fn fail(
        &mut self,
        host: &dyn Host,
        cause: Cause,
        retry_after_secs: Option<u64>,
    ) -> RetryHeaders {
        self.phase = AttemptPhase::Over;
        let request = &self.id.request;
        let next = self.histories.judge(host, &self.gateway, request, cause, retry_after_secs);
        let again = match next {
            Next::Final => None,
            Next::Same(wait_secs) => Some(wait_secs),
            Next::Move => Some(None),
        };
        let is_hopeless = again.is_none() && self.id.number > 1;
        RetryHeaders { again, attempts: self.id.number, is_hopeless }
    }

    /// Head and body of an error are held.
    fn hold_error(&mut self, now_ms: u64, suspect: Suspect) -> ResponseAction {
        self.phase = AttemptPhase::Error { held: Vec::new(), since_ms: now_ms, suspect };
        ResponseAction::Hold
    }

    /// Whether it matters if a quota is spent: the same provider would be asked again.
    fn reads_quota(&self, host: &dyn Host, answer: &AnswerHead<'_>) -> bool {
        let (name, cause) = (&self.id.request, Cause::Of(RetryOn::RateLimited));
        let wait_secs = answer.retry_after_secs;
        !answer.end
            && !answer.is_encoded
            && self.histories.would_repeat(host, &self.gateway, name, cause, wait_secs)
    }

    /// A head alone could still be followed by a failure: it is held while another target could answer, and where
    /// streams have a deadline for their beginning.
    fn holds_head(&self, answer: &AnswerHead<'_>) -> bool {
        let has_deadline =
            self.provider().is_some_and(|provider| provider.first_token_ms.is_some());
        answer.status == 200
            && !answer.end
            && (has_deadline || self.histories.has_more(&self.gateway, &self.id.request))
    }

    fn note_head(&mut self, host: &dyn Host, answer: &AnswerHead<'_>) {
        let (sent, details) = (self.sent(), || answer.details.to_vec());
        self.note(host, outcome::at_headers(answer.status, sent, details));
    }

    /// A piece of a response that is on its way to the client.
    fn pass(
        &mut self,
        host: &dyn Host,
        now_ms: u64,
        size: usize,
        read: impl FnOnce() -> Vec<u8>,
        end: bool,
    ) -> ResponseAction {
        let AttemptPhase::Streaming { reader, bytes, last_ms } = &mut self.phase else {
            return ResponseAction::Pass;
        };
        *last_ms = now_ms;
        *bytes = bytes.saturating_add(size as u64);
        let Some(reader) = reader.as_mut().filter(|reader| reader.reads_on()) else {
            return ResponseAction::Pass;
        };
        if size > 0 {
            reader.feed(&read());
        }
        if end {
            reader.finish();
        }
        if end && reader.is_cut() {
            return self.append_error(host);
        }
        // The client may leave at once: the breakers must have heard of the error before.
        if reader.fault() == Some(Fault::Provider) && self.account != Account::Missing {
            self.conclude(host, Evidence::ModelFailed(Reason::ErrorInAnswer));
        }
        ResponseAction::Pass
    }

    /// An error that was held: what does it say?
    pub(super) fn judge_error(&mut self, host: &dyn Host, now_ms: u64) -> RetryHeaders {
        let AttemptPhase::Error { held, suspect, .. } =
            std::mem::replace(&mut self.phase, AttemptPhase::Over)
        else {
            return RetryHeaders::default();
        };
        match suspect {
            Suspect::Quota { retry_after_secs } => {
                let wait_secs = if is_quota(&held) { Some(NEVER) } else { retry_after_secs };
                self.fail(host, Cause::Of(RetryOn::RateLimited), wait_secs)
            }
            Suspect::ContextLength if too_long::is_context_length(&held) => {
                self.fail(host, Cause::ContextLength, None)
            }
            Suspect::ContextLength => self.stream(now_ms, None),
        }
    }

    /// A stream has ended cleanly, but without its last event.
    fn append_error(&mut self, host: &dyn Host) -> ResponseAction {
        self.conclude(host, Evidence::ModelFailed(Reason::BrokeOff));
        ResponseAction::Append(stream_end::error_event(self.shape))
    }
}
