//! The way from SQLite to PostgreSQL: all tables are copied in one transaction, and counted.

use std::error::Error;

use super::control::store_schema;
use super::database::{
    Connection, DatabaseError, Databases, Row, Schema, Value, listed, places, values,
};
use super::ledger;

/// How many rows are copied at a time.
const PIECE: usize = 5000;

/// The tables of the control server, each after the tables that it refers to.
const OF_STORE: [&str; 5] = ["admin_keys", "audit", "users", "keys", "alerts"];
const OF_LEDGER: [&str; 6] = ["attempts", "days", "asked", "durations", "open", "journals"];

/// How many rows a table has now.
pub(crate) type Copied = Vec<(&'static str, u64)>;

/// Copies all rows; nothing is copied where anything fails.
///
/// # Errors
/// The target has rows, or a database fails, or the counts differ; the target is then as it was.
pub(crate) fn migrate(from: &Databases, to: &Databases) -> Result<Copied, Box<dyn Error>> {
    let ledger = ledger::schema();
    let store = store_schema();
    let target = to.open(&store)?;
    drop(to.open(&ledger)?);
    target.transaction(|target| {
        for table in OF_STORE.into_iter().chain(OF_LEDGER) {
            if count(target, table)? > 0 {
                let problem = format!("the table {table} there has rows already; name an empty database, or drop its schema gaud");
                return Err(problem.into());
            }
        }
        let mut copied = copy_all(from, &store, &OF_STORE, target)?;
        copied.extend(copy_all(from, &ledger, &OF_LEDGER, target)?);
        copy_feed(&from.open(&store)?, target)?;
        Ok(copied)
    })
}

fn copy_all(
    from: &Databases,
    schema: &Schema,
    tables: &[&'static str],
    target: &Connection,
) -> Result<Copied, Box<dyn Error>> {
    let source = from.open(schema)?;
    let mut copied = Copied::new();
    for table in tables {
        copy(&source, target, table)?;
        let (old, new) = (count(&source, table)?, count(target, table)?);
        if old != new {
            let problem =
                format!("the table {table} has {old} rows, and {new} of them were copied");
            return Err(problem.into());
        }
        copied.push((*table, new));
    }
    Ok(copied)
}

fn copy(source: &Connection, target: &Connection, table: &str) -> Result<(), DatabaseError> {
    let names = source.query("SELECT name FROM pragma_table_info(?)", values![table])?;
    let names = names.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()?;
    // The audit numbers its rows itself.
    let is_own = |name: &&String| table != "audit" || *name != "number";
    let columns: Vec<_> = names.iter().filter(is_own).map(|name| format!("\"{name}\"")).collect();
    let insert =
        format!("INSERT INTO {table} ({}) VALUES ({})", listed(&columns), places(columns.len()));
    let select =
        format!("SELECT {} FROM {table} ORDER BY 1, 2 LIMIT {PIECE} OFFSET ?", listed(&columns));
    for piece in 0_u64.. {
        let rows = source.query(&select, values![piece * PIECE as u64])?;
        let is_last = rows.len() < PIECE;
        target.execute_each(&insert, rows.into_iter().map(Row::into_values).collect())?;
        if is_last {
            break;
        }
    }
    Ok(())
}

/// The filters go on where they are: to them the database is the same.
fn copy_feed(source: &Connection, target: &Connection) -> Result<(), DatabaseError> {
    let row = source.one("SELECT database, number FROM feed", &[])?;
    let values: [Value; 2] = [row.get::<i64>(0)?.into(), row.get::<i64>(1)?.into()];
    target.execute("UPDATE feed SET database = ?1, number = ?2", &values).map(drop)
}

fn count(connection: &Connection, table: &str) -> Result<u64, DatabaseError> {
    let count: i64 = connection.one(&format!("SELECT count(*) FROM {table}"), &[])?.get(0)?;
    Ok(count.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyHash;
    use crate::native::control::{Audit, NewKey, Store};
    use crate::native::database::testing;
    use crate::native::ledger::{AttemptFilter, Ledger};

    fn entry(key_id: &str) -> Audit<'_> {
        Audit { at_secs: 1, key_id, action: "a", subject: "", outcome: "" }
    }

    /// `feed` is copied on its own; of the others there is nothing in a SQLite.
    const NOT_COPIED: [&str; 4] = ["feed", "gateways", "leases", "lease_spent"];

    #[test]
    fn every_table_is_copied_or_is_named() {
        let databases = testing::sqlite();
        let known = [&OF_STORE[..], &OF_LEDGER, &NOT_COPIED].concat();
        for schema in [store_schema(), ledger::schema()] {
            let sql =
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
            for row in databases.open(&schema).unwrap().query(sql, &[]).unwrap() {
                let name: String = row.get(0).unwrap();
                assert!(known.contains(&name.as_str()), "{name} is not copied");
            }
        }
    }

    #[test]
    fn all_rows_go_to_an_empty_database_and_to_no_other() {
        let (old, new) = (testing::sqlite(), testing::postgres());
        {
            let store = Store::open(&old).unwrap();
            store.add_user("ann", "Ann", None, 5).unwrap();
            let key = NewKey { user: Some("ann".to_owned()), ..NewKey::default() };
            for id in ["k1", "k2", "k3"] {
                store.add_key(id, &KeyHash::of(id), &key, "command", 5).unwrap();
                store.audit(&entry(id)).unwrap();
            }
            let alerts = "INSERT INTO alerts (owner, id, budget_window, window_secs, budget_nanos, percent, spent_nanos, reached_secs)
                VALUES ('key', 'k1', 'day', 0, 5, 80, 4, 6)";
            old.open(&store_schema()).unwrap().run(alerts).unwrap();
            ledger::fill(&mut Ledger::open(&old).unwrap(), PIECE as u64 + 3);
        }
        let copied = migrate(&old, &new).unwrap();
        let expected = [("admin_keys", 0), ("audit", 3), ("users", 1), ("keys", 3), ("alerts", 1)];
        let of_ledger = [
            ("attempts", 5003),
            ("days", 2),
            ("asked", 2),
            ("durations", 137),
            ("open", 0),
            ("journals", 1),
        ];
        assert_eq!(copied, [&expected[..], &of_ledger].concat());
        let (one, other) = (Store::open(&old).unwrap(), Store::open(&new).unwrap());
        assert_eq!(one.feed().unwrap(), other.feed().unwrap());
        assert_eq!(one.key("k1").unwrap(), other.key("k1").unwrap());
        let all = AttemptFilter { limit: 100, ..AttemptFilter::default() };
        let attempts = |databases| Ledger::open(databases).unwrap().attempts(&all).unwrap();
        assert_eq!(attempts(&old), attempts(&new));
        assert_eq!(
            migrate(&old, &new).unwrap_err().to_string(),
            "the table audit there has rows already; name an empty database, or drop its schema gaud"
        );
    }
}
