//! A PostgreSQL's URL, as `psql` and Prisma take it: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long a server may take to answer a connection, unless the URL says otherwise.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Where the database is, and who uses the database. `Debug` and `Display` show neither user nor password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PostgresUrl {
    pub(super) config: Box<Config>,
    pub(super) trust: Trust,
    /// The authorities whose certificates are taken; `None` for those of the system.
    pub(super) ca_file: Option<PathBuf>,
}

/// Which certificates of the server are taken, as the words of `sslmode` have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Any: the connection is encrypted, and the server may be another.
    Any,
    /// A certificate of an authority, for any name.
    Authority,
    /// A certificate of an authority for the name of the server.
    Name,
}

/// Parameters that other programs read in the same URL.
const OF_OTHERS: [&str; 8] = [
    "schema",
    "connection_limit",
    "pool_timeout",
    "pgbouncer",
    "statement_cache_size",
    "socket_timeout",
    "sslaccept",
    "application_name",
];

impl PostgresUrl {
    /// # Errors
    /// The text is not such a URL; the error has no part of the password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !Self::is_meant(text) {
            return Err("is not a URL that begins with postgres:// or postgresql://".to_owned());
        }
        // A password may have a question mark.
        let host_at = text.rfind('@').unwrap_or_default();
        let (base, query) = match text.get(host_at..).and_then(|rest| rest.find('?')) {
            Some(place) => text.split_at(host_at + place),
            None => (text, ""),
        };
        let config = Box::new(Config::from_str(base).map_err(|error| error.to_string())?);
        let mut url = Self { config, trust: Trust::Any, ca_file: None };
        url.config.application_name("gaud").connect_timeout(CONNECT_LIMIT);
        for pair in query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            url.set(name, &value)?;
        }
        url.check()?;
        Ok(url)
    }

    /// Whether a text is meant as such a URL.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "sslmode" => {
                let (mode, trust) = match value {
                    "disable" => (SslMode::Disable, Trust::Any),
                    "allow" | "prefer" => (SslMode::Prefer, Trust::Any),
                    "require" => (SslMode::Require, Trust::Any),
                    "verify-ca" => (SslMode::Require, Trust::Authority),
                    "verify-full" => (SslMode::Require, Trust::Name),
                    _ => return Err("has a sslmode that is not one of disable, prefer, require, verify-ca, verify-full".to_owned()),
                };
                self.config.ssl_mode(mode);
                self.trust = trust;
            }
            "sslrootcert" if value == "system" => {}
            "sslrootcert" => self.ca_file = Some(PathBuf::from(value)),
            "connect_timeout" => {
                let secs = value.parse().ok().filter(|secs| *secs > 0);
                let secs = secs.ok_or("has a connect_timeout that is not a number of seconds")?;
                self.config.connect_timeout(Duration::from_secs(secs));
            }
            "host" => _ = self.config.host(value),
            "channel_binding" if value != "require" => {}
            name if OF_OTHERS.contains(&name) => {}
            name => {
                return Err(format!(
                    "has the parameter {name}, which gaud does not know; take it away"
                ));
            }
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), String> {
        // As with psql: a file of authorities is there to be used.
        if self.ca_file.is_some() && self.trust == Trust::Any {
            self.trust = Trust::Authority;
        }
        let hosts = self.config.get_hosts();
        let is_odd = |host: &Host| matches!(host, Host::Tcp(name) if name.contains(['@', ' ']) || name.is_empty());
        if hosts.iter().any(is_odd) {
            return Err("has a password with a character that must be encoded: write @ as %40, / as %2F, ? as %3F".to_owned());
        }
        match (hosts, self.config.get_user()) {
            ([], _) => Err("names no host".to_owned()),
            (_, None) => Err("names no user".to_owned()),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for PostgresUrl {
    /// `HOST:PORT/DATABASE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(place).or(ports.first()).unwrap_or(&5432);
            let comma = if place > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
        }
        let user = self.config.get_user().unwrap_or_default();
        write!(f, "/{}", self.config.get_dbname().unwrap_or(user))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_shown_without_its_password() {
        let read = |text: &str| PostgresUrl::parse(text).unwrap();
        let url =
            read("postgres://u:s%40cret@db.example:6432/gaud?sslmode=verify-full&schema=public");
        assert_eq!(url.config.get_password(), Some(&b"s@cret"[..]));
        assert_eq!((url.to_string().as_str(), url.trust), ("db.example:6432/gaud", Trust::Name));
        assert_eq!(format!("{url:?}"), "PostgresUrl(db.example:6432/gaud)");
        let url = read("postgresql://u@/gaud?host=/run/postgresql");
        assert_eq!(url.to_string(), "/run/postgresql/gaud");
        let url = read("postgres://u:a?b@h/gaud?sslmode=require&sslrootcert=/ca.pem");
        assert_eq!(url.config.get_password(), Some(&b"a?b"[..]));
        assert_eq!((url.config.get_ssl_mode(), url.trust), (SslMode::Require, Trust::Authority));
        assert_eq!(read("postgres://u@h").config.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn what_is_no_url_is_refused_without_the_password() {
        for (text, problem) in [
            ("mysql://u@h/d", "is not a URL that begins with postgres:// or postgresql://"),
            (
                "postgres://u:pa@ss@h/d",
                "has a password with a character that must be encoded: write @ as %40, / as %2F, ? as %3F",
            ),
            ("postgres://h/d", "names no user"),
            (
                "postgres://u:p@h/d?sslmode=on",
                "has a sslmode that is not one of disable, prefer, require, verify-ca, verify-full",
            ),
            (
                "postgres://u:p@h/d?sslcert=x",
                "has the parameter sslcert, which gaud does not know; take it away",
            ),
            (
                "postgres://u:p@h/d?connect_timeout=0",
                "has a connect_timeout that is not a number of seconds",
            ),
        ] {
            assert_eq!(PostgresUrl::parse(text).err().as_deref(), Some(problem), "{text}");
        }
    }
}
