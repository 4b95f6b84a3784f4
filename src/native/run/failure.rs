//! Why a run ended without a signal.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use std::{fmt, io};

use crate::native::live::Refusal;
use crate::native::os_error::words;
use crate::native::{envoy, render};

/// Why a run ended; its `Display` is what the user reads.
#[derive(Debug)]
pub enum Failure {
    Render(render::Error),
    /// An address of the configuration cannot be had.
    Listen {
        name: &'static str,
        address: SocketAddr,
        /// What the configuration was read from.
        source: String,
        error: io::Error,
    },
    /// Nothing can be written into the folder for temporary files.
    Folder(PathBuf, io::Error),
    NoEnvoy(envoy::NotFound),
    NotStarted(PathBuf, io::Error),
    /// Envoy ended before it was ready; with it, what it said of the reason.
    Refused(ExitStatus, Vec<String>),
    NotReady(Duration, Vec<String>),
    /// Envoy runs, and does not take what it was started with; with it, what it said.
    NotTaken(Refusal, Vec<String>),
    /// The control server cannot be started.
    Control(String),
    /// The same without an Envoy.
    Serve(String),
    /// Envoy does not take a change, and what it had serves; with it, Envoy's reasons.
    Kept(Refusal, Vec<String>),
    /// Envoy does not take the configuration; with it, what it said.
    Invalid(Vec<String>),
    /// Envoy ended after it was ready, without being asked.
    Gone(ExitStatus),
    Admin(String),
    /// The folder for temporary files is too far down for a socket in it.
    LongPath(PathBuf),
    Io(io::Error),
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Render(error) => error.fmt(f),
            Self::Listen { name, address, source, error } => {
                listen(f, name, *address, source, error)
            }
            Self::Folder(folder, error) => write!(
                f,
                "nothing can be written into {}, the folder for temporary files: {}; set TMPDIR to a folder that is there, \
                 has space, and belongs to this user",
                folder.display(),
                words(error)
            ),
            Self::NoEnvoy(error) => error.fmt(f),
            Self::NotStarted(path, error) => {
                let path = path.display();
                write!(
                    f,
                    "{path} cannot be started: {}; set ENVOY_PATH to an Envoy for this machine",
                    words(error)
                )
            }
            Self::Refused(status, log) => {
                write!(f, "Envoy ended before it was ready ({status})")?;
                said(f, log)
            }
            Self::NotReady(limit, log) => {
                write!(f, "Envoy was not ready after {limit:?}")?;
                said(f, log)
            }
            Self::NotTaken(refusal, log) => {
                write!(f, "{refusal}")?;
                said(f, log)
            }
            Self::Serve(problem) => f.write_str(problem),
            Self::Control(problem) => {
                write!(f, "no control server: {problem}; --no-control serves without one")
            }
            Self::Kept(refusal, reasons) if !reasons.is_empty() => {
                write!(f, "{refusal}: {}", reasons.join("; "))
            }
            Self::Kept(refusal, _) if refusal.is_in_log() => {
                write!(f, "{refusal}; the lines of Envoy's log above say why")
            }
            Self::Kept(refusal, _) => refusal.fmt(f),
            Self::Invalid(log) => {
                write!(f, "Envoy does not take the configuration that is rendered")?;
                said(f, log)
            }
            Self::Gone(status) => write!(f, "Envoy ended without being asked ({status})"),
            Self::Admin(problem) => write!(f, "Envoy's admin interface: {problem}"),
            Self::LongPath(path) => write!(
                f,
                "{} is too long for a socket's path; set TMPDIR to a shorter folder",
                path.display()
            ),
            Self::Io(error) => error.fmt(f),
        }
    }
}

fn listen(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    address: SocketAddr,
    source: &str,
    error: &io::Error,
) -> fmt::Result {
    match error.kind() {
        io::ErrorKind::AddrInUse => write!(
            f,
            "{address} is in use by another program: end that one, or change `{name}` in {source}"
        ),
        io::ErrorKind::PermissionDenied if address.port() < PORT_MIN => write!(
            f,
            "`{name}` cannot be {address}: a port below {PORT_MIN} is for privileged programs; write one from {PORT_MIN} on in \
             {source}, or let gaud have it (under systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)"
        ),
        io::ErrorKind::AddrNotAvailable => write!(
            f,
            "`{name}` cannot be {address}: this machine does not have that address; write one that it has in {source}, \
             or 0.0.0.0 for all"
        ),
        _ => write!(f, "`{name}` cannot be {address}: {}; change it in {source}", words(error)),
    }
}

/// The first port that every program may listen on.
const PORT_MIN: u16 = 1024;

fn said(f: &mut fmt::Formatter<'_>, log: &[String]) -> fmt::Result {
    log.iter().try_for_each(|line| write!(f, "\n    {line}"))
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<envoy::NotFound> for Failure {
    fn from(error: envoy::NotFound) -> Self {
        Self::NoEnvoy(error)
    }
}

impl From<render::Error> for Failure {
    fn from(error: render::Error) -> Self {
        Self::Render(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(address: &str, kind: io::ErrorKind) -> String {
        let (name, source) = ("listen", "my.toml".to_owned());
        let address = address.parse().unwrap();
        Failure::Listen { name, address, source, error: kind.into() }.to_string()
    }

    #[test]
    fn an_address_that_cannot_be_had_has_a_remedy() {
        for (address, kind, said) in [
            (
                "127.0.0.1:8400",
                io::ErrorKind::AddrInUse,
                "127.0.0.1:8400 is in use by another program: end that one, or change `listen` in my.toml",
            ),
            (
                "127.0.0.1:80",
                io::ErrorKind::PermissionDenied,
                "`listen` cannot be 127.0.0.1:80: a port below 1024 is for privileged programs; write one from 1024 on in \
                 my.toml, or let gaud have it (under systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)",
            ),
            (
                "10.9.8.7:8400",
                io::ErrorKind::AddrNotAvailable,
                "`listen` cannot be 10.9.8.7:8400: this machine does not have that address; write one that it has in \
                 my.toml, or 0.0.0.0 for all",
            ),
            (
                "127.0.0.1:8400",
                io::ErrorKind::PermissionDenied,
                "`listen` cannot be 127.0.0.1:8400: this user may not; change it in my.toml",
            ),
        ] {
            assert_eq!(listening(address, kind), said);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_has_a_remedy() {
        for (kind, why) in [
            (io::ErrorKind::NotFound, "it is not there"),
            (io::ErrorKind::StorageFull, "the disk is full"),
            (io::ErrorKind::ReadOnlyFilesystem, "the disk can only be read"),
            (io::ErrorKind::PermissionDenied, "this user may not"),
        ] {
            let said = format!(
                "nothing can be written into /t, the folder for temporary files: {why}; set TMPDIR to a folder that is \
                 there, has space, and belongs to this user"
            );
            assert_eq!(Failure::Folder(PathBuf::from("/t"), kind.into()).to_string(), said);
        }
    }
}
