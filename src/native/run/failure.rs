//! Why a run ended without a signal.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use std::{fmt, io};

use crate::native::{envoy, render};

/// Why a run ended; its `Display` is what the user reads.
#[derive(Debug)]
pub enum Failure {
    Render(render::Error),
    /// An address of the configuration cannot be had.
    Listen {
        name: &'static str,
        address: SocketAddr,
        error: io::Error,
    },
    NoEnvoy(envoy::NotFound),
    NotStarted(PathBuf, io::Error),
    /// Envoy ended before it was ready; with it, what it said of the reason.
    Refused(ExitStatus, Vec<String>),
    NotReady(Duration, Vec<String>),
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
            Self::Listen { name, address, error } => listen(f, name, *address, error),
            Self::NoEnvoy(error) => error.fmt(f),
            Self::NotStarted(path, error) => {
                write!(f, "{} cannot be started: {error}", path.display())
            }
            Self::Refused(status, log) => {
                write!(f, "Envoy ended before it was ready ({status})")?;
                said(f, log)
            }
            Self::NotReady(limit, log) => {
                write!(f, "Envoy was not ready after {limit:?}")?;
                said(f, log)
            }
            Self::Invalid(log) => {
                write!(f, "Envoy does not take the configuration that is rendered")?;
                said(f, log)
            }
            Self::Gone(status) => write!(f, "Envoy ended by itself ({status})"),
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
    error: &io::Error,
) -> fmt::Result {
    match error.kind() {
        io::ErrorKind::AddrInUse => write!(
            f,
            "{address} is in use by another program: end that one, or change `{name}` in gaud.toml"
        ),
        _ => write!(f, "`{name}` cannot be {address}: {error}"),
    }
}

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
