//! What a request that goes straight to its provider has used. Where a request goes over the hop, each attempt is metered there.

use super::Session;
use super::hop::Caller;
use crate::body::Scanner;
use crate::host::Host;
use crate::request::escape::without_query;
use crate::usage::{Admission, AnswerStart, Meter, Operation};

impl Session {
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
    ) {
        if !self.gateway.meters {
            return;
        }
        let path = without_query(self.path.as_str());
        let Some(operation) = Operation::of(path) else { return };
        let Caller { key, user, .. } = self.caller().unwrap_or_default();
        let admission = Admission {
            request: host.request_name(&format!("{:x}", host.unique())),
            attempt: 1,
            begun_ms: host.now_ms(),
            key,
            user,
            provider: provider.to_owned(),
            model: model.to_owned(),
            asked: asked.to_owned(),
            operation,
            request_bytes: self.request_bytes(),
        };
        self.meter = Some(Meter::begin(host, admission));
    }

    /// The answer begins.
    pub fn answer_begins(&mut self, host: &dyn Host, start: &AnswerStart<'_>) {
        let bytes = self.request_bytes();
        let Some(meter) = &mut self.meter else { return };
        meter.request_passed(bytes);
        meter.respond(host, host.now_ms(), start);
        self.settle_used(host);
    }

    /// A piece of the answer, which the client gets after this call; `read` reads the piece where it is looked at.
    pub fn answer_passes(&mut self, host: &dyn Host, end: bool, read: impl FnOnce() -> Vec<u8>) {
        if end && self.meter.is_none() {
            self.settle_rest(host);
        }
        let Some(meter) = self.meter.as_mut().filter(|meter| meter.reads()) else { return };
        meter.feed(host, host.now_ms(), &read(), end);
        self.settle_used(host);
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
