//! Settings from the environment: `GAUD_<PROVIDER>_…` overrides the file.

use crate::config::{ConfigError, File, ProviderFile, SecretSource};

use super::Env;

/// The provider that variables can create without a file.
const LITELLM: &str = "litellm";

/// Where LiteLLM is unless a variable or the file says a place.
const LITELLM_URL: &str = "http://localhost:4000";

/// A setting whose value is a variable's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetByEnvironment {
    /// Of the setting.
    pub path: String,
    pub variable: String,
    /// Whether the file has no say. LiteLLM's own variables count only where the file has nothing.
    pub overrides: bool,
}

#[derive(Debug, Default)]
pub(super) struct Origins(Vec<SetByEnvironment>);

impl Origins {
    fn note(&mut self, provider: &str, field: &str, variable: &str) {
        self.add(provider, field, variable, true);
    }

    fn note_last_resort(&mut self, provider: &str, field: &str, variable: &str) {
        self.add(provider, field, variable, false);
    }

    fn add(&mut self, provider: &str, field: &str, variable: &str, overrides: bool) {
        let path = format!("providers.{provider}.{field}");
        self.0.retain(|own| own.path != path);
        self.0.push(SetByEnvironment { path, variable: variable.to_owned(), overrides });
    }

    pub(super) fn all(&self) -> Vec<SetByEnvironment> {
        self.0.clone()
    }

    /// The same error at its place: the variable, where one has set what is wrong.
    pub(super) fn named(&self, error: ConfigError) -> ConfigError {
        match self.0.iter().find(|own| own.path == error.path) {
            Some(own) => ConfigError::new(own.variable.clone(), error.problem),
            None => error,
        }
    }
}

/// Overrides the file's settings by the environment's.
pub(super) fn overlay(file: &mut File, env: Env<'_>) -> Result<Origins, ConfigError> {
    let mut origins = Origins::default();
    let env = |name: &str| text(env, name);
    if file.providers.get_mut(LITELLM).is_none() && (env("GAUD_LITELLM_URL")?).is_some() {
        file.providers.insert(LITELLM.to_owned(), ProviderFile::default());
    }
    last_resort(file, &env, &mut origins)?;
    for (name, provider) in &mut file.providers {
        let prefix = prefix(name);
        let variable = format!("{prefix}_URL");
        if let Some(url) = env(&variable)? {
            origins.note(name, "url", &variable);
            provider.url = Some(url);
            provider.cluster = None;
        }
        let key = format!("{prefix}_API_KEY");
        if env(&key)?.is_some() {
            origins.note(name, "api_key", &key);
            provider.api_key = Some(SecretSource::Environment(key));
        }
        let discover = format!("{prefix}_DISCOVER");
        if let Some(value) = env(&discover)? {
            origins.note(name, "discover_models", &discover);
            provider.discover_models = Some(boolean(&discover, &value)?);
        }
        let timeout = format!("{prefix}_TIMEOUT");
        if let Some(value) = env(&timeout)? {
            origins.note(name, "timeout_secs", &timeout);
            provider.timeout_secs = Some(seconds(&timeout, &value)?);
        }
    }
    Ok(origins)
}

/// LiteLLM's variables, for what neither the file nor `GAUD_LITELLM_…` sets.
fn last_resort(
    file: &mut File,
    env: &impl Fn(&str) -> Result<Option<String>, ConfigError>,
    origins: &mut Origins,
) -> Result<(), ConfigError> {
    let enabled =
        env("LITELLM_ENABLED")?.map(|own| boolean("LITELLM_ENABLED", &own)).transpose()?;
    if enabled == Some(false) {
        return Ok(());
    }
    let url = match env("LITELLM_BASE_URL")? {
        None if enabled.is_some() => Some((LITELLM_URL.to_owned(), "LITELLM_ENABLED")),
        url => url.map(|url| (url, "LITELLM_BASE_URL")),
    };
    if file.providers.get_mut(LITELLM).is_none() && url.is_some() {
        file.providers.insert(LITELLM.to_owned(), ProviderFile::default());
    }
    let Some(provider) = file.providers.get_mut(LITELLM) else { return Ok(()) };
    if provider.url.is_none()
        && provider.cluster.is_none()
        && let Some((url, variable)) = url
    {
        origins.note_last_resort(LITELLM, "url", variable);
        provider.url = Some(url);
    }
    if provider.api_key.is_none() && provider.auth.is_none() && !has_password(provider) {
        let name = "LITELLM_API_KEY";
        if env(name)?.is_some() {
            origins.note_last_resort(LITELLM, "api_key", name);
            provider.api_key = Some(SecretSource::Environment(name.to_owned()));
        }
    }
    Ok(())
}

fn has_password(provider: &ProviderFile) -> bool {
    provider.url.as_ref().is_some_and(|url| url.contains('@'))
}

/// The prefix of a provider's variables: `GAUD_MY_PROVIDER`.
pub(super) fn prefix(provider: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("GAUD_{}", provider.chars().map(letter).collect::<String>())
}

/// The variable with the secret of a client that asks an issuer for tokens.
pub(super) fn secret_variable(provider: &str) -> String {
    format!("{}_CLIENT_SECRET", prefix(provider))
}

/// The variable with a token that something else rotates.
pub(super) fn token_variable(provider: &str) -> String {
    format!("{}_TOKEN", prefix(provider))
}

/// An empty variable counts as not set.
fn text(env: Env<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    match env(name).map(std::ffi::OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value).filter(|value| !value.is_empty())),
        Some(Err(_)) => Err(ConfigError::new(name, "is not UTF-8")),
    }
}

fn boolean(name: &str, value: &str) -> Result<bool, ConfigError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(ConfigError::new(name, "must be true or false")),
    }
}

fn seconds(name: &str, value: &str) -> Result<u64, ConfigError> {
    value.parse().map_err(|_| ConfigError::new(name, "must be a number of seconds"))
}
