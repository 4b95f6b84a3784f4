//! What a database has not done, in words.

use std::fmt;

use super::postgres::PostgresError;
use crate::native::os_error::words;

#[derive(Debug)]
pub enum DatabaseError {
    Sqlite {
        name: String,
        error: rusqlite::Error,
    },
    Postgres(PostgresError),
    Io {
        name: String,
        error: std::io::Error,
    },
    /// The schema of a newer version of this program.
    Newer {
        name: String,
        schema: usize,
        known: usize,
    },
    /// A column has another type than this program writes.
    Odd {
        column: usize,
    },
}

impl From<PostgresError> for DatabaseError {
    fn from(error: PostgresError) -> Self {
        Self::Postgres(error)
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { name, error } => write!(f, "the database {name}: {error}"),
            Self::Postgres(error) => error.fmt(f),
            Self::Io { name, error } => write!(f, "the database {name}: {}", words(error)),
            Self::Newer { name, schema, known } => write!(
                f,
                "the database {name} has schema {schema}, and this gaud knows {known}; run the gaud that has written it, or a newer one"
            ),
            Self::Odd { column } => {
                write!(f, "the database has a value of another type in column {}", column + 1)
            }
        }
    }
}

impl std::error::Error for DatabaseError {}
