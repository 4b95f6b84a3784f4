//! The settings of the control server, compiled.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Env, Secrets, address, secrets};
use crate::config::{ConfigError, File, Secret, SecretSource};
use crate::native::database::PostgresUrl;

/// Where `gaud serve` listens, unless the configuration says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8480);

/// The shortest token: 20 characters of base 32 have 100 bits.
const TOKEN_CHARS_MIN: usize = 20;

/// The control server, and the way to a control server elsewhere.
#[derive(Debug, Clone)]
pub struct ControlSettings {
    /// `None` for SQLite in the data folder.
    pub(crate) database: Option<PostgresUrl>,
    /// Where `gaud serve` listens.
    pub listen: SocketAddr,
    /// Where the filter of an Envoy elsewhere finds `gaud serve`.
    pub server: Option<ServerPlace>,
    /// What opens the feed of keys of `gaud serve`.
    pub token: Option<Secret>,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerPlace {
    pub host: String,
    pub port: u16,
    pub is_tls: bool,
}

impl ControlSettings {
    pub(super) fn of(file: &File, env: Env<'_>, secrets: Secrets) -> Result<Self, ConfigError> {
        let own = file.control.clone().unwrap_or_default();
        let secret = |path: &str, source: Option<&SecretSource>| {
            let read = source.map(|source| secrets::read(source, env, secrets)).transpose();
            read.map(Option::flatten).map_err(|problem| ConfigError::new(path, problem))
        };
        let database = secret("control.database", own.database.as_ref())?;
        let url = database.map(|url| PostgresUrl::parse(url.expose())).transpose();
        let token = secret("control.token", own.token.as_ref())?;
        if token.as_ref().is_some_and(|token| token.expose().len() < TOKEN_CHARS_MIN) {
            let problem = format!(
                "is shorter than {TOKEN_CHARS_MIN} characters, and opens the hashes of all keys; write a random one, as \
                 `openssl rand -hex 32` makes it"
            );
            return Err(ConfigError::new("control.token", problem));
        }
        Ok(Self {
            database: url.map_err(|problem| ConfigError::new("control.database", problem))?,
            listen: address("control.listen", own.listen.as_deref(), LISTEN)?,
            server: own.server.as_deref().map(ServerPlace::parse).transpose()?,
            token,
        })
    }
}

impl ServerPlace {
    fn parse(url: &str) -> Result<Self, ConfigError> {
        let read = || {
            let (scheme, rest) = url.split_once("://")?;
            let is_tls = match scheme {
                "http" => false,
                "https" => true,
                _ => return None,
            };
            let authority = rest.strip_suffix('/').unwrap_or(rest);
            let usual = if is_tls { 443 } else { 80 };
            let (host, port) = match authority.rsplit_once(':') {
                Some((host, port)) => (host, port.parse().ok()?),
                None => (authority, usual),
            };
            let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            let is_host = !host.is_empty() && host.chars().all(is_good);
            is_host.then(|| Self { host: host.to_owned(), port, is_tls })
        };
        let problem = "must be the URL of gaud serve without a path, as \"http://gaud-control.gaud.svc.cluster.local:8480\"";
        read().ok_or_else(|| ConfigError::new("control.server", problem))
    }
}
