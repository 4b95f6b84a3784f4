//! Whether an attempt has arrived as its provider is to see it.

use super::plan::Plan;
use super::{HTTP2, KEYS, PROVIDERS};
use crate::kit::upstream::Seen;

/// Everything that is wrong with a request.
pub(super) fn check(plan: &Plan, provider: usize, received: &Seen) -> Vec<String> {
    let mut complaints = Vec::new();
    let line = (received.method.as_str(), received.path.as_str(), received.http2);
    if line != ("POST", "/v1/chat/completions", provider == HTTP2) {
        complaints.push(format!("the line {line:?}"));
    }
    complaints.extend(check_body(plan, provider, received));
    complaints.extend(check_framing(received));
    complaints.extend(check_credentials(plan, provider, received));
    let foreign = |name: &str| name.starts_with("x-gaud") || name.starts_with("x-envoy");
    let foreign = received.headers.0.iter().filter(|(name, _)| foreign(name));
    complaints.extend(foreign.map(|(name, _)| format!("the header {name}")));
    complaints
}

fn check_body(plan: &Plan, provider: usize, received: &Seen) -> Option<String> {
    let Some(place) = plan.place_of(provider) else {
        return Some(format!("{} goes to another provider", plan.asked));
    };
    let expected = plan.body(plan.chain[place].model);
    let (length, body) = (expected.len(), &received.body);
    let begin = String::from_utf8_lossy(&body[..body.len().min(80)]);
    (*body != expected)
        .then(|| format!("{} bytes of a body of {length}, or changed ones: {begin}", body.len()))
}

fn check_framing(received: &Seen) -> Option<String> {
    let lengths = received.headers.all("content-length");
    let codings = received.headers.all("transfer-encoding");
    let right = match (lengths.as_slice(), codings.as_slice()) {
        ([length], []) => *length == received.length.to_string(),
        ([], []) => received.http2,
        ([], [coding]) => *coding == "chunked" && !received.http2,
        _ => false,
    };
    (!right).then(|| format!("{} bytes framed as {lengths:?} {codings:?}", received.body.len()))
}

/// The first provider has no key, so that its callers' credentials pass; each of the others gets its
/// key and no other credential.
fn check_credentials(plan: &Plan, provider: usize, received: &Seen) -> Vec<String> {
    let expected = KEYS[provider].map_or_else(|| plan.secret(), |key| format!("Bearer {key}"));
    let mut complaints = Vec::new();
    let found = received.headers.all("authorization");
    if found != [expected.as_str()] {
        complaints.push(format!("the credential {found:?} instead of {expected:?}"));
    }
    let known = KEYS.iter().flatten().copied().chain(["caller-"]);
    let foreign: Vec<&str> = known.filter(|secret| !expected.contains(secret)).collect();
    for (name, value) in &received.headers.0 {
        let value = String::from_utf8_lossy(value);
        if foreign.iter().any(|secret| value.contains(secret)) {
            complaints.push(format!("{} got another's credential in {name}", PROVIDERS[provider]));
        }
    }
    complaints
}
