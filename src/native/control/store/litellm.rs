//! Keys and users that come from LiteLLM's database.

use std::collections::{BTreeMap, BTreeSet};

use super::carried::Carried;
use super::keys::{KeyFilter, KeyRow, NewKey, json};
use super::limits::LimitsChange;
use super::users::{UserRow, touch};
use super::{Store, keys, model_limits, users};
use crate::keys::KeyHash;
use crate::limits::Limits;
use crate::native::database::{Connection, DatabaseError, Value, listed, places, values};

/// A key of LiteLLM's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LitellmKey {
    pub hash: KeyHash,
    pub key: NewKey,
    /// In nano-dollars.
    pub spent_nanos: u64,
}

/// Who owns the keys from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// Gaud: a key that LiteLLM has no more stays.
    Over,
    /// LiteLLM: a key that LiteLLM has no more is revoked.
    InStep,
}

/// What has become of the keys, in their order. A key that is Gaud's already stays as it is: the public id, and what was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub keys: Vec<(String, Done)>,
    /// The keys that LiteLLM has no more.
    pub revoked: Vec<String>,
}

/// What was done with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Added,
    Changed,
    Same,
    /// The key was revoked here before.
    Revoked,
}

/// The columns of a key that are written before those that keys and users have alike; the first tells the key from others.
const KEY_COLUMNS: [&str; 12] = [
    "id",
    "hash",
    "created_secs",
    "created_by",
    "name",
    "user_id",
    "models",
    "expires_secs",
    "blocked",
    "changed_secs",
    "number",
    "model_limits",
];

/// How many of these stay as they are once the key is there.
const KEY_COLUMNS_FIXED: usize = 4;

const USER_COLUMNS: [&str; 5] = ["id", "created_secs", "name", "email", "blocked"];
const USER_COLUMNS_FIXED: usize = 2;

/// The columns after these, of keys and of users.
const COMMON_COLUMNS: [&str; 9] = [
    "litellms",
    "carried_nanos",
    "carried_secs",
    "rpm",
    "tpm",
    "max_parallel_requests",
    "budget_nanos",
    "budget_window",
    "budget_strict",
];

/// Who has made the keys.
const MADE_BY: &str = "litellm";

impl Store {
    /// Takes LiteLLM's keys and their users. `new_ids` has a public id for each key, which a key gets that is new.
    ///
    /// # Errors
    /// The database fails.
    pub fn take_litellms(
        &self,
        keys: &[LitellmKey],
        users: &[UserRow],
        taking: Taking,
        new_ids: &[String],
        now_secs: i64,
    ) -> Result<Taken, DatabaseError> {
        let work = Work { keys, new_ids, users, taking, now_secs };
        let plan = work.plan(&self.connection())?;
        if plan.is_empty() {
            return Ok(plan.taken);
        }
        let mut taken = Taken::default();
        self.change_keys(|transaction, first| {
            // Another gateway may have taken keys since.
            let plan = work.plan(transaction)?;
            let next = work.write(transaction, &plan, first)?;
            taken = plan.taken;
            Ok(next - first)
        })?;
        Ok(taken)
    }
}

/// The statement that makes a row, or changes all but its fixed columns.
fn upsert(table: &str, columns: &[&str], fixed: usize, and: &str) -> String {
    let columns: Vec<_> = columns.iter().chain(&COMMON_COLUMNS).collect();
    let sets = columns.iter().skip(fixed).map(|name| format!("{name} = excluded.{name}"));
    format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT (id) DO UPDATE SET {}{and}",
        listed(&columns),
        places(columns.len()),
        listed(sets)
    )
}

/// What LiteLLM has, and how that is to be taken.
struct Work<'a> {
    keys: &'a [LitellmKey],
    new_ids: &'a [String],
    users: &'a [UserRow],
    taking: Taking,
    now_secs: i64,
}

/// What is to be written, and what becomes of the keys then.
struct Plan {
    users: Vec<UserRow>,
    keys: Vec<KeyRow>,
    taken: Taken,
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.keys.is_empty() && self.taken.revoked.is_empty()
    }
}

impl Work<'_> {
    /// Compares with what the database has.
    fn plan(&self, connection: &Connection) -> Result<Plan, DatabaseError> {
        let all = KeyFilter { limit: usize::MAX, with_revoked: true, ..KeyFilter::default() };
        let known = keys::find(connection, &all)?;
        let of_hash = known.iter().map(|row| (row.hash, row)).collect();
        let users = self.changed_users(&users::all(connection)?);
        let (keys, done) = self.changed_keys(&of_hash);
        Ok(Plan { users, keys, taken: Taken { keys: done, revoked: self.gone(&known) } })
    }

    /// Returns the number after the last change.
    fn write(
        &self,
        transaction: &Connection,
        plan: &Plan,
        first: i64,
    ) -> Result<i64, DatabaseError> {
        let mut next = first;
        let users = plan.users.iter().map(|row| self.user_values(row)).collect();
        transaction.execute_each(&upsert("users", &USER_COLUMNS, USER_COLUMNS_FIXED, ""), users)?;
        for row in &plan.users {
            next += touch(transaction, &row.id, next)?;
        }
        let keys = (next..).zip(&plan.keys).map(|(number, row)| self.key_values(row, number));
        let sql = upsert("keys", &KEY_COLUMNS, KEY_COLUMNS_FIXED, ", revoked_secs = NULL");
        transaction.execute_each(&sql, keys.collect())?;
        next += i64::try_from(plan.keys.len()).unwrap_or_default();
        for id in &plan.taken.revoked {
            let sql =
                "UPDATE keys SET revoked_secs = ?2, changed_secs = ?2, number = ?3 WHERE id = ?1";
            transaction.execute(sql, values![id, self.now_secs, next])?;
            next += 1;
        }
        Ok(next)
    }

    fn is_litellms(&self) -> bool {
        self.taking == Taking::InStep
    }

    /// The users that are new or other than before. A user of Gaud's own stays as the user is.
    fn changed_users(&self, old: &[UserRow]) -> Vec<UserRow> {
        let of = |id: &str| old.iter().find(|row| row.id == id);
        let changed = self.users.iter().filter_map(|user| {
            let old = of(&user.id);
            if old.is_some_and(|old| !old.is_litellms) {
                return None;
            }
            let carried = self.carried(user.carried.nanos, old.map(|old| old.carried));
            let created_secs = old.map_or(self.now_secs, |old| old.created_secs);
            let is_litellms = self.is_litellms();
            let row = UserRow { carried, is_litellms, created_secs, ..user.clone() };
            (old != Some(&row)).then_some(row)
        });
        changed.collect()
    }

    /// The keys that are new or other than before, and what becomes of each key. LiteLLM may make a key again that it had deleted.
    fn changed_keys(
        &self,
        of_hash: &BTreeMap<KeyHash, &KeyRow>,
    ) -> (Vec<KeyRow>, Vec<(String, Done)>) {
        let (mut rows, mut all) = (Vec::new(), Vec::new());
        for (key, new_id) in self.keys.iter().zip(self.new_ids) {
            let old = of_hash.get(&key.hash).copied();
            let row = self.key(key, old, new_id);
            let done = match old {
                None => Done::Added,
                Some(old) if !old.is_litellms && old.revoked_secs.is_some() => Done::Revoked,
                Some(old) if !old.is_litellms => Done::Same,
                Some(old) if KeyRow { changed_secs: old.changed_secs, ..row.clone() } == *old => {
                    Done::Same
                }
                Some(_) => Done::Changed,
            };
            all.push((row.id.clone(), done));
            if matches!(done, Done::Added | Done::Changed) {
                rows.push(row);
            }
        }
        (rows, all)
    }

    /// The row that a key is to have.
    fn key(
        &self,
        LitellmKey { hash, key, spent_nanos }: &LitellmKey,
        old: Option<&KeyRow>,
        new_id: &str,
    ) -> KeyRow {
        let NewKey { name, user, models, expires_secs, blocked, limits, model_limits } =
            key.clone();
        KeyRow {
            id: old.map_or(new_id, |old| &old.id).to_owned(),
            hash: *hash,
            name,
            user,
            models,
            expires_secs,
            blocked,
            created_secs: old.map_or(self.now_secs, |old| old.created_secs),
            created_by: old.map_or_else(|| MADE_BY.to_owned(), |old| old.created_by.clone()),
            changed_secs: self.now_secs,
            revoked_secs: None,
            limits,
            model_limits,
            is_litellms: self.is_litellms(),
            carried: self.carried(*spent_nanos, old.map(|old| old.carried)),
        }
    }

    fn carried(&self, nanos: u64, old: Option<Carried>) -> Carried {
        let now = Carried { nanos, at_secs: u64::try_from(self.now_secs).unwrap_or_default() };
        old.filter(|old| old.nanos == nanos).unwrap_or(now)
    }

    /// The keys that LiteLLM owned and has no more, by their public ids.
    fn gone(&self, known: &[KeyRow]) -> Vec<String> {
        let all: BTreeSet<_> = self.keys.iter().map(|key| key.hash).collect();
        let is_gone = |row: &&KeyRow| {
            row.is_litellms && row.revoked_secs.is_none() && !all.contains(&row.hash)
        };
        let gone = known.iter().filter(|row| self.is_litellms() && is_gone(row));
        gone.map(|row| row.id.clone()).collect()
    }

    /// In the order of [`KEY_COLUMNS`].
    fn key_values(&self, row: &KeyRow, number: i64) -> Vec<Value> {
        let models = json(&row.models);
        let own = values![
            &row.id,
            &row.hash.as_bytes()[..],
            row.created_secs,
            &row.created_by,
            &row.name,
            row.user.as_deref(),
            models,
            row.expires_secs,
            row.blocked,
            row.changed_secs,
            number,
            model_limits::to_json(&row.model_limits),
        ];
        [own, &common(row.is_litellms, row.carried, row.limits)].concat()
    }

    /// In the order of [`USER_COLUMNS`].
    fn user_values(&self, row: &UserRow) -> Vec<Value> {
        let own = values![&row.id, row.created_secs, &row.name, row.email.as_deref(), row.blocked,];
        [own, &common(row.is_litellms, row.carried, row.limits)].concat()
    }
}

/// In the order of [`COMMON_COLUMNS`].
fn common(is_litellms: bool, carried: Carried, limits: Limits) -> Vec<Value> {
    let own = values![is_litellms, carried.nanos, carried.at_secs];
    let limits = LimitsChange::from(limits).sets().into_iter().map(|(_, value)| value);
    own.iter().cloned().chain(limits).collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::keys::Standing;
    use crate::limits::{Budget, Known, Window};
    use crate::native::control::store::KeyChange;
    use crate::native::control::store::tests::on_both;
    use crate::native::database::testing;

    fn key(text: &str, spent_nanos: u64) -> LitellmKey {
        let budget = Some(Budget { nanos: 100, window: Window::Day, is_strict: false });
        let limits = Limits { rpm: Some(5), budget, ..Limits::NONE };
        let (name, user) = (text.to_owned(), Some("ann".to_owned()));
        let models = vec!["gpt-*".to_owned()];
        let key = NewKey { name, user, models, limits, ..NewKey::default() };
        LitellmKey { hash: KeyHash::of(text), key, spent_nanos }
    }

    fn user(blocked: bool) -> UserRow {
        UserRow {
            id: "ann".to_owned(),
            name: "Ann".to_owned(),
            email: None,
            blocked,
            created_secs: 0,
            limits: Limits { tpm: Some(9), ..Limits::NONE },
            is_litellms: false,
            carried: Carried { nanos: 7, at_secs: 0 },
        }
    }

    /// A day, at noon.
    const NOW_SECS: i64 = 1_795_953_600;

    fn take(store: &Store, keys: &[LitellmKey], users: &[UserRow], taking: Taking) -> Taken {
        let new_ids = new_ids(&format!("k{}-", store.feed().unwrap().1), keys);
        store.take_litellms(keys, users, taking, &new_ids, NOW_SECS).unwrap()
    }

    /// As a gateway of several takes them.
    fn take_as(gateway: &str, store: &Store, keys: &[LitellmKey]) -> Taken {
        let new_ids = new_ids(gateway, keys);
        let users = [user(false)];
        store.take_litellms(keys, &users, Taking::InStep, &new_ids, NOW_SECS).unwrap()
    }

    fn new_ids(prefix: &str, keys: &[LitellmKey]) -> Vec<String> {
        (0..keys.len()).map(|place| format!("{prefix}{place}")).collect()
    }

    fn done(taken: &Taken) -> Vec<Done> {
        taken.keys.iter().map(|(_, done)| *done).collect()
    }

    #[test]
    fn a_second_time_changes_nothing_and_litellms_change_counts_where_litellm_owns_the_key() {
        on_both(|store| {
            let of_gaud = (Taking::Over, Done::Same, 5, false);
            let of_litellm = (Taking::InStep, Done::Changed, 6, true);
            for (taking, then, nanos, is_litellms) in [of_gaud, of_litellm] {
                let names = ["a", "b"].map(|name| format!("{name}{taking:?}"));
                let keys = names.each_ref().map(|name| key(name, 5));
                let users = [user(false)];
                assert_eq!(done(&take(store, &keys, &users, taking)), [Done::Added; 2]);
                let (_, number) = store.feed().unwrap();
                assert_eq!(done(&take(store, &keys, &users, taking)), [Done::Same; 2]);
                assert_eq!(store.feed().unwrap().1, number);
                let other = [key(&names[0], 6), key(&names[1], 5)];
                let taken = take(store, &other, &users, taking);
                assert_eq!(done(&taken), [then, Done::Same]);
                let row = store.key_by_hash(&other[0].hash).unwrap().unwrap();
                assert_eq!((row.carried.nanos, row.is_litellms), (nanos, is_litellms));
                assert_eq!((row.created_by.as_str(), row.limits), (MADE_BY, other[0].key.limits));
            }
        });
    }

    /// What an admin has done to a key of Gaud's stays.
    #[test]
    fn a_key_that_is_gauds_stays_as_it_is() {
        on_both(|store| {
            let keys = [key("a", 0)];
            let id = take(store, &keys, &[user(false)], Taking::Over).keys[0].0.clone();
            let blocked = KeyChange { blocked: Some(true), ..KeyChange::default() };
            store.change_key(&id, &blocked, 9).unwrap();
            for taking in [Taking::Over, Taking::InStep] {
                assert_eq!(done(&take(store, &keys, &[], taking)), [Done::Same]);
                let row = store.key(&id).unwrap().unwrap();
                assert!(row.blocked && !row.is_litellms);
            }
        });
    }

    #[test]
    fn what_was_spent_counts_in_its_window() {
        on_both(|store| {
            take(store, &[key("a", 5)], &[user(false)], Taking::InStep);
            let page = store.page(0, 0).unwrap();
            let policy = &page.policies[0].1;
            let period = Window::Day.at(NOW_SECS.cast_unsigned());
            assert_eq!(policy.terms.known, Some(Known { period, spent_nanos: 5 }));
            assert_eq!(policy.user_terms.limits.tpm, Some(9));
            assert_eq!(policy.user_terms.known, None, "the user has no budget");
            assert_eq!(store.user("ann").unwrap().unwrap().carried.nanos, 7);
        });
    }

    #[test]
    fn a_key_that_litellm_has_no_more_is_revoked_while_litellm_is_the_owner() {
        on_both(|store| {
            let (one, two) = ([key("a", 0)], [key("b", 0)]);
            let first = take(store, &one, &[user(false)], Taking::InStep);
            let second = take(store, &two, &[user(false)], Taking::InStep);
            assert_eq!(second.revoked, [first.keys[0].0.clone()]);
            let again = take(store, &one, &[user(false)], Taking::InStep);
            assert_eq!(done(&again), [Done::Changed], "LiteLLM has made the key again");
            assert_eq!(again.keys[0].0, first.keys[0].0);
            // Gaud is the owner from now on.
            take(store, &one, &[user(false)], Taking::Over);
            assert_eq!(take(store, &[], &[], Taking::InStep).revoked, Vec::<String>::new());
            store.revoke_key(&first.keys[0].0, 9).unwrap();
            assert_eq!(done(&take(store, &one, &[], Taking::Over)), [Done::Revoked]);
            assert_eq!(done(&take(store, &one, &[], Taking::InStep)), [Done::Revoked]);
        });
    }

    #[test]
    fn a_blocked_user_blocks_the_keys_and_a_user_of_gauds_stays() {
        on_both(|store| {
            take(store, &[key("a", 0)], &[user(false)], Taking::InStep);
            let (database, number) = store.feed().unwrap();
            take(store, &[key("a", 0)], &[user(true)], Taking::InStep);
            let page = store.page(database, number).unwrap();
            let standings: Vec<_> = page.policies.iter().map(|(_, own)| own.standing).collect();
            assert_eq!(standings, [Standing::Blocked]);
            take(store, &[key("a", 0)], &[user(false)], Taking::Over);
            take(store, &[key("a", 0)], &[user(true)], Taking::InStep);
            let row = store.user("ann").unwrap().unwrap();
            assert_eq!((row.blocked, row.is_litellms), (false, false));
        });
    }

    #[test]
    fn gateways_that_take_a_key_at_once_have_one_key() {
        testing::on_both(|databases| {
            let stores = [(); 4].map(|()| Store::open(databases).unwrap());
            let keys: Vec<_> = (0..50).map(|number| key(&format!("sk-{number}"), 0)).collect();
            let all = thread::scope(|scope| {
                let takers = [0, 1, 2, 3].map(|place: usize| {
                    let (store, keys) = (&stores[place], &keys);
                    scope.spawn(move || take_as(&format!("g{place}-"), store, keys))
                });
                takers.map(|taker| taker.join().unwrap())
            });
            let ids =
                |taken: &Taken| taken.keys.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
            assert!(all.iter().all(|taken| ids(taken) == ids(&all[0])));
            let added = all.iter().filter(|taken| done(taken).contains(&Done::Added)).count();
            assert_eq!((added, stores[0].page(0, 0).unwrap().policies.len()), (1, 50));
        });
    }
}
