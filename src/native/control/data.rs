//! The folder of the control server's data: the database, and secrets that were typed in.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use crate::native::os_error::words;
use crate::native::settings::Env;

/// Leads to the socket on which the control server answers its owner.
pub const OWNER_LINK: &str = "owner.sock";

const LOCK: &str = "lock";
const FOLDER_MODE: u32 = 0o700;

/// The folder, for as long as this process uses it.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// Why the folder cannot be used.
#[derive(Debug)]
pub enum DataProblem {
    /// Neither the configuration nor the environment names a place.
    NoPlace,
    Io(PathBuf, io::Error),
    InUse(PathBuf),
}

impl DataFolder {
    /// The folder that is named, else `gaud` in the user's folder for state (XDG Base Directory Specification).
    ///
    /// # Errors
    /// No place is named, the place cannot be written, or another process uses the folder.
    pub fn open(named: Option<&str>, env: Env<'_>) -> Result<Self, DataProblem> {
        let path = Self::place(named, env).ok_or(DataProblem::NoPlace)?;
        let unwritable = |error| DataProblem::Io(path.clone(), error);
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&path).map_err(unwritable)?;
        let lock = File::create(path.join(LOCK)).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataProblem::InUse(path)),
            Err(TryLockError::Error(error)) => Err(DataProblem::Io(path.clone(), error)),
        }
    }

    /// Where the folder is, whether a process uses it or not.
    pub fn place(named: Option<&str>, env: Env<'_>) -> Option<PathBuf> {
        let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = || absolute("XDG_STATE_HOME").map(|path| path.join("gaud"));
        // systemd's StateDirectory=.
        let unit = || {
            let folders: OsString = env("STATE_DIRECTORY")?;
            folders.to_str()?.split(':').next().map(PathBuf::from)
        };
        let home = || absolute("HOME").map(|path| path.join(".local/state/gaud"));
        named.map(PathBuf::from).or_else(unit).or_else(state).or_else(home)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says where the owner's socket of this process is.
    ///
    /// # Errors
    /// The folder takes nothing.
    pub fn link_owner(&self, socket: &Path) -> io::Result<()> {
        let link = self.path.join(OWNER_LINK);
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => symlink(socket, link),
        }
    }
}

impl fmt::Display for DataProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace => f.write_str(
                "there is no folder for its data: name one by [control] data, or set HOME",
            ),
            Self::Io(path, error) => write!(
                f,
                "its data cannot be written into {}: {}; name another folder by [control] data",
                path.display(),
                words(error)
            ),
            Self::InUse(path) => write!(
                f,
                "another gaud uses its data in {}; name another folder by [control] data",
                path.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(named: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        let env = |name: &str| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| OsString::from(value))
        };
        Some(DataFolder::place(named, &env)?.display().to_string())
    }

    #[test]
    fn the_folder_is_named_or_is_the_users() {
        let home = ("HOME", "/home/u");
        let state = ("XDG_STATE_HOME", "/s");
        let unit = ("STATE_DIRECTORY", "/var/lib/gaud:/var/lib/x");
        assert_eq!(place(Some("d"), &[home, state]).as_deref(), Some("d"));
        assert_eq!(place(None, &[home, state, unit]).as_deref(), Some("/var/lib/gaud"));
        assert_eq!(place(None, &[home, state]).as_deref(), Some("/s/gaud"));
        assert_eq!(place(None, &[home]).as_deref(), Some("/home/u/.local/state/gaud"));
        assert_eq!(place(None, &[("HOME", "x")]), None);
    }

    #[test]
    fn one_process_uses_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("a/b").display().to_string();
        let open = || DataFolder::open(Some(&name), &|_| None);
        let first = open().unwrap();
        let said = open().unwrap_err().to_string();
        assert_eq!(
            said,
            format!("another gaud uses its data in {name}; name another folder by [control] data")
        );
        drop(first);
        assert!(open().is_ok());
    }
}
