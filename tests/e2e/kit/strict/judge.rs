//! What no provider may see, however the client has written it.

use super::KEYS;
use crate::kit::upstream::Seen;
use gaud::body::{Boundary, FormScanner};
use serde_json::Value;

/// What the names of headers between the gateway's parts begin with.
const PRIVATE: [&str; 2] = ["x-gaud-", "x-envoy-"];

/// Judges a whole request.
pub(super) fn judge(seen: &Seen) -> Result<(), String> {
    let path = &seen.path;
    if path.contains("smuggled") {
        return Err("a request that was hidden in another".to_owned());
    }
    // Envoy's router tells providers how long it waits.
    let is_private = |name: &&str| {
        PRIVATE.iter().any(|start| name.starts_with(start))
            && *name != "x-envoy-expected-rq-timeout-ms"
    };
    if let Some(name) = names(seen).find(is_private) {
        return Err(format!("a header {name}"));
    }
    let plain = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    if ["/v1/chat/completions", "/v1/audio/transcriptions"].contains(&plain) {
        credential(seen)?;
        body(seen)?;
    }
    Ok(())
}

fn names(seen: &Seen) -> impl Iterator<Item = &str> {
    seen.headers.0.iter().map(|(name, _)| name.as_str())
}

fn credential(seen: &Seen) -> Result<(), String> {
    let sent = seen.headers.all("authorization");
    let is_providers = KEYS.iter().any(|(_, key)| sent == [format!("Bearer {key}")]);
    let others = ["x-api-key", "api-key", "cookie", "proxy-authorization"];
    let is_foreign = names(seen).any(|name| others.contains(&name));
    match is_providers && !is_foreign {
        true => Ok(()),
        false => Err("a credential that is not the provider's".to_owned()),
    }
}

fn body(seen: &Seen) -> Result<(), String> {
    let takes_forms = seen.path.contains("/audio/");
    // Without a body a request names no model: it is for the default provider.
    if seen.method != "POST" || (seen.body.is_empty() && takes_forms) {
        return Ok(());
    }
    let content_type = seen.header("content-type").unwrap_or_default();
    let model = match content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        true if takes_forms => form(&content_type, &seen.body)?,
        _ => json(&seen.body)?,
    };
    match model.filter(|model| model.starts_with("one:") || model.starts_with("two:")) {
        Some(model) => Err(format!("a model with its namespace, {model:?}")),
        None => Ok(()),
    }
}

/// The model of a JSON object; `None` where the model is half a surrogate pair, which JSON allows.
fn json(body: &[u8]) -> Result<Option<String>, String> {
    let begins = body.trim_ascii_start().starts_with(b"{");
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    if !begins || !is_json || std::str::from_utf8(body).is_err() {
        return Err("a body that is not a JSON object".to_owned());
    }
    let object: Option<Value> = serde_json::from_slice(body).ok();
    Ok(object.and_then(|object| object.get("model")?.as_str().map(str::to_owned)))
}

fn form(content_type: &str, body: &[u8]) -> Result<Option<String>, String> {
    let boundary = Boundary::parse(content_type.as_bytes()).map_err(|error| error.to_string())?;
    let mut scanner = FormScanner::new(boundary);
    let read = scanner.feed(body).and_then(|()| scanner.finish());
    read.map_err(|error| format!("a body that is not a form: {error}"))?;
    Ok(scanner.model().map(|found| found.value.clone()))
}
