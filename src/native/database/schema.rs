//! The schema of a database, which each start brings forward step by step.

use std::borrow::Cow;

use super::{Connection, DatabaseError, Engine, values};

/// The tables of one part of the program.
pub(crate) struct Schema {
    /// The name of SQLite's file, and the part's name in the table of schemas of PostgreSQL.
    pub(crate) file: &'static str,
    /// What brings the schema from one number to the next, as SQLite reads it. A step that has shipped never changes.
    pub(crate) steps: Vec<Cow<'static, str>>,
}

/// What PostgreSQL calls otherwise. The order of texts is that of their bytes, as in SQLite.
const IN_POSTGRES: [(&str, &str); 7] = [
    ("INTEGER PRIMARY KEY,", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"),
    ("INTEGER", "BIGINT"),
    ("BLOB", "BYTEA"),
    ("TEXT", "TEXT COLLATE \"C\""),
    (" STRICT, WITHOUT ROWID", ""),
    (" STRICT", ""),
    ("random()", "(random() * 9007199254740992)::BIGINT"),
];

impl Schema {
    /// Brings an older schema forward.
    ///
    /// # Errors
    /// The database is of a newer program, or fails.
    pub(super) fn migrate(&self, connection: &Connection) -> Result<(), DatabaseError> {
        if self.number(connection)? == self.steps.len() {
            return Ok(());
        }
        // One transaction: a start that is cut off leaves the schema as it was.
        connection.transaction(|connection| {
            let number = self.number(connection)?;
            let Some(missing) = self.steps.get(number..) else {
                return Err(DatabaseError::Newer {
                    name: connection.name(),
                    schema: number,
                    known: self.steps.len(),
                });
            };
            for step in missing {
                connection.run(&connection.engine.dialect(step))?;
            }
            self.set_number(connection)
        })
    }

    fn number(&self, connection: &Connection) -> Result<usize, DatabaseError> {
        let rows = match connection.engine {
            Engine::Sqlite(_) => connection.query("PRAGMA user_version", &[])?,
            Engine::Postgres(_) => {
                connection.query("SELECT number FROM schemas WHERE part = ?", values![self.file])?
            }
        };
        let number = rows.first().map_or(Ok(0), |row| row.get::<i64>(0))?;
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn set_number(&self, connection: &Connection) -> Result<(), DatabaseError> {
        let number = self.steps.len();
        match connection.engine {
            Engine::Sqlite(_) => connection.run(&format!("PRAGMA user_version = {number}")),
            Engine::Postgres(_) => {
                let sql = "INSERT INTO schemas (part, number) VALUES (?1, ?2)
                    ON CONFLICT (part) DO UPDATE SET number = ?2";
                connection.execute(sql, values![self.file, number as u64]).map(drop)
            }
        }
    }
}

impl Engine {
    /// A step of a schema in the words of this engine.
    fn dialect<'a>(&self, step: &'a str) -> Cow<'a, str> {
        match self {
            Self::Sqlite(_) => step.into(),
            Self::Postgres(_) => {
                let start = step.to_owned();
                IN_POSTGRES.iter().fold(start, |sql, (old, new)| sql.replace(old, new)).into()
            }
        }
    }
}
