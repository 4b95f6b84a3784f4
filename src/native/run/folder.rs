//! The private folder of a run: the files that Envoy reads, and the socket of its admin interface.
//!
//! The folder goes with its run. A run that is killed leaves the folder, with secrets in it, and the next run of the same
//! user removes the folder: a lock says whether its run is alive.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::failure::Failure;

const PREFIX: &str = "gaud-";
const LOCK: &str = "lock";
const NEXT_LOCK: &str = "lock.next";

/// A folder that this user alone can enter.
#[derive(Debug)]
pub(crate) struct PrivateFolder {
    folder: TempDir,
    /// Held for as long as the folder is in use.
    _lock: File,
}

impl PrivateFolder {
    /// In memory where the system has a place for that (XDG Base Directory Specification), else where temporary files go.
    pub(crate) fn create() -> Result<Self, Failure> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let runtime = runtime.filter(|path| path.is_absolute());
        if let Some(Ok(folder)) = runtime.map(|path| Self::create_in(&path)) {
            return Ok(folder);
        }
        Self::create_in(&std::env::temp_dir()).map_err(unwritable)
    }

    fn create_in(place: &Path) -> io::Result<Self> {
        remove_left(place);
        let owner_only = Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix(PREFIX).permissions(owner_only).tempdir_in(place)?;
        // Locked before the lock has its name: another run never finds a lock that is not held.
        let next = folder.path().join(NEXT_LOCK);
        let lock = File::create(&next)?;
        lock.lock()?;
        fs::rename(next, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The folder for temporary files takes nothing.
pub(crate) fn unwritable(error: io::Error) -> Failure {
    Failure::Folder(std::env::temp_dir(), error)
}

/// Removes what killed runs of this user have left. A folder that cannot be removed is left: a later run tries again.
fn remove_left(place: &Path) {
    let user = rustix::process::geteuid().as_raw();
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        name && fs::symlink_metadata(path).is_ok_and(|own| own.is_dir() && own.uid() == user)
    };
    for folder in entries.map(|entry| entry.path()).filter(is_ours) {
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => _ = fs::remove_dir_all(folder),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_run_and_a_killed_run_leaves_it_to_the_next() {
        let place = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(place.path()).unwrap().count();
        let first = PrivateFolder::create_in(place.path()).unwrap();
        assert_eq!(fs::metadata(first.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let second = PrivateFolder::create_in(place.path()).unwrap();
        assert!(first.path().exists(), "its run is alive");
        assert_eq!(count(), 2);
        drop(second);
        assert_eq!(count(), 1);
        // As a killed run: the lock goes, the folder stays.
        let PrivateFolder { folder, _lock } = first;
        let left = folder.keep();
        drop(_lock);
        let third = PrivateFolder::create_in(place.path()).unwrap();
        assert!(!left.exists() && third.path().exists());
    }

    #[test]
    fn other_folders_stay() {
        let place = tempfile::tempdir().unwrap();
        for name in ["gaud-without-a-lock", "other"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        fs::write(place.path().join("other/lock"), "").unwrap();
        drop(PrivateFolder::create_in(place.path()).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }
}
