//! What an attempt has used.

use super::{Attempt, Passing, limit};
use crate::gateway::Gateway;
use crate::host::Host;
use crate::keys::prices;
use crate::request::escape::without_query;
use crate::request::path::ClientPath;
use crate::route::ChainTarget;
use crate::session::hop::{Caller, Crossing};
use crate::usage::{Admission, AnswerStart, Meter, Operation};

impl Attempt {
    /// Whether the answer is metered.
    pub fn is_metered(&self) -> bool {
        self.meter.is_some()
    }

    /// The answer begins.
    pub fn answer_begins(&mut self, host: &dyn Host, start: &AnswerStart<'_>) {
        if let Some(meter) = &mut self.meter {
            meter.respond(host, host.now_ms(), start);
            self.charge(host);
        }
    }

    /// Whether the answer waits until its cost is known.
    pub fn holds_answer(&self, start: &AnswerStart<'_>) -> bool {
        self.gateway.tells_cost && self.meter.is_some() && start.is_short_document()
    }

    /// What the client is told of the cost of an answer that has come whole; `None` without a price.
    pub fn cost_header(&self, host: &dyn Host) -> Option<(&'static str, String)> {
        prices::cost_header(host, self.meter.as_ref())
    }

    /// Whether the client may get fewer bytes than the provider sends.
    pub fn shortens_answer(&self) -> bool {
        self.meter.as_ref().is_some_and(Meter::removes)
    }

    /// What the client is to get in the place of all bytes that Envoy has, held ones among them; `None` where the client gets
    /// those. For a piece that is not held.
    pub fn take_passing(&mut self) -> Option<Vec<u8>> {
        let Passing { bytes, has_changed } = std::mem::take(&mut self.passing);
        has_changed.then_some(bytes)
    }

    /// The stream is over, however it ended.
    pub(super) fn end_meter(&mut self, host: &dyn Host) {
        if let Some(meter) = &mut self.meter {
            meter.end(host, host.now_ms());
            self.charge(host);
        }
        self.meter = None;
    }

    /// Counts what the attempt has used, once that is known.
    pub(super) fn charge(&mut self, host: &dyn Host) {
        let Some((admission, outcome)) = self.meter.as_ref().and_then(Meter::used) else { return };
        if let Some((key, tpm)) = self.token_limit.take() {
            limit::take_tokens(host, &key, tpm, outcome.usage.tokens());
        }
        let Some(charges) = self.charges.take() else { return };
        let nanos = prices::cost_nanos(host, admission, outcome);
        charges.charge(host, &admission.key, &admission.user, nanos, outcome.usage.tokens());
    }
}

impl Passing {
    /// A piece has come, and in its place the client gets what has `changed`.
    pub(super) fn add(&mut self, piece: &[u8], changed: Option<Vec<u8>>) {
        self.has_changed |= changed.is_some();
        self.bytes.extend_from_slice(changed.as_deref().unwrap_or(piece));
    }
}

/// The meter of attempt `number`, which leaves for `target`. `request_bytes` is the length of the body, where the head says
/// the length.
pub(super) fn begin(
    gateway: &Gateway,
    host: &dyn Host,
    crossing: &Crossing,
    path: &ClientPath,
    target: &ChainTarget,
    (number, request_bytes): (u32, Option<u64>),
    has_question: bool,
) -> Option<Meter> {
    if !gateway.meters {
        return None;
    }
    let operation = Operation::of(without_query(path.as_str()))?;
    let Caller { key, user, .. } = crossing.caller.clone().unwrap_or_default();
    let admission = Admission {
        request: crossing.request.clone(),
        attempt: number,
        begun_ms: host.now_ms(),
        key,
        user,
        provider: gateway.provider(target.provider)?.name.clone(),
        model: target.model.clone(),
        asked: crossing.asked.clone(),
        operation,
        request_bytes: request_bytes.unwrap_or_default(),
    };
    Some(Meter::begin(host, admission, has_question))
}
