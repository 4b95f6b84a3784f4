//! The database of the ledger: SQLite, one file of mode 0600 beside the control server's.
//!
//! | table | a row |
//! |---|---|
//! | `attempts` | an attempt that is over; kept for some days |
//! | `days` | what a key has used in a day of a provider's model; kept for ever |
//! | `open` | an attempt that is not over |
//! | `journals` | a file of the journal, and how far it is read |

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::native::database;
use crate::usage::Usage;

/// The database's file, in the data folder.
const FILE: &str = "ledger.db";

/// How long a statement waits for another process, such as `gaud ledger import`.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// The number of the schema. A change of the schema brings an older one forward here.
const SCHEMA: u32 = 2;

/// The ledger, opened by one owner.
pub struct Ledger {
    pub(super) connection: Connection,
}

#[derive(Debug)]
pub enum LedgerError {
    Sqlite(rusqlite::Error),
    Io(std::io::Error),
    /// The schema of a newer version of this program.
    Newer(u32),
}

impl Ledger {
    /// # Errors
    /// The file cannot be opened, or its schema is newer than this program.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        // What is committed is taken out of the journal, so that it must be on the disk.
        let connection = database::open::<LedgerError>(&folder.join(FILE), BUSY_LIMIT)?;
        migrate(&connection)?;
        Ok(Self { connection })
    }
}

fn migrate(connection: &Connection) -> Result<(), LedgerError> {
    let schema: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match schema {
        SCHEMA => Ok(()),
        0 => bring_forward(connection, &[&first(), SECOND]),
        1 => bring_forward(connection, &[SECOND]),
        newer => Err(LedgerError::Newer(newer)),
    }
}

fn bring_forward(connection: &Connection, steps: &[&str]) -> Result<(), LedgerError> {
    let steps = steps.concat();
    let sql = format!("BEGIN IMMEDIATE; {steps} PRAGMA user_version = {SCHEMA}; COMMIT;");
    Ok(connection.execute_batch(&sql)?)
}

/// What keys and users have spent is asked for one by one.
const SECOND: &str = "CREATE INDEX IF NOT EXISTS days_by_key ON days (key, cost_nanos);
    CREATE INDEX IF NOT EXISTS days_by_user ON days (user, cost_nanos);";

fn first() -> String {
    let amounts = Usage::NAMES.map(|name| format!("{name} INTEGER NOT NULL")).join(", ");
    let who = "key TEXT NOT NULL, user TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL";
    format!(
        "CREATE TABLE attempts (
            request TEXT NOT NULL, attempt INTEGER NOT NULL, begun_ms INTEGER NOT NULL, {who},
            asked TEXT NOT NULL, operation TEXT NOT NULL, status INTEGER NOT NULL, basis TEXT NOT NULL,
            tier TEXT NOT NULL, duration_ms INTEGER NOT NULL, first_ms INTEGER, {amounts},
            cost_nanos INTEGER, PRIMARY KEY (request, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX attempts_by_time ON attempts (begun_ms);
        CREATE TABLE days (
            day TEXT NOT NULL, {who}, attempts INTEGER NOT NULL, failed INTEGER NOT NULL,
            guessed INTEGER NOT NULL, unpriced INTEGER NOT NULL, {amounts}, cost_nanos INTEGER NOT NULL,
            PRIMARY KEY (day, key, user, provider, model)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE open (
            request TEXT NOT NULL, attempt INTEGER NOT NULL, journal TEXT NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY (request, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE journals (name TEXT PRIMARY KEY, offset INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    )
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<std::io::Error> for LedgerError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "the database {FILE}: {error}"),
            Self::Io(error) => {
                write!(f, "the database {FILE}: {}", crate::native::os_error::words(error))
            }
            Self::Newer(schema) => write!(
                f,
                "the database {FILE} has schema {schema}, and this gaud knows {SCHEMA}; run the gaud that has written it, or a newer one"
            ),
        }
    }
}

impl std::error::Error for LedgerError {}
