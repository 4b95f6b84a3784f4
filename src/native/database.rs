//! How this program opens a database: SQLite, one file of mode 0600.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::private_file;

/// Opens a database, which is made where there is none. A statement waits for another process up to `busy_limit`. What is
/// committed is on the disk.
pub(crate) fn open<E>(path: &Path, busy_limit: Duration) -> Result<Connection, E>
where
    E: From<io::Error> + From<rusqlite::Error>,
{
    // SQLite gives its other files the mode of this file.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(private_file::MODE).open(path)?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(busy_limit)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}
