//! Databases for tests, of both engines.

#[path = "../../../tests/postgres/mod.rs"]
pub(crate) mod postgres;

use std::ops::Deref;

use super::{Databases, PostgresUrl};

/// Databases that end with the test.
pub(crate) struct Temporary {
    databases: Databases,
    _folder: Option<tempfile::TempDir>,
}

impl Deref for Temporary {
    type Target = Databases;

    fn deref(&self) -> &Databases {
        &self.databases
    }
}

/// Empty databases of SQLite.
pub(crate) fn sqlite() -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    Temporary { databases: Databases::in_folder(folder.path()), _folder: Some(folder) }
}

/// An empty PostgreSQL.
pub(crate) fn postgres() -> Temporary {
    let url = PostgresUrl::parse(&postgres::new_database()).unwrap();
    Temporary { databases: Databases::in_postgres(url), _folder: None }
}

/// The server of the tests, and the name of an empty database there.
pub(crate) fn server() -> (&'static postgres::Server, String) {
    let url = postgres::new_database();
    let name = url.rsplit('/').next().unwrap_or_default().to_owned();
    (postgres::server(), name)
}

/// Runs a test on SQLite and on PostgreSQL.
pub(crate) fn on_both(test: impl Fn(&Databases)) {
    for databases in [sqlite(), postgres()] {
        test(&databases);
    }
}
