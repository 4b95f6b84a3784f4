//! Where the credentials come from that Envoy adds, read and checked.

use crate::config::{AwsFile, ConfigError, File, Oauth2File, SecretSource, TokenFile};
use crate::gateway::ProviderUrl;

use super::environment::prefix;

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

/// The tokens of all providers, in the order of the file.
pub(super) fn compile(file: &File) -> Result<Vec<Token>, ConfigError> {
    let mut tokens = Vec::new();
    for (provider, own) in file.providers.iter() {
        let Some(token) = own.auth.as_ref().and_then(|auth| auth.token()) else { continue };
        let source = match token {
            TokenFile::Oauth2(own) => TokenSource::Issuer(issuer(provider, own)?),
            TokenFile::TokenFile(path) => TokenSource::File(path.clone()),
            TokenFile::Aws(own) => TokenSource::Aws(signing(provider, own)?),
        };
        let variable = variable(provider, token);
        tokens.push(Token { provider: provider.clone(), variable, source });
    }
    Ok(tokens)
}

/// The variable that has a token's secret once the secret is out of the file.
fn variable(provider: &str, token: &TokenFile) -> Option<String> {
    match token {
        TokenFile::Oauth2(Oauth2File {
            client_secret: SecretSource::Environment(name), ..
        }) => Some(name.clone()),
        TokenFile::Oauth2(_) | TokenFile::Aws(_) => None,
        TokenFile::TokenFile(_) => Some(token_variable(provider)),
    }
}

pub(super) fn secret_variable(provider: &str) -> String {
    format!("{}_CLIENT_SECRET", prefix(provider))
}

pub(super) fn token_variable(provider: &str) -> String {
    format!("{}_TOKEN", prefix(provider))
}

fn issuer(provider: &str, file: &Oauth2File) -> Result<Issuer, ConfigError> {
    let error = |field: &str, problem: String| {
        ConfigError::new(format!("providers.{provider}.auth.oauth2.{field}"), problem)
    };
    let url: ProviderUrl = file.token_url.parse().map_err(|_| {
        let problem = "must be the URL where the issuer gives tokens, as in \"https://issuer.example.com/oauth/token\"";
        error("token_url", problem.to_owned())
    })?;
    if file.client_id.is_empty() {
        return Err(error("client_id", "is empty; write the client's id".to_owned()));
    }
    if let Some(scope) = file.scopes.iter().find(|scope| !is_scope(scope)) {
        let problem = format!(
            "\"{}\" is not a scope; write each scope as a text of its own",
            scope.escape_default()
        );
        return Err(error("scopes", problem));
    }
    let (client_id, scopes) = (file.client_id.clone(), file.scopes.clone());
    Ok(Issuer { url, client_id, scopes })
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
