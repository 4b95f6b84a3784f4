//! What spans and the access log show of a request, as properties of its stream.

use super::reader::Outcome;
use super::record::{Admission, Basis, Settlement};
use crate::names::properties;

/// Sets a property of the stream under way.
pub type Set<'a> = &'a mut dyn FnMut(&str, &str);

/// What is known when a request leaves. A request that leaves for the hop has no attempt yet (0), and no provider.
pub fn begun(admission: &Admission, set: Set<'_>) {
    let Admission { request, attempt, key, user, provider, model, asked, operation, .. } =
        admission;
    let number = if *attempt > 0 { attempt.to_string() } else { String::new() };
    // OpenTelemetry's name for a span of an inference.
    let span = format!("{} {model}", operation.otel_name());
    let texts = [
        (properties::SPAN, &*span),
        (properties::OPERATION, operation.otel_name()),
        (properties::REQUEST, request),
        (properties::ATTEMPT, &number),
        (properties::KEY, key),
        (properties::USER, user),
        (properties::PROVIDER, provider),
        (properties::MODEL, model),
        (properties::ASKED, asked),
    ];
    for (name, text) in texts {
        if !text.is_empty() {
            set(name, text);
        }
    }
}

/// What is known when an attempt is over.
pub fn ended(settlement: &Settlement, outcome: &Outcome, set: Set<'_>) {
    let usage = &outcome.usage;
    if outcome.basis == Basis::Failed {
        // An answer that says an error after a good head has no code of its own (OpenTelemetry: `_OTHER`).
        let is_status = settlement.status >= 400;
        let status = settlement.status.to_string();
        return set(properties::ERROR, if is_status { &status } else { "_OTHER" });
    }
    set(properties::INPUT_TOKENS, &usage.input.to_string());
    set(properties::OUTPUT_TOKENS, &usage.output.to_string());
    if usage.cached > 0 {
        set(properties::CACHED_TOKENS, &usage.cached.to_string());
    }
    if let Ok(reason) = std::str::from_utf8(outcome.finish.as_bytes())
        && !reason.is_empty()
    {
        set(properties::FINISH_REASON, reason);
    }
}
