//! The variables that a configuration names and that are not set.

use crate::config::{AlertsFile, AuthFile, ConfigError, File, LitellmFile, SecretSource};

use super::{Env, is_name};

/// Whether a variable is not set, or empty.
pub(super) fn is_unset(name: &str, env: Env<'_>) -> bool {
    env(name).is_none_or(|value| value.is_empty())
}

/// The variables, each once.
pub(super) fn names(file: &File, env: Env<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, name) in places(file) {
        if is_unset(&name, env) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// An error for each place that names a variable which is not set.
pub(super) fn all(file: &File, env: Env<'_>) -> Vec<ConfigError> {
    let unset = places(file).into_iter().filter(|(_, name)| is_unset(name, env));
    let error = |(path, name): (String, String)| {
        let problem = format!(
            "the environment variable {name} is not set; set it where gaud starts, as in: export {name}=..."
        );
        ConfigError::new(path, problem)
    };
    unset.map(error).collect()
}

/// The settings that name a variable, and its name. A variable that the environment sets in the place of a setting makes
/// the setting's own needless.
fn places(file: &File) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for (provider, own) in &file.providers {
        if let Some(SecretSource::Environment(name)) = &own.api_key {
            places.push((format!("providers.{provider}.api_key"), name.clone()));
        }
        let token = own.auth.as_ref().and_then(AuthFile::token);
        for (field, source) in token.iter().flat_map(|token| token.secrets()) {
            if let SecretSource::Environment(name) = source {
                places.push((format!("providers.{provider}.auth.{field}"), name.clone()));
            }
        }
        for (header, value) in &own.headers {
            if let SecretSource::Environment(name) = SecretSource::parse(value) {
                places.push((format!("providers.{provider}.headers.{header}"), name));
            }
        }
    }
    if let Some(SecretSource::Environment(name)) = file.alerts.as_ref().map(|own| &own.url) {
        places.push((AlertsFile::URL.to_owned(), name.clone()));
    }
    let keys = file.litellm.as_ref().and_then(|own| own.keys.as_ref());
    if let Some(SecretSource::Environment(name)) = keys {
        places.push((LitellmFile::KEYS.to_owned(), name.clone()));
    }
    places.retain(|(_, name)| is_name(name));
    places
}
