//! What no provider may see, however the client has written it.

use super::{KEYS, Message};
use gaud::body::{Boundary, FormScanner};
use serde_json::Value;

/// Headers that are the gateway's own business.
const PRIVATE: [&str; 2] = ["x-gaud-", "x-envoy-"];

/// Judges a whole request.
pub(super) fn judge(request: &Message) -> Result<(), String> {
    let [_, path, _] = &request.start;
    if path.contains("smuggled") {
        return Err("a request that was hidden in another".to_owned());
    }
    // Envoy's router tells providers how long it waits.
    let is_private = |name: &&str| {
        PRIVATE.iter().any(|own| name.starts_with(own)) && *name != "x-envoy-expected-rq-timeout-ms"
    };
    if let Some(name) = request.names().find(is_private) {
        return Err(format!("a header {name}"));
    }
    let plain = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    if ["/v1/chat/completions", "/v1/audio/transcriptions"].contains(&plain) {
        credential(request)?;
        body(request)?;
    }
    Ok(())
}

fn credential(request: &Message) -> Result<(), String> {
    let sent = request.header("authorization").unwrap_or_default();
    let is_own = KEYS.iter().any(|(_, key)| sent == format!("Bearer {key}"));
    let count = request.names().filter(|name| *name == "authorization").count();
    let others = ["x-api-key", "api-key", "cookie", "proxy-authorization"];
    let foreign = request.names().any(|name| others.contains(&name));
    match is_own && count == 1 && !foreign {
        true => Ok(()),
        false => Err("a credential that is not the provider's own".to_owned()),
    }
}

fn body(request: &Message) -> Result<(), String> {
    // An empty body names no model: it is the default provider's, where one need not be there.
    if request.start[0] != "POST"
        || (request.body.is_empty() && request.start[1].contains("/audio/"))
    {
        return Ok(());
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let model = match content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        true if request.start[1].contains("/audio/") => form(&content_type, &request.body)?,
        _ => json(&request.body)?,
    };
    match model.filter(|model| model.starts_with("one:") || model.starts_with("two:")) {
        Some(model) => Err(format!("a model with its namespace, {model:?}")),
        None => Ok(()),
    }
}

/// The model of a JSON object. Half a surrogate pair is one of JSON's strings; then there is none.
fn json(body: &[u8]) -> Result<Option<String>, String> {
    let begins = body.trim_ascii_start().starts_with(b"{");
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    if !begins || !is_json || std::str::from_utf8(body).is_err() {
        return Err("a body that is no JSON object".to_owned());
    }
    let object: Option<Value> = serde_json::from_slice(body).ok();
    Ok(object.and_then(|object| object.get("model")?.as_str().map(str::to_owned)))
}

fn form(content_type: &str, body: &[u8]) -> Result<Option<String>, String> {
    let boundary = Boundary::parse(content_type.as_bytes()).map_err(|error| error.to_string())?;
    let mut scanner = FormScanner::new(boundary);
    let read = scanner.feed(body).and_then(|()| scanner.finish());
    read.map_err(|error| format!("a body that is no form: {error}"))?;
    Ok(scanner.model().map(|found| found.value.clone()))
}
