//! The table of users: who owns keys.

use super::Store;
use super::carried::Carried;
use super::keys::set;
use super::limits::{self, LimitsChange};
use crate::limits::Limits;
use crate::native::database::{Connection, DatabaseError, Row, values};
use crate::native::ledger::Group;

const COLUMNS: &str = "id, name, email, blocked, created_secs, rpm, tpm, max_parallel_requests, budget_nanos, budget_window,
    budget_strict, litellms, carried_nanos, carried_secs";

/// A person or a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    pub id: String,
    pub name: String,
    pub email: Option<String>,
    /// No key of the user opens anything.
    pub blocked: bool,
    /// Seconds since 1970.
    pub created_secs: i64,
    /// What all keys of the user may use together.
    pub limits: Limits,
    /// LiteLLM is the owner: nobody changes the user here.
    pub is_litellms: bool,
    /// What was spent at LiteLLM.
    pub carried: Carried,
}

/// A change of a user: a field that is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    pub name: Option<String>,
    pub email: Option<Option<String>>,
    pub blocked: Option<bool>,
    pub limits: LimitsChange,
}

impl Store {
    /// Whether the user is new.
    ///
    /// # Errors
    /// The database fails.
    pub fn add_user(
        &self,
        id: &str,
        name: &str,
        email: Option<&str>,
        now_secs: i64,
    ) -> Result<bool, DatabaseError> {
        let sql = "INSERT INTO users (id, name, email, created_secs) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        Ok(self.connection().execute(sql, values![id, name, email, now_secs])? > 0)
    }

    /// # Errors
    /// The database fails.
    pub fn user(&self, id: &str) -> Result<Option<UserRow>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
        self.connection().first(&sql, values![id])?.as_ref().map(row).transpose()
    }

    /// By id.
    ///
    /// # Errors
    /// The database fails.
    pub fn users(&self) -> Result<Vec<UserRow>, DatabaseError> {
        all(&self.connection())
    }

    /// Returns the number of the last change of a key; `None` where there is no such user. A change of `blocked` or of limits
    /// is a change of each key of the user.
    ///
    /// # Errors
    /// The database fails.
    pub fn change_user(&self, id: &str, change: &UserChange) -> Result<Option<u64>, DatabaseError> {
        let mut found = 0;
        let number = self.change_keys(|transaction, number| {
            let UserChange { name, email, blocked, limits } = change;
            let sql = "UPDATE users SET name = coalesce(?2, name), email = CASE WHEN ?3 = 1 THEN ?4 ELSE email END,
                blocked = coalesce(?5, blocked) WHERE id = ?1";
            let new_email = email.clone().flatten();
            let values = values![id, name.as_deref(), email.is_some(), new_email, *blocked];
            found = transaction.execute(sql, values)?;
            set(transaction, "users", id, limits)?;
            match blocked.is_some() || !limits.is_none() {
                true => touch(transaction, id, number),
                false => Ok(0),
            }
        })?;
        Ok((found > 0).then_some(number))
    }

    /// Removes a user and revokes the user's keys. Returns the number of the last change; `None` where there is no such user.
    ///
    /// # Errors
    /// The database fails.
    pub fn remove_user(&self, id: &str, now_secs: i64) -> Result<Option<u64>, DatabaseError> {
        let mut found = 0;
        let number = self.change_keys(|transaction, number| {
            let touched = touch(transaction, id, number)?;
            let sql = "UPDATE keys SET user_id = NULL, revoked_secs = coalesce(revoked_secs, ?2), changed_secs = ?2
                WHERE user_id = ?1";
            transaction.execute(sql, values![id, now_secs])?;
            found = transaction.execute("DELETE FROM users WHERE id = ?1", values![id])?;
            Ok(touched)
        })?;
        Ok((found > 0).then_some(number))
    }
}

impl Store {
    /// Tells the filters of keys and users again, though nothing in the tables of this store has changed. Returns the number of
    /// the change.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) fn tell_again(&self, owners: &[(Group, String)]) -> Result<u64, DatabaseError> {
        if owners.is_empty() {
            return Ok(0);
        }
        self.change_keys(|transaction, first| {
            let mut next = first;
            for (scope, id) in owners {
                next += match scope {
                    Group::User => touch(transaction, id, next)?,
                    _ => {
                        let sql = "UPDATE keys SET number = ?2 WHERE id = ?1";
                        transaction.execute(sql, values![id, next])?.cast_signed()
                    }
                };
            }
            Ok(next - first)
        })
    }
}

/// Gives each key of a user a number of its own from `first` on. Returns how many.
pub(super) fn touch(
    transaction: &Connection,
    user: &str,
    first: i64,
) -> Result<i64, DatabaseError> {
    let rows = transaction.query("SELECT id FROM keys WHERE user_id = ?1", values![user])?;
    let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()?;
    let numbered = (first..).zip(&ids).map(|(number, id)| values![id, number].to_vec());
    transaction.execute_each("UPDATE keys SET number = ?2 WHERE id = ?1", numbered.collect())?;
    Ok(i64::try_from(ids.len()).unwrap_or(i64::MAX))
}

/// By id.
pub(super) fn all(connection: &Connection) -> Result<Vec<UserRow>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM users ORDER BY id");
    connection.query(&sql, &[])?.iter().map(row).collect()
}

fn row(row: &Row) -> Result<UserRow, DatabaseError> {
    Ok(UserRow {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        blocked: row.get(3)?,
        created_secs: row.get(4)?,
        limits: limits::read(row, 5)?,
        is_litellms: row.get(5 + limits::COUNT)?,
        carried: Carried::read(row, 6 + limits::COUNT)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeyHash, Standing};
    use crate::native::control::store::NewKey;
    use crate::native::control::store::tests::on_both;

    #[test]
    fn the_keys_of_a_user_are_blocked_and_revoked_with_the_user() {
        on_both(|store| {
            assert!(store.add_user("ann", "Ann", Some("ann@example.com"), 5).unwrap());
            assert!(!store.add_user("ann", "Other", None, 6).unwrap());
            for id in ["k1", "k2"] {
                let new = NewKey { user: Some("ann".to_owned()), ..NewKey::default() };
                store.add_key(id, &KeyHash::of(id), &new, "command", 5).unwrap();
            }
            let (database, _) = store.feed().unwrap();
            let standings = |since| {
                let page = store.page(database, since).unwrap();
                page.policies.iter().map(|(_, policy)| policy.standing).collect::<Vec<_>>()
            };
            let change = |blocked| UserChange { blocked: Some(blocked), ..UserChange::default() };
            assert_eq!(store.change_user("ann", &change(true)).unwrap(), Some(4));
            assert_eq!(standings(2), [Standing::Blocked, Standing::Blocked]);
            assert_eq!(store.change_user("ann", &change(false)).unwrap(), Some(6));
            assert_eq!(standings(4), [Standing::Valid, Standing::Valid]);
            let renamed = UserChange {
                name: Some("Ann B".to_owned()),
                email: Some(None),
                ..UserChange::default()
            };
            assert_eq!(store.change_user("ann", &renamed).unwrap(), Some(6));
            let row = store.user("ann").unwrap().unwrap();
            assert_eq!((row.name.as_str(), row.email, row.blocked), ("Ann B", None, false));
            assert_eq!(store.remove_user("ann", 9).unwrap(), Some(8));
            assert_eq!(standings(6), [Standing::Revoked, Standing::Revoked]);
            assert_eq!(store.remove_user("ann", 9).unwrap(), None);
            assert_eq!(store.change_user("ann", &renamed).unwrap(), None);
            assert!(store.users().unwrap().is_empty());
        });
    }
}
