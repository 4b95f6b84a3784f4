//! SQLite: one file of mode 0600.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row as SqlRow, params_from_iter};

use super::{DatabaseError, Row, Value};
use crate::native::private_file;

/// How long a statement waits for another process, such as `gaud ledger import`.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// Opens a database, which is made where there is none. What is committed is on the disk.
pub(super) fn open(path: &Path) -> Result<Connection, DatabaseError> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // SQLite gives its other files the mode of this file.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(private_file::MODE);
    options.open(path).map_err(|error| DatabaseError::Io { name: name(), error })?;
    let open = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_LIMIT)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    };
    open().map_err(|error| DatabaseError::Sqlite { name: name(), error })
}

pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    rows: &[Vec<Value>],
) -> rusqlite::Result<Vec<u64>> {
    let mut statement = connection.prepare_cached(sql)?;
    let one = |values: &Vec<Value>| Ok(statement.execute(params_from_iter(values))? as u64);
    rows.iter().map(one).collect()
}

pub(super) fn query(
    connection: &Connection,
    sql: &str,
    values: &[Value],
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let row = |row: &SqlRow<'_>| {
        let value = |place| Ok(value(row.get_ref(place)?));
        Ok(Row((0..columns).map(value).collect::<rusqlite::Result<_>>()?))
    };
    statement.query_map(params_from_iter(values), row)?.collect()
}

/// The tables have no other types.
fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
