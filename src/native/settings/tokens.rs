//! Where the credentials come from that Envoy adds, read and checked.

use std::path::PathBuf;

use crate::config::{
    AuthFile, AwsFile, ConfigError, File, Lookup, Oauth2File, RefreshTokenFile, Secret,
    SecretSource, TokenFile,
};
use crate::gateway::ProviderUrl;

use super::Secrets;
use super::environment::token_variable;
use super::secrets::OwnSecret;

/// A credential that Envoy adds to a provider's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub provider: String,
    /// The variable that has the secret: the token itself, or the client's secret. None where Envoy has the secret from elsewhere.
    pub variable: Option<String>,
    pub source: TokenSource,
}

/// Where a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// Envoy asks an issuer, as a client with a secret.
    Issuer(Issuer),
    /// A file that something else rotates.
    File(String),
    /// `gaud run` gets tokens for a refresh token, and gives them to Envoy in a file.
    Refreshed(Box<Refresh>),
    /// Envoy signs each request for AWS, with the keys that it finds as AWS's tools do.
    Aws(AwsFile),
}

/// Who gives tokens, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    pub url: ProviderUrl,
    pub client_id: String,
    pub scopes: Vec<String>,
}

/// Who gives tokens for a refresh token, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    pub issuer: Issuer,
    /// Where `gaud login` asks for a code.
    pub device: Option<ProviderUrl>,
    pub client_secret: Option<Secret>,
    /// The refresh token to begin with.
    pub first: Option<Secret>,
    /// The files that hold these secrets.
    pub files: Vec<PathBuf>,
}

/// What the file says of tokens.
#[derive(Default)]
pub(super) struct Tokens {
    /// Of all providers, in the order of the file.
    pub(super) all: Vec<Token>,
    /// The files that cannot be read here and need not be.
    pub(super) missing: Vec<String>,
}

/// Compiles the tokens of all providers, and takes the secrets of refresh tokens out of the file: Envoy needs none of them.
pub(super) fn take(
    file: &mut File,
    secrets: Secrets,
    lookup: Lookup<'_>,
) -> Result<Tokens, ConfigError> {
    let mut tokens = Tokens::default();
    for (provider, own) in &mut file.providers {
        let Some(AuthFile::Token(token)) = &mut own.auth else { continue };
        let source = match token {
            TokenFile::Oauth2(own) => TokenSource::Issuer(issuer(provider, own)?),
            TokenFile::TokenFile(path) => TokenSource::File(path.clone()),
            TokenFile::Aws(own) => TokenSource::Aws(signing(provider, own)?),
            TokenFile::RefreshToken(own) => {
                let taken = tokens.refresh(provider, own, secrets, lookup)?;
                TokenSource::Refreshed(Box::new(taken))
            }
        };
        let variable = variable(provider, token);
        tokens.all.push(Token { provider: provider.clone(), variable, source });
    }
    Ok(tokens)
}

impl Issuer {
    /// Where tokens are asked for.
    pub fn text(&self) -> String {
        let scheme = if self.url.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.url.authority(), self.url.own_path())
    }
}

impl Tokens {
    fn refresh(
        &mut self,
        provider: &str,
        file: &mut RefreshTokenFile,
        secrets: Secrets,
        lookup: Lookup<'_>,
    ) -> Result<Refresh, ConfigError> {
        let at = |field: &str| format!("providers.{provider}.auth.refresh_token.{field}");
        if file.token.is_none() && file.device_url.is_none() {
            let problem = "needs `token`, the first refresh token, or `device_url`, where `gaud login` gets one";
            return Err(ConfigError::new(at("").trim_end_matches('.'), problem));
        }
        let device = file.device_url.as_deref().map(|url| {
            issuer_url(url).ok_or_else(|| ConfigError::new(at("device_url"), DEVICE_URL))
        });
        let issuer = issuer_of(&file.token_url, &file.client_id, &file.scopes, at)?;
        let mut files = Vec::new();
        let mut secret = |field: &str, source: Option<SecretSource>| {
            let Some(source) = source else { return Ok(None) };
            let own = OwnSecret::of(source, secrets, lookup);
            let own = own.map_err(|problem| ConfigError::new(at(field), problem))?;
            files.extend(own.file);
            self.missing.extend(own.missing);
            Ok(own.value)
        };
        let client_secret = secret("client_secret", file.client_secret.take())?;
        let first = secret("token", file.token.take())?;
        Ok(Refresh { issuer, device: device.transpose()?, client_secret, first, files })
    }
}

/// The variable that has a token's secret once the secret is out of the file.
fn variable(provider: &str, token: &TokenFile) -> Option<String> {
    match token {
        TokenFile::Oauth2(Oauth2File {
            client_secret: SecretSource::Environment(name), ..
        }) => Some(name.clone()),
        TokenFile::Oauth2(_) | TokenFile::Aws(_) | TokenFile::RefreshToken(_) => None,
        TokenFile::TokenFile(_) => Some(token_variable(provider)),
    }
}

fn issuer(provider: &str, file: &Oauth2File) -> Result<Issuer, ConfigError> {
    let at = |field: &str| format!("providers.{provider}.auth.oauth2.{field}");
    issuer_of(&file.token_url, &file.client_id, &file.scopes, at)
}

const TOKEN_URL: &str = "must be the URL where the issuer gives tokens, as in \"https://issuer.example.com/oauth/token\"";
const DEVICE_URL: &str = "must be the URL where the issuer gives codes, as in \"https://issuer.example.com/oauth/device/code\"";

fn issuer_url(text: &str) -> Option<ProviderUrl> {
    text.parse().ok()
}

/// Checks a URL, a client's id and scopes; `at` is the path of a field.
fn issuer_of(
    token_url: &str,
    client_id: &str,
    scopes: &[String],
    at: impl Fn(&str) -> String,
) -> Result<Issuer, ConfigError> {
    let url = issuer_url(token_url).ok_or_else(|| ConfigError::new(at("token_url"), TOKEN_URL))?;
    if client_id.is_empty() {
        return Err(ConfigError::new(at("client_id"), "is empty; write the client's id"));
    }
    if let Some(scope) = scopes.iter().find(|scope| !is_scope(scope)) {
        let problem = format!(
            "\"{}\" is not a scope; write each scope as a text of its own",
            scope.escape_default()
        );
        return Err(ConfigError::new(at("scopes"), problem));
    }
    Ok(Issuer { url, client_id: client_id.to_owned(), scopes: scopes.to_vec() })
}

fn signing(provider: &str, file: &AwsFile) -> Result<AwsFile, ConfigError> {
    let is_name = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !text.is_empty() && text.bytes().all(allowed)
    };
    for (field, text, example) in
        [("service", &file.service, "bedrock"), ("region", &file.region, "us-east-1")]
    {
        if !is_name(text) {
            let problem =
                format!("must be lower-case letters, digits and '-', as in \"{example}\"");
            let path = format!("providers.{provider}.auth.aws.{field}");
            return Err(ConfigError::new(path, problem));
        }
    }
    Ok(file.clone())
}

/// RFC 6749, appendix A.4.
fn is_scope(scope: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
    !scope.is_empty() && scope.bytes().all(allowed)
}
