//! The credentials that Envoy adds, as its filters in the providers' clusters need them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{AwsFile, Secret};
use crate::names::clusters::{SECRET, TOKENS};
use crate::native::settings::{Issuer, Loaded, Token, TokenSource};

/// Where an Envoy that is not `gaud run`'s finds the secrets.
const FOLDER: &str = "/etc/gaud/credentials";

/// What Envoy adds to each request of a cluster: a signature for AWS, or a token.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Injection {
    secret: SecretPlace,
    /// Who is asked for tokens; none where the secret is the token.
    issuer: Option<IssuerPlace>,
    aws: Option<Signing>,
}

/// For whom requests are signed.
#[derive(Debug, Clone, Serialize)]
struct Signing {
    service: String,
    region: String,
    /// The host that is signed: Envoy writes the provider's host into the request later than the signature.
    host: String,
    unsigned_payload: bool,
    /// Whether a request without a signature is answered in the provider's place.
    is_checked: bool,
}

/// Where Envoy finds a secret.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SecretPlace {
    name: String,
    /// The file that Envoy watches, and its folder; none where the configuration itself says where the secret is.
    file: Option<String>,
    folder: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct IssuerPlace {
    uri: String,
    cluster: String,
    client_id: String,
    scopes: Vec<String>,
}

/// A secret that the configuration itself leads to. Without `variable` and `filename` the secret is empty.
#[derive(Serialize)]
pub(super) struct StaticSecret {
    name: String,
    variable: Option<String>,
    filename: Option<String>,
}

/// Where an Envoy finds secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In files that it watches.
    Files,
    /// The same for issuers; the configuration says where tokens are.
    FilesForIssuers,
    /// The configuration says where they are.
    Here,
}

/// The injections of all providers.
pub(super) struct Injections<'a> {
    tokens: &'a [Token],
    place: Place,
    /// The folder of the secrets of an Envoy whose configuration changes while it runs.
    live: Option<PathBuf>,
}

impl<'a> Injections<'a> {
    /// `live` is the folder of the secrets of an Envoy whose configuration changes while it runs.
    pub(super) fn of(loaded: &'a Loaded, place: Place, live: Option<&Path>) -> Self {
        Self { tokens: &loaded.tokens, place, live: live.map(Path::to_owned) }
    }

    /// Of a provider whose host is `host`.
    pub(super) fn provider(&self, provider: &str, host: &str) -> Option<Injection> {
        let token = self.tokens.iter().find(|token| token.provider == provider)?;
        let (issuer, aws) = match &token.source {
            TokenSource::Issuer(issuer) => (Some(IssuerPlace::of(provider, issuer)), None),
            TokenSource::File(_) | TokenSource::Refreshed(_) => (None, None),
            TokenSource::Aws(own) => (None, Some(Signing::of(own, host, self.has_empty_secrets()))),
        };
        Some(Injection { secret: self.secret(token), issuer, aws })
    }

    /// Whether Envoy can have an empty secret. A secret of a file needs a person who writes the file.
    fn has_empty_secrets(&self) -> bool {
        self.live.is_some() || self.place != Place::Files
    }

    fn secret(&self, token: &Token) -> SecretPlace {
        let name = secret_name(&token.provider);
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let folder = self.folder(token);
        let file = folder.as_ref().map(|folder| text(folder.join(file_name(&name))));
        SecretPlace { name, file, folder: folder.map(text) }
    }

    /// The folder of a token's secret; none where the configuration itself says where the secret is.
    fn folder(&self, token: &Token) -> Option<PathBuf> {
        let is_file = match self.place {
            Place::Files => true,
            Place::FilesForIssuers => matches!(token.source, TokenSource::Issuer(_)),
            Place::Here => false,
        };
        self.live.clone().or_else(|| is_file.then(|| PathBuf::from(FOLDER)))
    }

    /// The files with secrets that such an Envoy must have.
    pub(super) fn files(&self) -> Vec<SecretPlace> {
        let tokens = self.tokens.iter().filter(|token| token.variable.is_some());
        tokens.map(|token| self.secret(token)).filter(|secret| secret.file.is_some()).collect()
    }

    /// The secrets that the configuration itself leads to.
    pub(super) fn statics(&self) -> Vec<StaticSecret> {
        let secret = |token: &Token| {
            if self.folder(token).is_some() {
                return None;
            }
            let name = secret_name(&token.provider);
            match &token.source {
                TokenSource::Issuer(_) => {
                    Some(StaticSecret { name, variable: token.variable.clone(), filename: None })
                }
                TokenSource::File(path) => {
                    Some(StaticSecret { name, variable: None, filename: Some(path.clone()) })
                }
                TokenSource::Aws(_) => Some(StaticSecret { name, variable: None, filename: None }),
                TokenSource::Refreshed(_) => None,
            }
        };
        self.tokens.iter().filter_map(secret).collect()
    }

    /// Whether Envoy signs bodies.
    pub(super) fn sign_bodies(&self) -> bool {
        let signs =
            |token: &Token| matches!(&token.source, TokenSource::Aws(own) if !own.unsigned_payload);
        self.tokens.iter().any(signs)
    }
}

impl Signing {
    fn of(
        AwsFile { service, region, unsigned_payload }: &AwsFile,
        host: &str,
        is_checked: bool,
    ) -> Self {
        Self {
            service: service.clone(),
            region: region.clone(),
            host: host.to_owned(),
            unsigned_payload: *unsigned_payload,
            is_checked,
        }
    }
}

impl IssuerPlace {
    fn of(provider: &str, issuer: &Issuer) -> Self {
        Self {
            uri: issuer.text(),
            cluster: issuer_cluster(provider),
            client_id: issuer.client_id.clone(),
            scopes: issuer.scopes.clone(),
        }
    }
}

/// The issuers, each with the name of its cluster.
pub(super) fn issuers(loaded: &Loaded) -> impl Iterator<Item = (String, &Issuer)> {
    loaded.tokens.iter().filter_map(|token| match &token.source {
        TokenSource::Issuer(issuer) => Some((issuer_cluster(&token.provider), issuer)),
        TokenSource::File(_) | TokenSource::Refreshed(_) | TokenSource::Aws(_) => None,
    })
}

/// The cluster where the tokens of a provider are asked for.
fn issuer_cluster(provider: &str) -> String {
    format!("{TOKENS}{provider}")
}

fn secret_name(provider: &str) -> String {
    format!("{SECRET}{provider}")
}

fn file_name(secret: &str) -> String {
    format!("{secret}.yaml")
}

/// A secret as Envoy reads it from a file of its own: the name of the file, and a discovery response.
pub(super) fn secret_file(provider: &str, secret: &Secret) -> (String, String) {
    let name = secret_name(provider);
    let value = super::quote::quoted(secret.expose());
    let text = format!(
        "resources:\n- \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n  \
         name: {name}\n  generic_secret: {{ secret: {{ inline_string: {value} }} }}\n"
    );
    (file_name(&name), text)
}
