//! What providers answer. Every answer names the request, the provider, and a checksum of the body
//! that the provider saw, so that a caller can tell it from every other.

use super::PROVIDERS;
use super::fate::Fate;
use super::plan::Plan;
use serde_json::json;

/// The good answer of a provider to a request.
pub(super) fn good(plan: &Plan, provider: usize) -> Vec<u8> {
    let text = text(plan, provider);
    if plan.streams { [events(plan, &text), DONE.to_vec()].concat() } else { whole(plan, &text) }
}

/// The last event of a stream.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";

/// The stream without its last event.
pub(super) fn unfinished(plan: &Plan, provider: usize) -> Vec<u8> {
    events(plan, &text(plan, provider))
}

/// The error that a provider sends, in OpenAI's shape.
pub(super) fn error(plan: &Plan, provider: usize, fate: Fate) -> Vec<u8> {
    let (kind, code, message) = match fate {
        Fate::TooLong => (
            "invalid_request_error",
            "context_length_exceeded",
            "This model's maximum context length is 8192 tokens.",
        ),
        Fate::Bad => ("invalid_request_error", "content_policy_violation", "Rejected."),
        Fate::Error500 => ("server_error", "internal_error", "The server had an error."),
        _ => ("requests", "rate_limit_exceeded", "Rate limit reached."),
    };
    let message = format!("{message} {} {}", plan.id, PROVIDERS[provider]);
    let error = json!({"message": message, "type": kind, "param": null, "code": code});
    json!({"error": error}).to_string().into_bytes()
}

fn text(plan: &Plan, provider: usize) -> String {
    let model = plan.chain.iter().find(|target| target.provider == provider);
    let body = plan.body(model.map_or("", |target| target.model));
    format!("{:08} {} {:016x}", plan.id, PROVIDERS[provider], checksum(&body))
}

fn whole(plan: &Plan, text: &str) -> Vec<u8> {
    let message = json!({"role": "assistant", "content": text.repeat(filling(plan))});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    let answer = json!({"id": text, "object": "chat.completion", "choices": [choice]});
    answer.to_string().into_bytes()
}

fn events(plan: &Plan, text: &str) -> Vec<u8> {
    let event = |number: usize| {
        let choice = json!({"index": 0, "delta": {"content": format!("{text} {number} ")}});
        let chunk = json!({"id": text, "object": "chat.completion.chunk", "choices": [choice]});
        format!("data: {chunk}\n\n").into_bytes()
    };
    (0..filling(plan) + 2).flat_map(event).collect()
}

/// How long an answer is.
fn filling(plan: &Plan) -> usize {
    usize::try_from(plan.id % 40).expect("small")
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0_u64;
    for word in bytes.chunks(8) {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        sum = sum.rotate_left(5).wrapping_mul(0x0100_0000_01b3) ^ u64::from_le_bytes(padded);
    }
    sum
}
