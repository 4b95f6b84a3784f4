//! Whether a caller has got what it may get, given what the providers did to its attempts.

use super::answer;
use super::fate::{Fate, Next};
use super::ledger::Visit;
use super::plan::Plan;
use super::{PROVIDERS, RETRIES};
use crate::kit::client::Response;
use serde_json::Value;

/// What a caller was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The whole answer of a provider.
    Whole,
    /// A provider's error.
    Passed(u16),
    /// The gateway's error.
    OfGateway(String),
    /// That no provider is to be asked now.
    Unavailable,
    /// A beginning, and visibly no end.
    Broken,
}

/// What became of a request, and after how many attempts, as the gateway says; or what is wrong
/// with it.
pub(super) fn judge(
    plan: &Plan,
    visits: &[Visit],
    response: Option<&Response>,
) -> Result<(Told, usize), String> {
    let response = response.ok_or_else(|| format!("no response at all, after {visits:?}"))?;
    check_order(plan, visits)?;
    let told = read(plan, visits, response)
        .map_err(|what| format!("{what}, after {visits:?}: {}", shown(response)))?;
    let attempts = check_headers(plan, visits, response, &told)
        .map_err(|what| format!("{what}, after {visits:?}, {told:?}: {}", shown(response)))?;
    Ok((told, attempts))
}

/// Whether each attempt may follow the one before it.
fn check_order(plan: &Plan, visits: &[Visit]) -> Result<(), String> {
    for pair in visits.windows(2) {
        let [before, after] = pair else { continue };
        let (from, to) = (plan.place_of(before.provider), plan.place_of(after.provider));
        let allowed = match before.next() {
            Next::Nothing => false,
            Next::Target => to > from,
            Next::Any => to >= from,
        };
        if !allowed {
            return Err(format!("an attempt too many or in the wrong place: {visits:?}"));
        }
    }
    for target in plan.chain {
        let count = visits.iter().filter(|visit| visit.provider == target.provider).count();
        if count > 1 + RETRIES {
            return Err(format!("{count} attempts on one provider: {visits:?}"));
        }
    }
    Ok(())
}

fn read(plan: &Plan, visits: &[Visit], response: &Response) -> Result<Told, String> {
    let last = visits.last();
    match (last, response.status) {
        (Some(last), 200) if last.fate.is_good() => {
            let whole = response.complete && response.body == answer::good(plan, last.provider);
            whole.then_some(Told::Whole).ok_or_else(|| "not the whole answer".to_owned())
        }
        (Some(last), 200) => broken(plan, last, response),
        (Some(last), status) if last.fate.status() == Some(status) => {
            let expected = answer::error(plan, last.provider, last.fate);
            if response.complete && response.body == expected {
                return Ok(Told::Passed(status));
            }
            error(response)
        }
        _ => error(response),
    }
}

/// The caller must be able to tell that a broken answer is not a success.
fn broken(plan: &Plan, last: &Visit, response: &Response) -> Result<Told, String> {
    let expected = match last.fate {
        Fate::Broken | Fate::Unfinished => answer::good(plan, last.provider),
        fate => return Err(format!("a 200 for {fate:?}")),
    };
    let mut same =
        expected.iter().zip(&response.body).take_while(|(one, other)| one == other).count();
    if same < response.body.len() {
        same = expected[..same].windows(2).rposition(|end| end == b"\n\n").map_or(0, |at| at + 2);
    }
    let rest = response.body[same..].trim_ascii_start(); // it ends an event that was begun
    let marked = rest.starts_with(b"data: {\"error\":") && rest.ends_with(b"\n\n");
    if expected[..same].ends_with(answer::DONE) {
        return Err("an end that the provider did not send".to_owned());
    }
    match (rest.is_empty(), marked, response.complete) {
        (true, _, false) | (_, true, _) => Ok(Told::Broken),
        (true, _, true) => Err("a truncated success".to_owned()),
        (false, false, _) => Err("bytes that the provider did not send".to_owned()),
    }
}

/// The gateway's error.
fn error(response: &Response) -> Result<Told, String> {
    let error = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
    let error = &error["error"];
    let fields = ["message", "type", "param", "code"];
    let shaped =
        error.as_object().is_some_and(|error| fields.map(|f| error.contains_key(f)) == [true; 4]);
    if !response.complete || !shaped {
        return Err("neither an answer nor an error".to_owned());
    }
    let code = error["code"].as_str().unwrap_or_default();
    match (response.status, code) {
        (503, "provider_unavailable") if response.header("retry-after").is_some() => {
            Ok(Told::Unavailable)
        }
        (503, "provider_unreachable" | "gateway_busy")
        | (502, "bad_provider_response")
        | (504, "provider_timeout") => Ok(Told::OfGateway(code.to_owned())),
        (status, code) => Err(format!("{status} {code:?} is not to be expected")),
    }
}

/// What the gateway says of its attempts.
fn check_headers(
    plan: &Plan,
    visits: &[Visit],
    response: &Response,
    told: &Told,
) -> Result<usize, String> {
    let most = plan.chain.len() * (1 + RETRIES);
    let attempts = response.header("x-gaud-attempts").map(|value| value.parse::<usize>());
    // Of a held head that breaks off nothing reaches Envoy's router, which answers for itself.
    let is_envoys = attempts.is_none()
        && matches!(told, Told::OfGateway(_))
        && visits.last().is_some_and(|last| last.fate == Fate::HalfBody);
    if is_envoys {
        return Ok(visits.len());
    }
    let attempts = match attempts {
        None if *told == Told::Unavailable && visits.is_empty() => 0,
        Some(Ok(attempts)) if (visits.len()..=most).contains(&attempts) => attempts,
        other => return Err(format!("x-gaud-attempts is {other:?}")),
    };
    if let (Told::Whole | Told::Passed(_) | Told::Broken, Some(last)) = (told, visits.last()) {
        let named = response.header("x-gaud-provider");
        if named.as_deref() != Some(PROVIDERS[last.provider]) {
            return Err(format!("x-gaud-provider is {named:?}"));
        }
    }
    let stops = response.header("x-should-retry");
    let is_callers = visits.last().is_some_and(|last| last.is_callers_limit());
    let failed = matches!(told, Told::OfGateway(_) | Told::Passed(500))
        || (*told == Told::Passed(429) && !is_callers);
    let expected = (failed && attempts > 1).then_some("false");
    let is_said = matches!(told, Told::Unavailable | Told::Passed(400)); // either way is right
    if stops.as_deref() != expected && !is_said {
        return Err(format!("x-should-retry is {stops:?}, not {expected:?}"));
    }
    Ok(attempts)
}

/// A response for a message: its head, and the ends of its body.
fn shown(response: &Response) -> String {
    let header =
        |(name, value): &(String, Vec<u8>)| format!("{name}: {}", String::from_utf8_lossy(value));
    let headers: Vec<String> = response.headers.0.iter().map(header).collect();
    let (body, length) = (&response.body, response.body.len());
    let begin = String::from_utf8_lossy(&body[..length.min(100)]);
    let end = String::from_utf8_lossy(&body[length.saturating_sub(200)..]);
    let complete = if response.complete { "complete" } else { "cut" };
    format!("{} {headers:?}, {length} bytes, {complete}: {begin:?} … {end:?}", response.status)
}
