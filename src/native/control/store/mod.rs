//! The database: admin keys, client keys, users, and what was changed by whom.
//!
//! The schema has a number; each start brings an older schema forward, and a schema of a newer version is refused.

mod admin_keys;
mod alerts;
mod carried;
mod keys;
mod limits;
mod litellm;
mod migrations;
mod model_limits;
mod users;

use std::sync::{Mutex, MutexGuard};

use crate::native::database::{Connection, DatabaseError, Databases, Schema, values};
use crate::native::lock::lock;
use migrations::MIGRATIONS;

pub use admin_keys::AdminKeyRow;
pub(super) use alerts::{Alert, BudgetOwner, BudgetRow};
pub use carried::Carried;
pub use keys::{KeyChange, KeyFilter, KeyRow, NewKey};
pub use limits::LimitsChange;
pub use litellm::{Done, LitellmKey, Taken, Taking};
pub use model_limits::ModelLimits;
pub use users::{UserChange, UserRow};

/// The file of SQLite, in the data folder.
const FILE: &str = "gaud.db";

/// An entry of the audit: who has done what to what, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a> {
    pub at_secs: i64,
    pub key_id: &'a str,
    pub action: &'a str,
    pub subject: &'a str,
    pub outcome: &'a str,
}

pub struct Store {
    connection: Mutex<Connection>,
    /// Whether there were budgets at a number of the feed.
    had_budgets: Mutex<Option<(u64, bool)>>,
}

impl Store {
    /// # Errors
    /// The database cannot be opened, or its schema is newer than this program.
    pub(crate) fn open(databases: &Databases) -> Result<Self, DatabaseError> {
        let connection = Mutex::new(databases.open(&schema())?);
        Ok(Self { connection, had_budgets: Mutex::default() })
    }

    pub fn audit(&self, entry: &Audit<'_>) -> Result<(), DatabaseError> {
        let Audit { at_secs, key_id, action, subject, outcome } = *entry;
        let sql = "INSERT INTO audit (at_secs, key_id, action, subject, outcome) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = values![at_secs, key_id, action, subject, outcome];
        self.connection().execute(sql, values).map(drop)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.connection)
    }
}

/// The tables of keys, users and changes.
pub(crate) fn schema() -> Schema {
    Schema { file: FILE, steps: MIGRATIONS.map(Into::into).to_vec() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use super::*;
    use crate::keys::KeyHash;
    use crate::native::database::testing;

    /// Runs a test on an empty store of each engine.
    pub(super) fn on_both(test: impl Fn(&Store)) {
        testing::on_both(|databases| test(&Store::open(databases).unwrap()));
    }

    #[test]
    fn a_key_is_found_by_its_hash_until_it_is_revoked() {
        on_both(|store| {
            let (one, two) = (KeyHash::of("one"), KeyHash::of("two"));
            store.add_admin_key("adm1", &one, "first", 5).unwrap();
            store.add_admin_key("adm2", &two, "second", 6).unwrap();
            assert_eq!(store.admin_key(&one).unwrap().as_deref(), Some("adm1"));
            assert!(store.revoke_admin_key("adm1", 7).unwrap());
            assert!(!store.revoke_admin_key("adm1", 8).unwrap());
            assert_eq!(store.admin_key(&one).unwrap(), None);
            assert_eq!(store.admin_key(&two).unwrap().as_deref(), Some("adm2"));
            let rows = store.admin_keys().unwrap();
            assert_eq!(
                rows.iter().map(|row| row.revoked_secs).collect::<Vec<_>>(),
                [Some(7), None]
            );
        });
    }

    /// Keys without budgets: the search for a budget reads all of them.
    const MANY_KEYS: &str = "INSERT INTO keys (id, hash, name, models, created_secs, created_by, changed_secs, number)
        SELECT 'k' || i, sha256(i::text::bytea), 'a key', '[]', 0, 'adm1', 0, i FROM generate_series(1, 100000) AS i;
        UPDATE feed SET number = 100000; ANALYZE";

    #[test]
    #[ignore = "measures, with `make simulate`"]
    fn what_a_look_for_changes_takes_with_a_hundred_thousand_keys() {
        let databases = testing::postgres();
        let store = Store::open(&databases).unwrap();
        store.connection().run(MANY_KEYS).unwrap();
        let (database, last) = store.feed().unwrap();
        assert_eq!(last, 100_000);
        let first_us = each_us(1, || assert!(!store.has_budgets(last).unwrap()));
        let look_us = each_us(200, || {
            assert_eq!(store.feed().unwrap(), (database, last));
            assert!(!store.has_budgets(last).unwrap());
        });
        let page_us = each_us(200, || {
            assert_eq!(store.page(database, last - 1).unwrap().policies.len(), 1);
        });
        let many_us = each_us(20, || assert!(store.page(database, 1).unwrap().has_more));
        println!("a look for changes: {look_us} us, {first_us} us after a change");
        println!("a page with one key: {page_us} us; the longest page: {many_us} us");
    }

    fn each_us(times: u32, work: impl Fn()) -> u128 {
        let begun = Instant::now();
        (0..times).for_each(|_| work());
        (begun.elapsed() / times).as_micros()
    }

    #[test]
    fn the_files_are_for_this_user_and_another_start_finds_the_rows() {
        let folder = tempfile::tempdir().unwrap();
        let databases = Databases::in_folder(folder.path());
        {
            let store = Store::open(&databases).unwrap();
            store.add_admin_key("adm1", &KeyHash::of("one"), "first", 5).unwrap();
            for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{:?}", entry.path());
            }
        }
        assert_eq!(Store::open(&databases).unwrap().admin_keys().unwrap().len(), 1);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let said = |databases: &Databases, sql: &str| {
            Store::open(databases).unwrap().connection().run(sql).unwrap();
            Store::open(databases).err().unwrap().to_string()
        };
        let rest = "has schema 99, and this gaud knows 5; run the gaud that has written it, or a newer one";
        let sqlite = testing::sqlite();
        let problem = said(&sqlite, "PRAGMA user_version = 99");
        assert_eq!(problem, format!("the database gaud.db {rest}"));
        let postgres = testing::postgres();
        let problem = said(&postgres, "UPDATE schemas SET number = 99");
        assert_eq!(problem, format!("the database {} {rest}", postgres.postgres().unwrap()));
    }
}
