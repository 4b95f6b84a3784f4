//! Whether an attempt has arrived as its provider is to see it.

use super::plan::Plan;
use super::wire::Received;
use super::{KEYS, PROVIDERS};

/// Everything that is wrong with a request.
pub(super) fn check(plan: &Plan, provider: usize, received: &Received) -> Vec<String> {
    let line = received.line == "POST /v1/chat/completions HTTP/1.1";
    let mut complaints: Vec<_> =
        (!line).then(|| format!("the line {:?}", received.line)).into_iter().collect();
    complaints.extend(check_body(plan, provider, received));
    complaints.extend(check_framing(received));
    complaints.extend(check_credentials(plan, provider, received));
    let foreign = |name: &str| name.starts_with("x-gaud") || name.starts_with("x-envoy");
    let foreign = received.headers.iter().filter(|(name, _)| foreign(name));
    complaints.extend(foreign.map(|header| format!("the header {header:?}")));
    complaints
}

fn check_body(plan: &Plan, provider: usize, received: &Received) -> Option<String> {
    let Some(place) = plan.place_of(provider) else {
        return Some(format!("{} goes to another provider", plan.asked));
    };
    let expected = plan.body(plan.chain[place].model);
    let (length, body) = (expected.len(), &received.body);
    let begin = String::from_utf8_lossy(&body[..body.len().min(80)]);
    (*body != expected)
        .then(|| format!("{} bytes of a body of {length}, or changed ones: {begin}", body.len()))
}

fn check_framing(received: &Received) -> Option<String> {
    let lengths: Vec<&str> = received.all("content-length").collect();
    let codings: Vec<&str> = received.all("transfer-encoding").collect();
    let own = received.body.len().to_string();
    let right = match (lengths.as_slice(), codings.as_slice()) {
        ([length], []) => *length == own,
        ([], []) => received.is_http2,
        ([], [coding]) => *coding == "chunked" && !received.is_http2,
        _ => false,
    };
    (!right).then(|| format!("{} bytes framed as {lengths:?} {codings:?}", received.body.len()))
}

/// The first provider has no key, so that its callers' pass; the others have their own, and only
/// that.
fn check_credentials(plan: &Plan, provider: usize, received: &Received) -> Vec<String> {
    let own = KEYS[provider].map_or_else(|| plan.secret(), |key| format!("Bearer {key}"));
    let mut complaints = Vec::new();
    let found: Vec<&str> = received.all("authorization").collect();
    if found != [own.as_str()] {
        complaints.push(format!("the credential {found:?} instead of {own:?}"));
    }
    let known = KEYS.iter().flatten().copied().chain(["caller-"]);
    let foreign: Vec<&str> = known.filter(|secret| !own.contains(secret)).collect();
    for (name, value) in &received.headers {
        if foreign.iter().any(|secret| value.contains(secret)) {
            complaints.push(format!("{} got another's credential in {name}", PROVIDERS[provider]));
        }
    }
    complaints
}
