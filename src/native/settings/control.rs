//! The settings of the control server, compiled.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Env, Secrets, address, secrets};
use crate::config::{ConfigError, File, Secret, SecretSource};
use crate::gateway::ProviderUrl;
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
    pub server: Option<ProviderUrl>,
    /// What opens the feed of keys of `gaud serve`.
    pub token: Option<Secret>,
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
            server: own.server.as_deref().map(server).transpose()?,
            token,
        })
    }
}

/// The URL of `gaud serve`.
fn server(text: &str) -> Result<ProviderUrl, ConfigError> {
    let is_place = |url: &ProviderUrl| {
        let has_path = !url.own_path().is_empty() || text.ends_with("//");
        !has_path && !url.host.contains(':')
    };
    let problem = "must be the URL of gaud serve without a path, as \"http://gaud-control.gaud.svc.cluster.local:8480\"";
    let url = text.parse().ok().filter(is_place);
    url.ok_or_else(|| ConfigError::new("control.server", problem))
}
