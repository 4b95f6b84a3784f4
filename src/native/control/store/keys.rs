//! The table of client keys, and the feed of its changes.

use super::Store;
use super::carried::Carried;
use super::limits::{self, LimitsChange, OF_KEYS, OF_USERS};
use super::model_limits::{self, ModelLimits};
use crate::keys::{KeyHash, Models, Page, Policy, Standing};
use crate::limits::Limits;
use crate::native::database::{Connection, DatabaseError, Row, Value, listed, values};

/// The most policies of a page: to take more at once would keep a worker of Envoy from its requests.
const PAGE_POLICIES: usize = 1000;

const COLUMNS: &str = "keys.id, keys.name, keys.user_id, keys.models, keys.expires_secs, keys.blocked, keys.created_secs,
    keys.created_by, keys.changed_secs, keys.revoked_secs, keys.hash, keys.model_limits,
    keys.litellms, keys.carried_nanos, keys.carried_secs";

/// How many columns there are before those of the limits.
const COLUMN_COUNT: usize = 15;

/// A client key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    pub id: String,
    pub hash: KeyHash,
    pub name: String,
    pub user: Option<String>,
    /// Names and patterns; none for every model.
    pub models: Vec<String>,
    /// Seconds since 1970, as all times here.
    pub expires_secs: Option<i64>,
    pub blocked: bool,
    pub created_secs: i64,
    /// The admin key that has made the key, or `command`.
    pub created_by: String,
    pub changed_secs: i64,
    pub revoked_secs: Option<i64>,
    pub limits: Limits,
    pub model_limits: ModelLimits,
    /// LiteLLM is the owner: nobody changes the key here.
    pub is_litellms: bool,
    /// What was spent at LiteLLM.
    pub carried: Carried,
}

/// What a new key is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewKey {
    pub name: String,
    pub user: Option<String>,
    pub models: Vec<String>,
    pub expires_secs: Option<i64>,
    pub blocked: bool,
    pub limits: Limits,
    pub model_limits: ModelLimits,
}

/// A change of a key: a field that is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyChange {
    pub name: Option<String>,
    /// `Some(None)` takes the user away.
    pub user: Option<Option<String>>,
    pub models: Option<Vec<String>>,
    /// `Some(None)` for a key without an end.
    pub expires_secs: Option<Option<i64>>,
    pub blocked: Option<bool>,
    pub limits: LimitsChange,
    /// In the place of all that the key has for models.
    pub model_limits: Option<ModelLimits>,
}

/// Which keys a list has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFilter {
    pub user: Option<String>,
    /// Keys after this id.
    pub after: Option<String>,
    pub limit: usize,
    /// Revoked keys too.
    pub with_revoked: bool,
}

impl Store {
    /// Returns the number of the change.
    ///
    /// # Errors
    /// The user does not exist, or the database fails.
    pub fn add_key(
        &self,
        id: &str,
        hash: &KeyHash,
        new: &NewKey,
        by: &str,
        now_secs: i64,
    ) -> Result<u64, DatabaseError> {
        self.change_keys(|transaction, number| {
            let sql = "INSERT INTO keys (id, hash, name, user_id, models, expires_secs, blocked, created_secs, created_by,
                changed_secs, number, model_limits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, ?10, ?11)";
            let NewKey { name, user, models, expires_secs, blocked, limits, model_limits } = new;
            let model_limits = model_limits::to_json(model_limits);
            let models = json(models);
            let hash = &hash.as_bytes()[..];
            let user = user.as_deref();
            transaction.execute(
                sql,
                values![id, hash, name, user, models, *expires_secs, *blocked, now_secs, by, number, model_limits],
            )?;
            set(transaction, "keys", id, &LimitsChange::from(*limits))?;
            Ok(1)
        })
    }

    /// Returns the number of the change; `None` where the key does not exist or is revoked.
    ///
    /// # Errors
    /// The user does not exist, or the database fails.
    pub fn change_key(
        &self,
        id: &str,
        change: &KeyChange,
        now_secs: i64,
    ) -> Result<Option<u64>, DatabaseError> {
        let mut sets = vec![("changed_secs", Value::from(now_secs))];
        sets.extend(change.name.clone().map(|name| ("name", name.into())));
        sets.extend(change.user.clone().map(|user| ("user_id", user.into())));
        sets.extend(change.models.as_ref().map(|models| ("models", json(models).into())));
        sets.extend(change.expires_secs.map(|secs| ("expires_secs", secs.into())));
        sets.extend(change.blocked.map(|blocked| ("blocked", blocked.into())));
        sets.extend(change.limits.sets());
        let of_models = change.model_limits.as_ref().map(model_limits::to_json);
        sets.extend(of_models.map(|json| ("model_limits", json.into())));
        self.update_key(id, sets)
    }

    /// Returns the number of the change; `None` where the key does not exist or is revoked.
    ///
    /// # Errors
    /// The database fails.
    pub fn revoke_key(&self, id: &str, now_secs: i64) -> Result<Option<u64>, DatabaseError> {
        let now = || Value::from(now_secs);
        self.update_key(id, vec![("revoked_secs", now()), ("changed_secs", now())])
    }

    fn update_key(
        &self,
        id: &str,
        mut sets: Vec<(&str, Value)>,
    ) -> Result<Option<u64>, DatabaseError> {
        let mut changed = 0;
        let number = self.change_keys(|transaction, number| {
            sets.push(("number", number.into()));
            changed = update(transaction, "keys", id, " AND revoked_secs IS NULL", sets)?;
            Ok(i64::from(changed > 0))
        })?;
        Ok((changed > 0).then_some(number))
    }

    /// Makes changes in one transaction. `change` gets the number of the first change and returns how many numbers it took; the
    /// result is the last number.
    pub(super) fn change_keys(
        &self,
        change: impl FnOnce(&Connection, i64) -> Result<i64, DatabaseError>,
    ) -> Result<u64, DatabaseError> {
        self.connection().transaction(|transaction| {
            let last: i64 = transaction.one("SELECT number FROM feed", &[])?.get(0)?;
            let last = last + change(transaction, last + 1)?;
            transaction.execute("UPDATE feed SET number = ?1", values![last])?;
            transaction.tell_of_change()?;
            Ok(u64::try_from(last).unwrap_or_default())
        })
    }

    /// # Errors
    /// The database fails.
    pub fn key(&self, id: &str) -> Result<Option<KeyRow>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS}, {OF_KEYS} FROM keys WHERE id = ?1");
        self.connection().first(&sql, values![id])?.as_ref().map(row).transpose()
    }

    /// # Errors
    /// The database fails.
    pub fn key_by_hash(&self, hash: &KeyHash) -> Result<Option<KeyRow>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS}, {OF_KEYS} FROM keys WHERE hash = ?1");
        let found = self.connection().first(&sql, values![&hash.as_bytes()[..]])?;
        found.as_ref().map(row).transpose()
    }

    /// By id.
    ///
    /// # Errors
    /// The database fails.
    pub fn keys(&self, filter: &KeyFilter) -> Result<Vec<KeyRow>, DatabaseError> {
        find(&self.connection(), filter)
    }

    /// Which database this is, and the number of the last change of a key.
    ///
    /// # Errors
    /// The database fails.
    pub fn feed(&self) -> Result<(u64, u64), DatabaseError> {
        feed(&self.connection())
    }

    /// What has changed since a number. All keys, where the number is of another database, or of a later state than this.
    ///
    /// # Errors
    /// The database fails.
    pub fn page(&self, database: u64, since: u64) -> Result<Page, DatabaseError> {
        let connection = self.connection();
        let (own, last) = feed(&connection)?;
        let is_reset = database != own || since > last;
        let since = if is_reset { 0 } else { since };
        // Who knows no key need not hear of a revoked one.
        let sql = format!(
            "SELECT {COLUMNS}, {OF_KEYS}, keys.number, users.blocked, {OF_USERS},
                users.carried_nanos, users.carried_secs FROM keys LEFT JOIN users ON users.id = user_id
                WHERE keys.number > ?1 AND (?2 = 1 OR keys.revoked_secs IS NULL) ORDER BY keys.number LIMIT ?3"
        );
        let rows = connection.query(&sql, values![since, since > 0, PAGE_POLICIES as u64])?;
        let policies = rows.iter().map(policy).collect::<Result<Vec<_>, _>>()?;
        let of_last = policies.last().map_or(0, |(_, policy)| policy.number);
        // A page with the last change is the last, also when it is full.
        let has_more = policies.len() == PAGE_POLICIES && of_last < last;
        let number = if has_more { of_last } else { last };
        Ok(Page { is_reset, has_more, database: own, number, policies, prices: None })
    }
}

fn feed(connection: &Connection) -> Result<(u64, u64), DatabaseError> {
    let row = connection.one("SELECT database, number FROM feed", &[])?;
    let (database, number): (i64, i64) = (row.get(0)?, row.get(1)?);
    Ok((database.cast_unsigned(), number.cast_unsigned()))
}

/// By id.
pub(super) fn find(
    connection: &Connection,
    filter: &KeyFilter,
) -> Result<Vec<KeyRow>, DatabaseError> {
    let sql = format!(
        "SELECT {COLUMNS}, {OF_KEYS} FROM keys WHERE (user_id = ?1 OR ?1 IS NULL) AND id > ?2
            AND (?3 = 1 OR revoked_secs IS NULL) ORDER BY id LIMIT ?4"
    );
    let KeyFilter { user, after, limit, with_revoked } = filter;
    let after = after.as_deref().unwrap_or_default();
    let values = values![user.as_deref(), after, *with_revoked, *limit as u64];
    connection.query(&sql, values)?.iter().map(row).collect()
}

fn row(row: &Row) -> Result<KeyRow, DatabaseError> {
    Ok(KeyRow {
        id: row.get(0)?,
        name: row.get(1)?,
        user: row.get(2)?,
        models: serde_json::from_str(&row.get::<String>(3)?).unwrap_or_default(),
        expires_secs: row.get(4)?,
        blocked: row.get(5)?,
        created_secs: row.get(6)?,
        created_by: row.get(7)?,
        changed_secs: row.get(8)?,
        revoked_secs: row.get(9)?,
        hash: KeyHash::from_bytes(row.get(10)?),
        model_limits: model_limits::from_json(&row.get::<String>(11)?),
        is_litellms: row.get(12)?,
        carried: Carried::read(row, 13)?,
        limits: limits::read(row, COLUMN_COUNT)?,
    })
}

fn policy(sql: &Row) -> Result<(KeyHash, Policy), DatabaseError> {
    let key = row(sql)?;
    let rest = COLUMN_COUNT + limits::COUNT;
    let (number, user_blocked): (i64, Option<bool>) = (sql.get(rest)?, sql.get(rest + 1)?);
    let user_carried = match sql.get::<Option<i64>>(rest + 2 + limits::COUNT)? {
        Some(_) => Carried::read(sql, rest + 2 + limits::COUNT)?,
        None => Carried::default(),
    };
    // The control server adds what the ledger knows.
    let standing = match (key.revoked_secs, key.blocked || user_blocked == Some(true)) {
        (Some(_), _) => Standing::Revoked,
        (None, true) => Standing::Blocked,
        (None, false) => Standing::Valid,
    };
    // A time before 1970 is over as well.
    let expires = key.expires_secs.map(|secs| u64::try_from(secs).unwrap_or_default().max(1));
    let policy = Policy {
        number: number.cast_unsigned(),
        standing,
        expires_secs: expires.unwrap_or_default(),
        id: key.id,
        user: key.user.unwrap_or_default(),
        name: key.name,
        models: Models::of(key.models),
        terms: key.carried.terms(key.limits),
        user_terms: user_carried.terms(limits::read(sql, rest + 2)?),
        model_terms: model_limits::terms(key.model_limits),
    };
    Ok((key.hash, policy))
}

/// Sets columns of a row.
pub(super) fn set(
    transaction: &Connection,
    table: &str,
    id: &str,
    change: &LimitsChange,
) -> Result<(), DatabaseError> {
    let sets = change.sets();
    match sets.is_empty() {
        true => Ok(()),
        false => update(transaction, table, id, "", sets).map(drop),
    }
}

/// Sets columns of the row with this id, under a further condition; how many rows that are.
fn update(
    transaction: &Connection,
    table: &str,
    id: &str,
    and: &str,
    sets: Vec<(&str, Value)>,
) -> Result<u64, DatabaseError> {
    let names = listed(sets.iter().map(|(name, _)| format!("{name} = ?")));
    let sql = format!("UPDATE {table} SET {names} WHERE id = ?{and}");
    let values: Vec<_> = sets.into_iter().map(|(_, value)| value).chain([id.into()]).collect();
    transaction.execute(&sql, &values)
}

pub(super) fn json(models: &[String]) -> String {
    serde_json::to_string(models).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::control::store::tests::on_both;

    fn add(store: &Store, id: &str, new: &NewKey) -> u64 {
        store.add_key(id, &KeyHash::of(id), new, "command", 5).unwrap()
    }

    #[test]
    fn each_change_has_a_number_and_comes_in_the_feed() {
        on_both(|store| {
            let (database, number) = store.feed().unwrap();
            assert_eq!(number, 0);
            let new = NewKey { models: vec!["gpt-*".to_owned()], ..NewKey::default() };
            assert_eq!((add(store, "k1", &new), add(store, "k2", &new)), (1, 2));
            let change = KeyChange { blocked: Some(true), ..KeyChange::default() };
            assert_eq!(store.change_key("k1", &change, 6).unwrap(), Some(3));
            assert_eq!(store.change_key("k9", &change, 6).unwrap(), None);
            assert_eq!(store.revoke_key("k2", 7).unwrap(), Some(4));
            assert_eq!(store.revoke_key("k2", 8).unwrap(), None, "a revoked key stays revoked");
            let page = store.page(database, 2).unwrap();
            let seen: Vec<_> =
                page.policies.iter().map(|(_, own)| (&*own.id, own.standing)).collect();
            assert_eq!(seen, [("k1", Standing::Blocked), ("k2", Standing::Revoked)]);
            assert!(!page.is_reset && !page.has_more && page.number == 4);
            assert_eq!(store.page(database, 4).unwrap().policies.len(), 0);
        });
    }

    #[test]
    fn a_foreign_number_gets_all_keys_that_are_left() {
        on_both(|store| {
            let (database, _) = store.feed().unwrap();
            add(store, "k1", &NewKey { expires_secs: Some(9), ..NewKey::default() });
            add(store, "k2", &NewKey::default());
            store.revoke_key("k2", 7).unwrap();
            for (database, since) in [(database.wrapping_add(1), 1), (database, 99), (0, 0)] {
                let page = store.page(database, since).unwrap();
                assert!(page.is_reset && page.number == 3);
                assert_eq!(page.policies.len(), 1);
                assert_eq!(page.policies[0].1.expires_secs, 9);
            }
        });
    }

    #[test]
    fn many_keys_come_in_pages() {
        on_both(|store| {
            for index in 0..PAGE_POLICIES {
                add(store, &format!("k{index:05}"), &NewKey::default());
            }
            let whole = store.page(0, 0).unwrap();
            assert_eq!((whole.policies.len(), whole.has_more, whole.number), (1000, false, 1000));
            add(store, "last", &NewKey::default());
            let first = store.page(0, 0).unwrap();
            assert_eq!((first.policies.len(), first.has_more, first.number), (1000, true, 1000));
            let second = store.page(first.database, first.number).unwrap();
            assert_eq!((second.policies.len(), second.has_more, second.number), (1, false, 1001));
            assert!(!second.is_reset);
        });
    }

    #[test]
    fn limits_come_in_the_feed_with_the_users() {
        use crate::limits::{Budget, Window};
        on_both(|store| {
            store.add_user("ann", "", None, 5).unwrap();
            let budget = Some(Budget { nanos: 5, window: Window::Week, is_strict: true });
            let limits =
                Limits { rpm: Some(0), tpm: Some(9), max_parallel_requests: Some(3), budget };
            let user = Some("ann".to_owned());
            let has_budgets = || store.has_budgets(store.feed().unwrap().1).unwrap();
            assert!(!has_budgets());
            add(store, "k1", &NewKey { user, limits, ..NewKey::default() });
            assert!(has_budgets());
            assert_eq!(store.key("k1").unwrap().unwrap().limits, limits);
            let (database, number) = store.feed().unwrap();
            let of_user = Limits { budget: None, ..limits };
            let change = crate::native::control::store::UserChange {
                limits: of_user.into(),
                ..Default::default()
            };
            assert_eq!(store.change_user("ann", &change).unwrap(), Some(number + 1));
            assert_eq!(store.user("ann").unwrap().unwrap().limits, of_user);
            let page = store.page(database, number).unwrap();
            let policy = &page.policies[0].1;
            assert_eq!((policy.terms.limits, policy.user_terms.limits), (limits, of_user));
            let none =
                LimitsChange { rpm: Some(None), budget: Some(None), ..LimitsChange::default() };
            let change = KeyChange { limits: none, ..KeyChange::default() };
            store.change_key("k1", &change, 6).unwrap();
            let left = Limits { rpm: None, budget: None, ..limits };
            assert_eq!(store.key("k1").unwrap().unwrap().limits, left);
            assert!(!has_budgets());
        });
    }

    #[test]
    fn a_key_is_listed_found_and_changed() {
        on_both(|store| {
            store.add_user("ann", "Ann", None, 1).unwrap();
            let new = NewKey { user: Some("ann".to_owned()), ..NewKey::default() };
            add(store, "k1", &new);
            add(store, "k2", &NewKey::default());
            let list = |filter: KeyFilter| {
                let rows = store.keys(&KeyFilter { limit: 10, ..filter }).unwrap();
                rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
            };
            assert_eq!(list(KeyFilter::default()), ["k1", "k2"]);
            assert_eq!(
                list(KeyFilter { user: Some("ann".to_owned()), ..KeyFilter::default() }),
                ["k1"]
            );
            assert_eq!(
                list(KeyFilter { after: Some("k1".to_owned()), ..KeyFilter::default() }),
                ["k2"]
            );
            let change = KeyChange {
                name: Some("n".to_owned()),
                user: Some(None),
                models: Some(vec!["m".to_owned()]),
                expires_secs: Some(Some(8)),
                ..KeyChange::default()
            };
            store.change_key("k1", &change, 9).unwrap();
            let row = store.key_by_hash(&KeyHash::of("k1")).unwrap().unwrap();
            assert_eq!(
                (row.name.as_str(), row.user, row.models),
                ("n", None, vec!["m".to_owned()])
            );
            assert_eq!((row.expires_secs, row.blocked, row.changed_secs), (Some(8), false, 9));
            store.revoke_key("k1", 10).unwrap();
            assert_eq!(list(KeyFilter::default()), ["k2"]);
            assert_eq!(
                list(KeyFilter { with_revoked: true, ..KeyFilter::default() }),
                ["k1", "k2"]
            );
            let nobody = NewKey { user: Some("bob".to_owned()), ..NewKey::default() };
            assert!(store.add_key("k3", &KeyHash::of("k3"), &nobody, "command", 5).is_err());
        });
    }
}
