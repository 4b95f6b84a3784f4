//! The database: admin keys, client keys, users, and what was changed by whom.
//!
//! SQLite, one file of mode 0600. The schema has a number; each start brings an older schema forward, and a schema of a newer
//! version is refused.

mod admin_keys;
mod keys;
mod limits;
mod migrations;
mod users;

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::native::database;
use migrations::{MIGRATIONS, migrate};

pub use admin_keys::AdminKeyRow;
pub use keys::{KeyChange, KeyFilter, KeyRow, NewKey};
pub use limits::LimitsChange;
pub use users::{UserChange, UserRow};

/// The database's file, in the data folder.
const FILE: &str = "gaud.db";

/// How long a statement waits for another process, such as `gaud admin key list`.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub enum StoreError {
    Sqlite(rusqlite::Error),
    Io(std::io::Error),
    /// The schema of a newer version of this program.
    Newer {
        schema: usize,
    },
}

/// An entry of the audit: who has done what to what, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a> {
    pub at_secs: i64,
    pub key_id: &'a str,
    pub action: &'a str,
    pub subject: &'a str,
    pub outcome: &'a str,
}

pub struct Store(Mutex<Connection>);

impl Store {
    /// # Errors
    /// The file cannot be opened, or its schema is newer than this program.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = database::open::<StoreError>(&folder.join(FILE), BUSY_LIMIT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        migrate(&connection)?;
        Ok(Self(Mutex::new(connection)))
    }

    pub fn audit(&self, entry: &Audit<'_>) -> Result<(), StoreError> {
        let Audit { at_secs, key_id, action, subject, outcome } = *entry;
        let sql = "INSERT INTO audit (at_secs, key_id, action, subject, outcome) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection().execute(sql, params![at_secs, key_id, action, subject, outcome])?;
        Ok(())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "the database {FILE}: {error}"),
            Self::Io(error) => {
                write!(f, "the database {FILE}: {}", crate::native::os_error::words(error))
            }
            Self::Newer { schema } => write!(
                f,
                "the database {FILE} has schema {schema}, and this gaud knows {}; run the gaud that has written it, or a newer one",
                MIGRATIONS.len()
            ),
        }
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::keys::KeyHash;

    /// An empty database, and its folder.
    pub(super) fn opened() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn a_key_is_found_by_its_hash_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (one, two) = (KeyHash::of("one"), KeyHash::of("two"));
        store.add_admin_key("adm1", &one, "first", 5).unwrap();
        store.add_admin_key("adm2", &two, "second", 6).unwrap();
        assert_eq!(store.admin_key(&one).unwrap().as_deref(), Some("adm1"));
        assert!(store.revoke_admin_key("adm1", 7).unwrap());
        assert!(!store.revoke_admin_key("adm1", 8).unwrap());
        assert_eq!(store.admin_key(&one).unwrap(), None);
        assert_eq!(store.admin_key(&two).unwrap().as_deref(), Some("adm2"));
        let rows = store.admin_keys().unwrap();
        assert_eq!(rows.iter().map(|row| row.revoked_secs).collect::<Vec<_>>(), [Some(7), None]);
    }

    #[test]
    fn the_files_are_for_this_user_and_another_start_finds_the_rows() {
        let folder = tempfile::tempdir().unwrap();
        {
            let store = Store::open(folder.path()).unwrap();
            store.add_admin_key("adm1", &KeyHash::of("one"), "first", 5).unwrap();
            for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{:?}", entry.path());
            }
        }
        assert_eq!(Store::open(folder.path()).unwrap().admin_keys().unwrap().len(), 1);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.connection().pragma_update(None, "user_version", 99).unwrap();
        drop(store);
        let said = Store::open(folder.path()).err().unwrap().to_string();
        assert_eq!(
            said,
            "the database gaud.db has schema 99, and this gaud knows 3; run the gaud that has written it, or a newer one"
        );
    }
}
