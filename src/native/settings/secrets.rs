//! Takes every secret out of the file and into Envoy's environment.
//!
//! Afterwards the file names variables only, so nothing that is rendered from the file can have a secret in it.

use std::collections::HashMap;

use crate::config::{Auth, ConfigError, File, ProviderFile, Secret, SecretSource};
use percent_encoding::percent_decode_str;

use super::environment::prefix;

/// Replaces the secrets of `file` by references; returns the variables that they refer to.
pub(super) fn lift(file: &mut File) -> Result<Vec<(String, String)>, ConfigError> {
    let mut environment = Vec::new();
    let mut owners: HashMap<String, String> = HashMap::new();
    for (name, provider) in &mut file.providers {
        lift_password(name, provider)?;
        let Some(SecretSource::Literal(secret)) = &provider.api_key else { continue };
        let variable = format!("{}_API_KEY", prefix(name));
        if let Some(owner) = owners.insert(variable.clone(), name.clone()) {
            let problem = format!(
                "would share the variable {variable} with the key of {owner}; rename one of the \
                 two, or write \"os.environ/NAME\""
            );
            return Err(ConfigError::new(format!("providers.{name}.api_key"), problem));
        }
        environment.push((variable.clone(), secret.expose().to_owned()));
        provider.api_key = Some(SecretSource::Environment(variable));
    }
    Ok(environment)
}

/// `http://user:password@host` is short for basic authentication.
fn lift_password(name: &str, provider: &mut ProviderFile) -> Result<(), ConfigError> {
    let Some((scheme, rest)) = provider.url.as_deref().and_then(|url| url.split_once("://")) else {
        return Ok(());
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return Ok(()) };
    let at = |problem| Err(ConfigError::new(format!("providers.{name}.url"), problem));
    if provider.api_key.is_some() || provider.auth.is_some() {
        return at(
            "has a user and password beside an api_key or auth, and a request has room for \
                   one of them; take one out",
        );
    }
    let Ok(decoded) = percent_decode_str(user).decode_utf8() else {
        return at("has a user or password that is not UTF-8");
    };
    if !decoded.contains(':') {
        return at("has a user without a password; write http://user:password@host");
    }
    let secret = Secret::new(decoded);
    let without = rest.get(user.len().saturating_add(1)..).unwrap_or_default();
    provider.url = Some(format!("{scheme}://{without}"));
    provider.auth = Some(Auth::Basic);
    provider.api_key = Some(SecretSource::Literal(secret));
    Ok(())
}
