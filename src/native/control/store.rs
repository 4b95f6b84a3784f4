//! The database: admin keys, and what was changed by whom.
//!
//! SQLite, one file of mode 0600. The schema has a number; each start brings an older schema forward, and a schema of a newer
//! version is refused.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::admin_key::KeyHash;
use crate::native::private_file;

/// The database's file, in the data folder.
const FILE: &str = "gaud.db";

/// How long a statement waits for another process, such as `gaud admin key list`.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// What brings the schema from one number to the next. A row that has shipped never changes.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE admin_keys (
        id TEXT PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        created_secs INTEGER NOT NULL,
        revoked_secs INTEGER
    ) STRICT;
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at_secs INTEGER NOT NULL,
        key_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        outcome TEXT NOT NULL
    ) STRICT;
"];

#[derive(Debug)]
pub enum StoreError {
    Sqlite(rusqlite::Error),
    Io(std::io::Error),
    /// The schema of a newer version of this program.
    Newer {
        schema: usize,
    },
}

/// An admin key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminKeyRow {
    pub id: String,
    pub name: String,
    /// Seconds since 1970.
    pub created_secs: i64,
    pub revoked_secs: Option<i64>,
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
        let path = folder.join(FILE);
        // SQLite gives its other files the mode of this file.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(private_file::MODE).open(&path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_LIMIT)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        migrate(&connection)?;
        Ok(Self(Mutex::new(connection)))
    }

    pub fn add_admin_key(
        &self,
        id: &str,
        hash: &KeyHash,
        name: &str,
        now_secs: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO admin_keys (id, hash, name, created_secs) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (hash) DO UPDATE SET revoked_secs = NULL";
        self.connection().execute(sql, params![id, hash.as_str(), name, now_secs])?;
        Ok(())
    }

    /// The id of the key with this hash, unless the key is revoked.
    pub fn admin_key(&self, hash: &KeyHash) -> Result<Option<String>, StoreError> {
        let sql = "SELECT id FROM admin_keys WHERE hash = ?1 AND revoked_secs IS NULL";
        let connection = self.connection();
        Ok(connection.query_row(sql, [hash.as_str()], |row| row.get(0)).optional()?)
    }

    /// All keys, the oldest first.
    pub fn admin_keys(&self) -> Result<Vec<AdminKeyRow>, StoreError> {
        let sql =
            "SELECT id, name, created_secs, revoked_secs FROM admin_keys ORDER BY created_secs, id";
        let connection = self.connection();
        let mut statement = connection.prepare(sql)?;
        let row = |row: &rusqlite::Row<'_>| {
            let (id, name) = (row.get(0)?, row.get(1)?);
            Ok(AdminKeyRow { id, name, created_secs: row.get(2)?, revoked_secs: row.get(3)? })
        };
        let rows = statement.query_map([], row)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// Whether there was such a key, not revoked.
    pub fn revoke_admin_key(&self, id: &str, now_secs: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE admin_keys SET revoked_secs = ?2 WHERE id = ?1 AND revoked_secs IS NULL";
        Ok(self.connection().execute(sql, params![id, now_secs])? > 0)
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

fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let schema: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let schema = usize::try_from(schema).unwrap_or(usize::MAX);
    if schema > MIGRATIONS.len() {
        return Err(StoreError::Newer { schema });
    }
    for (number, sql) in MIGRATIONS.iter().enumerate().skip(schema) {
        // One transaction: a start that is cut off leaves the schema as it was.
        let next = number + 1;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {sql} PRAGMA user_version = {next}; COMMIT;"
        ))?;
    }
    Ok(())
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
            "the database gaud.db has schema 99, and this gaud knows 1; run the gaud that has written it, or a newer one"
        );
    }
}
