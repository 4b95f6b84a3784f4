//! A change of settings: from the wish of a caller to the version that is in effect.
//!
//! ```text
//! key, value ── edited ──> the text of the file ── put ──> gaud.toml ──> the running Envoy
//!    └ a secret goes into a file of its own          └─ refused: the text before is put back
//! ```

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::api::{Apply, Beside, Control, Shared, answer, from_object, now_secs};
use super::error::ApiError;
use super::secrets;
use super::settings::{EditError, Edited, MASK, SettingKey, change, is_secret_place};
use super::store::Audit;
use crate::config::SecretSource;
use crate::native::settings::{ConfigText, SetByEnvironment};

/// How long a change may take to be in effect.
const APPLY_LIMIT: Duration = Duration::from_secs(30);

/// A change of one setting.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Put {
    pub(super) key: String,
    /// `null` and the empty text clear the setting.
    pub(super) value: Value,
}

pub(super) async fn set(
    State(control): Shared,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let wrong = |error: serde_json::Error| {
        ApiError::bad_request(format!("The body is not {{\"key\": \"…\", \"value\": …}}: {error}."))
    };
    let put: Put = from_object(&body).map_err(wrong)?;
    let if_match = headers.get(IF_MATCH).map(HeaderValue::as_bytes);
    let changed = control.set(&caller, std::slice::from_ref(&put), if_match).await?;
    let Changed { etag, version, removed, waits } = &changed;
    let body = json!({
        "key": put.key, "applied": !changed.waits_for(&put.key), "version": version, "removed": removed,
        "waits_for_restart": waits,
    });
    Ok(answer(body, Some(etag)))
}

/// Changes that are in effect, or that wait for a restart.
pub(super) struct Changed {
    /// Of the file as it is now.
    pub(super) etag: String,
    pub(super) version: u64,
    /// The settings that went with those that were removed, because they named them.
    pub(super) removed: Vec<String>,
    /// The settings that wait for a restart.
    pub(super) waits: Vec<&'static str>,
}

/// Which faults refuse a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    /// Those of the setting itself: of several changes the next may mend the rest, as a certificate's key does.
    Own,
}

impl Changed {
    /// Whether a setting, or a part of it, waits for a restart.
    pub(super) fn waits_for(&self, key: &str) -> bool {
        let path = SettingKey::parse(key).map(|key| key.path()).unwrap_or_default();
        let is_below = |path: &str, name: &str| {
            path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.waits.iter().any(|name| is_below(&path, name) || is_below(name, &path))
    }
}

impl Control {
    /// Changes settings, all or none, and returns when the changes are in effect. Each is in the audit.
    pub(super) async fn set(
        &self,
        caller: &str,
        puts: &[Put],
        if_match: Option<&[u8]>,
    ) -> Result<Changed, ApiError> {
        let _writer = self.writer.lock().await;
        let outcome = self.change(puts, if_match).await;
        let outcome_word = outcome.as_ref().map_or_else(ApiError::code, |_| "applied");
        for put in puts {
            self.store.audit(&Audit {
                at_secs: now_secs(),
                key_id: caller,
                action: "set",
                subject: &put.key,
                outcome: outcome_word,
            })?;
        }
        outcome
    }

    async fn change(&self, puts: &[Put], if_match: Option<&[u8]>) -> Result<Changed, ApiError> {
        let key = |put: &Put| {
            SettingKey::parse(&put.key)
                .map_err(|problem| ApiError::bad_request(problem).about("key"))
        };
        let keys = puts.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        let config = self.config()?;
        self.beside()?;
        let text = config.read().map_err(|error| ApiError::failed(error.to_string()))?;
        if if_match.is_some_and(|etag| etag != config.etag(&text).as_bytes()) {
            return Err(ApiError::changed_meanwhile());
        }
        refuse_set_by_environment(config, &text, &keys)?;
        let pairs: Vec<_> = keys.iter().zip(puts.iter().map(|put| &put.value)).collect();
        let outcome = self.applied(config, &text, &pairs).await;
        // Secrets that the file does not name, or no longer names, are not kept.
        secrets::remove_unnamed(&self.data, &config.read().unwrap_or(text));
        let (Edited { text, removed }, version) = outcome?;
        let waits = self.now().waits_for_restart;
        Ok(Changed { etag: config.etag(&text), version, removed, waits })
    }

    async fn applied(
        &self,
        config: &ConfigText,
        text: &str,
        changes: &[(&SettingKey, &Value)],
    ) -> Result<(Edited, u64), ApiError> {
        let is_one = changes.len() == 1;
        let mut all = Edited { text: text.to_owned(), removed: Vec::new() };
        let mut faults = Vec::new();
        for (key, value) in changes {
            let scope = if is_one { Scope::All } else { Scope::Own };
            match self.edited(config, &all.text, key, value, scope) {
                Ok(Edited { text, removed }) => {
                    all.text = text;
                    all.removed.extend(removed);
                }
                Err(error) if !is_one && !error.faults().is_empty() => {
                    faults.extend_from_slice(error.faults());
                }
                Err(error) => return Err(error),
            }
        }
        if !faults.is_empty() {
            return Err(ApiError::faulty(faults));
        }
        if !is_one {
            config.load(&all.text).map_err(|error| ApiError::faulty(error.faults()))?;
        }
        if all.text == text {
            return Ok((all, self.now().version));
        }
        let version = self.put(config, text, &all.text).await?;
        Ok((all, version))
    }

    fn beside(&self) -> Result<&Beside, ApiError> {
        let message = "gaud serve has no Envoy beside it that could take a change: change the file of each gateway.";
        self.beside.as_ref().ok_or_else(|| ApiError::conflict("no_envoy", message))
    }

    /// What would go with a setting that is removed.
    pub(super) fn would_remove(&self, key: &str) -> Result<Vec<String>, ApiError> {
        let key = SettingKey::parse(key).map_err(ApiError::bad_request)?;
        let config = self.config()?;
        let text = config.read().map_err(|error| ApiError::failed(error.to_string()))?;
        Ok(self.edited(config, &text, &key, &Value::Null, Scope::All)?.removed)
    }

    fn edited(
        &self,
        config: &ConfigText,
        text: &str,
        key: &SettingKey,
        value: &Value,
        scope: Scope,
    ) -> Result<Edited, ApiError> {
        let mut value = value.clone();
        let parts: Vec<_> = key.parts().into_iter().map(str::to_owned).collect();
        for (parts, secret) in secrets_in(parts, &mut value) {
            match secret.as_str() {
                Some(MASK) => *secret = kept(text, &parts),
                _ => self.put_aside(&parts, secret)?,
            }
        }
        let path = key.path();
        let check = |text: &str| {
            let Err(error) = config.load(text) else { return Ok(()) };
            let mut faults = error.faults();
            faults.retain(|(own, _)| scope == Scope::All || own.starts_with(&path));
            if faults.is_empty() { Ok(()) } else { Err(faults) }
        };
        change(text, key, &value, &check).map_err(|error| match error {
            EditError::File(problem) => {
                ApiError::conflict("bad_file", format!("The file is not TOML as it is: {problem}."))
            }
            EditError::Place(problem) => ApiError::invalid(problem).about(key.to_string()),
            EditError::Invalid(faults) => ApiError::faulty(faults).about(key.to_string()),
        })
    }

    /// A secret that is typed in goes into a file of its own, and the configuration names the file.
    fn put_aside(&self, parts: &[String], value: &mut Value) -> Result<(), ApiError> {
        let Some(secret) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
        if let SecretSource::Literal(_) = SecretSource::parse(secret) {
            let name = match parts {
                [_, provider, _] => provider.clone(),
                parts => parts.join("-"),
            };
            let path = secrets::store(&self.data, &name, secret)
                .map_err(|error| ApiError::failed(format!("The key cannot be stored: {error}.")))?;
            *value = format!("file:{}", path.display()).into();
        }
        Ok(())
    }

    /// Writes the file, has Envoy take it, and puts the text before back where Envoy refuses.
    async fn put(&self, config: &ConfigText, before: &str, changed: &str) -> Result<u64, ApiError> {
        let beside = self.beside()?;
        config.write(changed).map_err(|error| {
            let message = format!(
                "{} cannot be written ({error}): change it where it comes from.",
                config.path().display()
            );
            ApiError::conflict("read_only_file", message)
        })?;
        let (reply, applied) = oneshot::channel();
        let sent = beside.changes.send(reply).await.is_ok();
        match timeout(APPLY_LIMIT, applied).await {
            Ok(Ok(Apply::Version(version))) if sent => Ok(version),
            Ok(Ok(Apply::Refused(problem))) => {
                // The text before is in effect, so it can be written again.
                let _ = config.write(before);
                Err(ApiError::invalid(problem))
            }
            _ => Err(ApiError::failed(
                "The change is in the file, and Envoy has not said that it is in effect.",
            )),
        }
    }
}

fn refuse_set_by_environment(
    config: &ConfigText,
    text: &str,
    keys: &[SettingKey],
) -> Result<(), ApiError> {
    let Ok(loaded) = config.load(text) else { return Ok(()) };
    for key in keys {
        let path = key.path();
        let overrides = |own: &&SetByEnvironment| own.overrides && own.path == path;
        if let Some(own) = loaded.set_by_environment.iter().find(overrides) {
            let variable = &own.variable;
            let message = format!(
                "The environment variable {variable} sets {key}, and the file has no say: change the variable."
            );
            let conflict = ApiError::conflict("set_by_environment", message);
            return Err(conflict.about(key.to_string()));
        }
    }
    Ok(())
}

/// The secrets in the value of a setting, with their places: the setting is a secret, or a table with secrets.
fn secrets_in(parts: Vec<String>, value: &mut Value) -> Vec<(Vec<String>, &mut Value)> {
    if is_secret_place(&parts) {
        return vec![(parts, value)];
    }
    let Value::Object(table) = value else { return Vec::new() };
    let below = |(name, value)| {
        let parts = parts.iter().cloned().chain([String::clone(name)]).collect();
        secrets_in(parts, value)
    };
    table.iter_mut().flat_map(below).collect()
}

/// The secret that a place has in the file; `null` without a secret.
fn kept(text: &str, parts: &[String]) -> Value {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let mut place = Some(&toml::Value::Table(table));
    for part in parts {
        place = place.and_then(|table| table.get(part));
    }
    place.and_then(toml::Value::as_str).map_or(Value::Null, Value::from)
}
