//! Takes every secret out of the file and into Envoy's environment.
//!
//! Afterwards the file names variables only, so nothing that is rendered from the file can have a secret in it.

use std::collections::HashMap;
use std::fs::read_to_string;
use std::path::PathBuf;

use crate::config::{
    Auth, AuthFile, ConfigError, File, Lookup, ProviderFile, Secret, SecretSource, TokenFile,
};
use crate::native::os_error::words;
use percent_encoding::percent_decode_str;

use super::environment::{prefix, secret_variable, token_variable};
use super::literals::is_header;
use super::{ELSEWHERE, Env, Secrets};

/// What was taken out of a file.
#[derive(Default)]
pub(super) struct Lifted {
    /// The variables in the secrets' places, with the secrets.
    pub(super) environment: Vec<(String, String)>,
    /// The files that hold the secrets of some of the variables.
    pub(super) files: Vec<(String, PathBuf)>,
    /// The files that cannot be read here and need not be.
    pub(super) missing: Vec<String>,
}

/// Replaces the secrets of `file` by references.
pub(super) fn lift(file: &mut File, secrets: Secrets) -> Result<Lifted, ConfigError> {
    let mut lifted = Lifted::default();
    let mut owners: HashMap<String, String> = HashMap::new();
    for (name, provider) in &mut file.providers {
        let at = |field: &str| format!("providers.{name}.{field}");
        lift_password(name, provider)?;
        if let Some(key @ (SecretSource::Literal(_) | SecretSource::File(_))) = &provider.api_key {
            let variable = format!("{}_API_KEY", prefix(name));
            if let Some(owner) = owners.insert(variable.clone(), name.clone()) {
                let problem = format!(
                    "would share the variable {variable} with the key of {owner}; rename one of the \
                     two, or write \"os.environ/NAME\""
                );
                return Err(ConfigError::new(at("api_key"), problem));
            }
            let added = lifted.add(&variable, key, secrets);
            added.map_err(|problem| ConfigError::new(at("api_key"), problem))?;
            provider.api_key = Some(SecretSource::Environment(variable));
        }
        if let Some(AuthFile::Token(token)) = &mut provider.auth {
            lifted.add_token(name, token, secrets)?;
        }
        for (index, (header, value)) in provider.headers.iter_mut().enumerate() {
            let source = SecretSource::parse(value);
            if let SecretSource::File(_) = source {
                let variable = format!("{}_HEADER_{index}", prefix(name));
                let added = lifted.add(&variable, &source, secrets);
                let field = format!("headers.{}", header.escape_default());
                added.map_err(|problem| ConfigError::new(at(&field), problem))?;
                *value = SecretSource::reference(&variable);
            }
        }
    }
    Ok(lifted)
}

impl Lifted {
    /// The secret of a token, which Envoy adds.
    fn add_token(
        &mut self,
        name: &str,
        token: &mut TokenFile,
        secrets: Secrets,
    ) -> Result<(), ConfigError> {
        let (field, added) = match token {
            TokenFile::Oauth2(own) => {
                let variable = secret_variable(name);
                let added = self.add(&variable, &own.client_secret, secrets);
                if !matches!(own.client_secret, SecretSource::Environment(_)) {
                    own.client_secret = SecretSource::Environment(variable);
                }
                ("oauth2.client_secret", added)
            }
            TokenFile::TokenFile(path) => {
                let source = SecretSource::File(path.clone());
                ("token_file", self.add(&token_variable(name), &source, secrets))
            }
            // Envoy has the keys from elsewhere, and the tokens from `gaud run`.
            TokenFile::Aws(_) | TokenFile::RefreshToken(_) => return Ok(()),
        };
        added.map_err(|problem| ConfigError::new(format!("providers.{name}.auth.{field}"), problem))
    }

    fn add(
        &mut self,
        variable: &str,
        source: &SecretSource,
        secrets: Secrets,
    ) -> Result<(), String> {
        let value = match source {
            SecretSource::Environment(_) => return Ok(()),
            SecretSource::Literal(secret) => secret.expose().to_owned(),
            SecretSource::File(path) => {
                self.files.push((variable.to_owned(), PathBuf::from(path)));
                match (secrets, content(path)) {
                    (Secrets::Elsewhere, _) => ELSEWHERE.to_owned(),
                    (_, Ok(secret)) => secret,
                    (Secrets::Here, Err(problem)) => return Err(problem),
                    (Secrets::IfSet, Err(_)) => {
                        self.missing.push(path.clone());
                        ELSEWHERE.to_owned()
                    }
                }
            }
        };
        self.environment.push((variable.to_owned(), value));
        Ok(())
    }
}

/// A secret of the command's own, which no rendered text has, as it was written or as what it means.
pub(super) struct OwnSecret<T = Secret> {
    /// `None` without the setting, and where the secret is not known here and need not be.
    pub(super) value: Option<T>,
    /// The file that holds the secret.
    pub(super) file: Option<PathBuf>,
    /// The same, where it cannot be read here and need not be.
    pub(super) missing: Option<String>,
}

impl<T> Default for OwnSecret<T> {
    fn default() -> Self {
        Self { value: None, file: None, missing: None }
    }
}

impl OwnSecret {
    /// Reads a secret; `lookup` reads variables.
    pub(super) fn of(
        source: SecretSource,
        secrets: Secrets,
        lookup: Lookup<'_>,
    ) -> Result<Self, String> {
        let path = match source {
            SecretSource::Literal(secret) => {
                return Ok(Self { value: Some(secret), ..Self::default() });
            }
            SecretSource::Environment(name) => {
                let value = lookup(&name).filter(|value| value != ELSEWHERE);
                return Ok(Self { value: value.map(Secret::new), ..Self::default() });
            }
            SecretSource::File(path) => path,
        };
        let own = Self { file: Some(PathBuf::from(&path)), ..Self::default() };
        match (secrets, content(&path)) {
            (Secrets::Elsewhere, _) => Ok(own),
            (_, Ok(secret)) => Ok(Self { value: Some(Secret::new(secret)), ..own }),
            (Secrets::Here, Err(problem)) => Err(problem),
            (Secrets::IfSet, Err(_)) => Ok(Self { missing: Some(path), ..own }),
        }
    }

    /// What the secret means, where it is known.
    pub(super) fn parsed<T, E>(
        self,
        parse: impl FnOnce(Secret) -> Result<T, E>,
    ) -> Result<OwnSecret<T>, E> {
        let Self { value, file, missing } = self;
        Ok(OwnSecret { value: value.map(parse).transpose()?, file, missing })
    }
}

/// A secret that the command itself uses; `None` where the secret is elsewhere.
pub(super) fn read(
    source: &SecretSource,
    env: Env<'_>,
    secrets: Secrets,
) -> Result<Option<Secret>, String> {
    let found = match source {
        SecretSource::Literal(secret) => return Ok(Some(secret.clone())),
        SecretSource::Environment(name) => env(name)
            .and_then(|value| value.into_string().ok())
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the environment variable {name} is not set; set it")),
        SecretSource::File(path) => content(path),
    };
    match (found, secrets) {
        (Ok(secret), _) => Ok(Some(Secret::new(secret))),
        (Err(problem), Secrets::Here) => Err(problem),
        (Err(_), Secrets::IfSet | Secrets::Elsewhere) => Ok(None),
    }
}

/// The secret that a file holds, without the line break that editors add.
pub(super) fn content(path: &str) -> Result<String, String> {
    let text = read_to_string(path).map_err(|error| {
        format!("{path} cannot be read: {}; write the secret into that file", words(&error))
    })?;
    let secret = text.trim_end();
    if secret.is_empty() {
        return Err(format!("{path} is empty; write the secret into that file"));
    }
    if !is_header(secret) {
        return Err(format!(
            "{path} holds spaces at an end, a line break or a letter that is not ASCII, which no header can carry; write \
             the secret alone into that file"
        ));
    }
    Ok(secret.to_owned())
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
    provider.auth = Some(Auth::Basic.into());
    provider.api_key = Some(SecretSource::Literal(secret));
    Ok(())
}
