//! The databases of this program: SQLite, a file of mode 0600 for each part, or PostgreSQL, one schema for all parts.
//!
//! Both engines run the same statements. What they call otherwise is in [`schema`] and [`postgres`]: places are `?` or `?1`,
//! as in SQLite; numbers are of 64 bits, and so is a truth.

mod error;
pub(crate) mod postgres;
mod schema;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
mod value;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::native::lock::lock;
pub(crate) use error::DatabaseError;
pub(crate) use postgres::PostgresUrl;
use postgres::Session;
pub(crate) use schema::Schema;
pub(crate) use value::{Row, Value, values};

/// Where the databases are.
#[derive(Debug, Clone)]
pub(crate) enum Databases {
    /// Files in a folder.
    Folder(PathBuf),
    /// One PostgreSQL, and the connections that nobody uses now.
    Postgres(PostgresUrl, Arc<Mutex<Vec<Session>>>),
}

/// How many connections are kept that nobody uses.
const IDLE_MAX: usize = 4;

impl Databases {
    /// The PostgreSQL that is named, else files in a folder.
    pub(crate) fn of(url: Option<&PostgresUrl>, folder: &Path) -> Self {
        match url {
            Some(url) => Self::in_postgres(url.clone()),
            None => Self::in_folder(folder),
        }
    }

    pub(crate) fn in_folder(path: &Path) -> Self {
        Self::Folder(path.to_owned())
    }

    pub(crate) fn in_postgres(url: PostgresUrl) -> Self {
        Self::Postgres(url, Arc::default())
    }

    /// The PostgreSQL, where it is one.
    pub(crate) fn postgres(&self) -> Option<&PostgresUrl> {
        match self {
            Self::Folder(_) => None,
            Self::Postgres(url, _) => Some(url),
        }
    }

    /// Opens the database of a part, and brings its schema forward.
    ///
    /// # Errors
    /// The database cannot be opened, or is of a newer program.
    pub(crate) fn open(&self, schema: &Schema) -> Result<Connection, DatabaseError> {
        let connection = match self {
            Self::Folder(folder) => {
                let file = sqlite::open(&folder.join(schema.file))?;
                Connection {
                    engine: Engine::Sqlite(file),
                    name: schema.file.to_owned(),
                    home: None,
                }
            }
            Self::Postgres(url, idle) => {
                let kept = lock(idle).pop();
                let session = kept.map_or_else(|| Session::begin(url.clone()), Ok)?;
                let home = Some(Arc::clone(idle));
                Connection { engine: Engine::Postgres(session), name: url.to_string(), home }
            }
        };
        schema.migrate(&connection)?;
        Ok(connection)
    }
}

enum Engine {
    Sqlite(rusqlite::Connection),
    Postgres(Session),
}

/// An open database, for one owner.
pub(crate) struct Connection {
    engine: Engine,
    /// What messages call the database.
    name: String,
    /// Where an unused connection is kept.
    home: Option<Arc<Mutex<Vec<Session>>>>,
}

impl Connection {
    /// Returns how many rows the statement has changed.
    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        let counts = self.execute_each(sql, vec![values.to_vec()])?;
        Ok(counts.first().copied().unwrap_or_default())
    }

    /// Runs a statement for each row of values; how many rows each run has changed. PostgreSQL gets all of them at once.
    pub(crate) fn execute_each(
        &self,
        sql: &str,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<u64>, DatabaseError> {
        match &self.engine {
            Engine::Sqlite(file) => {
                sqlite::execute(file, sql, &rows).map_err(|error| self.sqlite_error(error))
            }
            Engine::Postgres(session) => Ok(session.execute(sql, rows)?),
        }
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        match &self.engine {
            Engine::Sqlite(file) => {
                sqlite::query(file, sql, values).map_err(|error| self.sqlite_error(error))
            }
            Engine::Postgres(session) => Ok(session.query(sql, values)?),
        }
    }

    /// The first row.
    pub(crate) fn first(&self, sql: &str, values: &[Value]) -> Result<Option<Row>, DatabaseError> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// The first row of a statement that always has one.
    pub(crate) fn one(&self, sql: &str, values: &[Value]) -> Result<Row, DatabaseError> {
        self.first(sql, values)?.ok_or(DatabaseError::Odd { column: 0 })
    }

    /// Runs statements without places.
    pub(crate) fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        match &self.engine {
            Engine::Sqlite(file) => {
                file.execute_batch(sql).map_err(|error| self.sqlite_error(error))
            }
            Engine::Postgres(session) => Ok(session.run(sql)?),
        }
    }

    /// Makes changes that are all made or none. One process at a time makes changes, with either engine.
    pub(crate) fn transaction<T, E: From<DatabaseError>>(
        &self,
        change: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.engine {
            Engine::Sqlite(_) => self.run("BEGIN IMMEDIATE")?,
            Engine::Postgres(session) => {
                session.begin_transaction().map_err(DatabaseError::from)?
            }
        }
        let outcome =
            change(self).and_then(|made| self.run("COMMIT").map(|()| made).map_err(E::from));
        if outcome.is_err() {
            // Where this fails as well, the connection has ended, and the transaction with the connection.
            let _ = self.run("ROLLBACK");
        }
        outcome
    }

    /// Tells the other processes, once the transaction under way is made, that keys have changed. SQLite has no way to tell.
    pub(crate) fn tell_of_change(&self) -> Result<(), DatabaseError> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => Ok(session.run(&format!("NOTIFY {}", postgres::CHANNEL))?),
        }
    }

    /// A number that changes with each change that another connection makes; `None` where the database has none.
    pub(crate) fn version(&self) -> Result<Option<i64>, DatabaseError> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(Some(self.one("PRAGMA data_version", &[])?.get(0)?)),
            Engine::Postgres(_) => Ok(None),
        }
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn sqlite_error(&self, error: rusqlite::Error) -> DatabaseError {
        DatabaseError::Sqlite { name: self.name(), error }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (Engine::Postgres(session), Some(home)) = (&self.engine, &self.home) else { return };
        let mut idle = lock(home);
        if idle.len() < IDLE_MAX && session.is_idle() {
            idle.push(session.clone());
        }
    }
}

/// `?1, ?2, …`.
pub(crate) fn places(count: usize) -> String {
    listed((1..=count).map(|place| format!("?{place}")))
}

/// With commas.
pub(crate) fn listed<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}
