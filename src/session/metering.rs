//! What a request that goes straight to its provider has used. Where a request goes over the hop, each attempt is metered there.

use super::Session;
use super::hop::Caller;
use crate::body::{Scanner, UsageQuestion};
use crate::host::Host;
use crate::keys::{prices, spent_nanos};
use crate::names::headers;
use crate::pricing::dollars;
use crate::request::escape::without_query;
use crate::usage::{Admission, AnswerStart, Meter, Operation};

/// A longer body is not held until it is whole; the usage of its stream is an estimate where the client does not ask for it.
const WHOLE_BYTES_MAX: u64 = 256 * 1024;

impl Session {
    /// What the path asks for; `None` for what is not paid for.
    pub(super) fn operation(&self) -> Option<Operation> {
        Operation::of(without_query(self.path.as_str()))
    }

    /// Reads the body for what it says of streams, where a stream says its usage only if it is asked for it.
    #[inline(never)]
    pub(super) fn read_stream_options(&mut self, scanner: &Scanner) {
        let is_asked = self.operation().is_some_and(Operation::says_usage_if_asked);
        if let (Scanner::Json(_), true) = (scanner, is_asked) {
            self.stream_options = Some(Box::default());
        }
    }

    /// Whether what the body says of streams is yet to come, and is waited for.
    pub(super) fn waits_for_stream_options(&self, scanner: &Scanner) -> bool {
        let length = || self.content_length.unwrap_or_default().max(scanner.offset());
        self.stream_options.is_some() && !scanner.is_complete() && length() <= WHOLE_BYTES_MAX
    }

    /// The edit that asks for the usage, where the client does not.
    pub(super) fn usage_question(&self) -> Option<UsageQuestion> {
        self.stream_options.as_ref()?.question()
    }

    /// Whether the answer is metered.
    pub fn is_metered(&self) -> bool {
        self.meter.is_some()
    }

    /// The request leaves for `provider`, which is sent `model`.
    #[inline(never)]
    pub(super) fn begin_meter(
        &mut self,
        host: &dyn Host,
        provider: &str,
        model: &str,
        asked: &str,
        has_question: bool,
    ) {
        if !self.gateway.meters {
            return;
        }
        let request = self.request_name(host);
        let Some(admission) = self.admission_of(host, request, asked) else { return };
        let (provider, model) = (provider.to_owned(), model.to_owned());
        let admission = Admission { attempt: 1, provider, model, ..admission };
        self.meter = Some(Meter::begin(host, admission, has_question));
    }

    /// A name for the request that no other request of this worker has, and no other request at all where requests are metered.
    pub(super) fn request_name(&self, host: &dyn Host) -> String {
        let name = format!("{:x}", host.unique());
        if self.gateway.meters { host.request_name(&name) } else { name }
    }

    /// Shows a request that leaves for the hop.
    #[inline(never)]
    pub(super) fn show_crossing(&self, host: &dyn Host, request: &str, asked: &str) {
        if !self.gateway.shows {
            return;
        }
        if let Some(admission) = self.admission_of(host, request.to_owned(), asked) {
            host.show(&Admission { model: asked.to_owned(), ..admission });
        }
    }

    /// What is known of a request before its first attempt; `None` for what is not paid for.
    fn admission_of(&self, host: &dyn Host, request: String, asked: &str) -> Option<Admission> {
        let Caller { key, user, .. } = self.caller().unwrap_or_default();
        Some(Admission {
            request,
            attempt: 0,
            begun_ms: host.now_ms(),
            key,
            user,
            provider: String::new(),
            model: String::new(),
            asked: asked.to_owned(),
            operation: self.operation()?,
            request_bytes: self.request_bytes(),
        })
    }

    /// The answer begins.
    #[inline(never)]
    pub fn answer_begins(&mut self, host: &dyn Host, start: &AnswerStart<'_>) {
        let bytes = self.request_bytes();
        let Some(meter) = &mut self.meter else { return };
        meter.request_passed(bytes);
        meter.respond(host, host.now_ms(), start);
        self.settle_used(host);
    }

    /// A piece of the answer, which the client gets after this call; `read` reads the piece where it is looked at. What the
    /// client gets in its place, where that is something else.
    pub fn answer_passes(
        &mut self,
        host: &dyn Host,
        end: bool,
        read: impl FnOnce() -> Vec<u8>,
    ) -> Option<Vec<u8>> {
        if end && self.meter.is_none() {
            self.settle_rest(host);
        }
        let meter = self.meter.as_mut().filter(|meter| meter.reads())?;
        let changed = meter.feed(host, host.now_ms(), &read(), end);
        self.settle_used(host);
        changed
    }

    /// Whether the answer waits until its cost is known.
    pub fn holds_answer(&self, start: &AnswerStart<'_>) -> bool {
        self.gateway.tells_cost && self.meter.is_some() && start.is_short_document()
    }

    /// What the client is told of the cost of an answer that has come whole.
    pub fn cost_headers(&self, host: &dyn Host) -> Vec<(&'static str, String)> {
        let cost = prices::cost_header(host, self.meter.as_ref());
        cost.into_iter().chain(self.key_spend(host)).collect()
    }

    /// What the client is told of the spending of its key; `None` for a key without a budget.
    pub fn key_spend(&self, host: &dyn Host) -> Option<(&'static str, String)> {
        let has_budget = self.limited.as_ref().is_some_and(|limited| limited.has_key_budget());
        let key = self.key.as_ref().filter(|_| has_budget && self.gateway.tells_cost)?;
        Some((headers::KEY_SPEND, dollars(spent_nanos(host, &key.id), 0)))
    }

    /// Whether the client may get fewer bytes than the provider sends.
    pub fn shortens_answer(&self) -> bool {
        self.meter.as_ref().is_some_and(Meter::removes)
    }

    /// The stream is over, however it ended.
    pub(super) fn end_meter(&mut self, host: &dyn Host) {
        let bytes = self.request_bytes();
        if let Some(meter) = &mut self.meter {
            meter.request_passed(bytes);
            meter.end(host, host.now_ms());
            self.settle_used(host);
        }
        self.meter = None;
    }

    /// The gateway has refused the request after the request has left.
    pub(super) fn fail_meter(&mut self, host: &dyn Host) {
        if let Some(meter) = &mut self.meter {
            meter.fail(host, host.now_ms());
            self.settle_used(host);
        }
        self.meter = None;
    }

    /// How many bytes the request's body has, as far as is known.
    fn request_bytes(&self) -> u64 {
        let come = self.scanner().map_or(0, Scanner::offset);
        self.content_length.unwrap_or_default().max(come)
    }
}
