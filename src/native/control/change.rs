//! A change of one setting: from the wish of a caller to the version that is in effect.
//!
//! ```text
//! key, value ── edited ──> the text of the file ── put ──> gaud.toml ──> the running Envoy
//!    └ a secret goes into a file of its own          └─ refused: the text before is put back
//! ```

use std::time::Duration;

use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::api::{Apply, Control, Put, answer};
use super::error::ApiError;
use super::secrets;
use super::settings::{EditError, Edited, MASK, SettingKey, change};
use crate::config::SecretSource;
use crate::native::settings::ConfigText;

/// How long a change may take to be in effect.
const APPLY_LIMIT: Duration = Duration::from_secs(30);

impl Control {
    /// Changes a setting, and answers when the change is in effect.
    pub(super) async fn set(
        &self,
        put: &Put,
        if_match: Option<&HeaderValue>,
    ) -> Result<Response, ApiError> {
        let key = SettingKey::parse(&put.key)
            .map_err(|problem| ApiError::bad_request(problem).about("key"))?;
        let config = self.config()?;
        let text = config.read().map_err(|error| ApiError::failed(error.to_string()))?;
        if if_match.is_some_and(|etag| etag.as_bytes() != config.etag(&text).as_bytes()) {
            return Err(ApiError::changed_meanwhile());
        }
        let loaded = config.load(&text);
        let variables =
            loaded.as_ref().map(|loaded| loaded.set_by_environment.as_slice()).unwrap_or_default();
        if let Some((_, variable)) = variables.iter().find(|(path, _)| *path == key.path()) {
            let message = format!(
                "The environment variable {variable} sets {key}, and the file has no say: change the variable."
            );
            return Err(ApiError::conflict("set_by_environment", message).about(put.key.clone()));
        }
        let outcome = self.applied(config, &text, &key, &put.value).await;
        // Secrets that the file does not name, or no longer names, are not kept.
        secrets::remove_unnamed(&self.data, &config.read().unwrap_or(text));
        let (Edited { text: changed, removed }, version) = outcome?;
        let waits = self.now().waits_for_restart;
        let is_waiting = |name: &&str| key.parts().first() == Some(name);
        let body = json!({
            "key": put.key, "applied": !waits.iter().any(is_waiting), "version": version, "removed": removed,
            "waits_for_restart": waits,
        });
        Ok(answer(body, Some(&config.etag(&changed))))
    }

    async fn applied(
        &self,
        config: &ConfigText,
        text: &str,
        key: &SettingKey,
        value: &Value,
    ) -> Result<(Edited, u64), ApiError> {
        let edited = self.edited(config, text, key, value)?;
        if edited.text == text {
            return Ok((edited, self.now().version));
        }
        let version = self.put(config, text, &edited.text).await?;
        Ok((edited, version))
    }

    fn edited(
        &self,
        config: &ConfigText,
        text: &str,
        key: &SettingKey,
        value: &Value,
    ) -> Result<Edited, ApiError> {
        let mut value = value.clone();
        for (provider, api_key) in api_keys(&key.parts(), &mut value) {
            match api_key.as_str() {
                Some(MASK) => *api_key = kept_api_key(text, &provider),
                _ => self.put_aside(&provider, api_key)?,
            }
        }
        let check = |text: &str| config.load(text).map(drop).map_err(|error| error.faults());
        change(text, key, &value, &check).map_err(|error| match error {
            EditError::File(problem) => {
                ApiError::conflict("bad_file", format!("The file is not TOML as it is: {problem}."))
            }
            EditError::Place(problem) => ApiError::invalid(problem).about(key.to_string()),
            EditError::Invalid(faults) => {
                let lines: Vec<_> =
                    faults.iter().map(|(path, problem)| format!("{path}: {problem}")).collect();
                ApiError::invalid(lines.join("\n")).about(key.to_string())
            }
        })
    }

    /// A key that is typed in goes into a file of its own, and the configuration names the file.
    fn put_aside(&self, provider: &str, api_key: &mut Value) -> Result<(), ApiError> {
        let Some(secret) = api_key.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
        if let SecretSource::Literal(_) = SecretSource::parse(secret) {
            let path = secrets::store(&self.data, provider, secret)
                .map_err(|error| ApiError::failed(format!("The key cannot be stored: {error}.")))?;
            *api_key = format!("file:{}", path.display()).into();
        }
        Ok(())
    }

    /// Writes the file, has Envoy take it, and puts the text before back where Envoy refuses.
    async fn put(&self, config: &ConfigText, before: &str, changed: &str) -> Result<u64, ApiError> {
        config.write(changed).map_err(|error| {
            let message = format!(
                "{} cannot be written ({error}): change it where it comes from.",
                config.path().display()
            );
            ApiError::conflict("read_only_file", message)
        })?;
        let (reply, applied) = oneshot::channel();
        let sent = self.changes.send(reply).await.is_ok();
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

/// The keys in a value, with their providers: of one provider's key, of a provider's table, or of all.
fn api_keys<'a>(parts: &[&str], value: &'a mut Value) -> Vec<(String, &'a mut Value)> {
    match parts {
        ["providers", provider, "api_key"] => vec![((*provider).to_owned(), value)],
        ["providers", provider] => {
            let key = value.get_mut("api_key");
            key.into_iter().map(|key| ((*provider).to_owned(), key)).collect()
        }
        ["providers"] => {
            let providers = value.as_object_mut().into_iter().flatten();
            providers
                .filter_map(|(name, own)| Some((name.clone(), own.get_mut("api_key")?)))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The key that a provider has in the file; `null` without a key.
fn kept_api_key(text: &str, provider: &str) -> Value {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let own = table.get("providers").and_then(|all| all.get(provider)?.get("api_key")?.as_str());
    own.map_or(Value::Null, Value::from)
}
