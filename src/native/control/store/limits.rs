//! The columns of limits, which keys and users have alike.

use rusqlite::Row;
use rusqlite::types::Value;

use super::{Store, StoreError};
use crate::limits::{Budget, Limits, Window};

/// How many columns there are.
pub(super) const COUNT: usize = 6;

/// The columns, of the table of keys and of the table of users.
pub(super) const OF_KEYS: &str =
    "keys.rpm, keys.tpm, keys.max_parallel_requests, keys.budget_nanos, keys.budget_window,
    keys.budget_strict";
pub(super) const OF_USERS: &str =
    "users.rpm, users.tpm, users.max_parallel_requests, users.budget_nanos,
    users.budget_window, users.budget_strict";

/// A change of limits: a field that is `None` stays, and `Some(None)` takes the limit away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsChange {
    pub rpm: Option<Option<u64>>,
    pub tpm: Option<Option<u64>>,
    pub max_parallel_requests: Option<Option<u32>>,
    pub budget: Option<Option<Budget>>,
}

impl LimitsChange {
    /// Whether nothing changes.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The limits after the change.
    #[must_use]
    pub fn of(&self, old: Limits) -> Limits {
        Limits {
            rpm: self.rpm.unwrap_or(old.rpm),
            tpm: self.tpm.unwrap_or(old.tpm),
            max_parallel_requests: self.max_parallel_requests.unwrap_or(old.max_parallel_requests),
            budget: self.budget.unwrap_or(old.budget),
        }
    }

    /// The columns that change, by name and value.
    pub(super) fn sets(&self) -> Vec<(&'static str, Value)> {
        let number = |own: Option<u64>| own.map_or(Value::Null, |own| Value::Integer(integer(own)));
        let mut sets = Vec::new();
        sets.extend(self.rpm.map(|rpm| ("rpm", number(rpm))));
        sets.extend(self.tpm.map(|tpm| ("tpm", number(tpm))));
        let most = self.max_parallel_requests.map(|most| most.map(u64::from));
        sets.extend(most.map(|most| ("max_parallel_requests", number(most))));
        if let Some(budget) = self.budget {
            let window = budget.map_or(Value::Null, |own| own.window.as_str().to_owned().into());
            sets.push(("budget_nanos", number(budget.map(|own| own.nanos))));
            sets.push(("budget_window", window));
            sets.push(("budget_strict", budget.is_some_and(|own| own.is_strict).into()));
        }
        sets
    }
}

impl From<Limits> for LimitsChange {
    /// Sets all of them.
    fn from(limits: Limits) -> Self {
        let Limits { rpm, tpm, max_parallel_requests, budget } = limits;
        Self {
            rpm: Some(rpm),
            tpm: Some(tpm),
            max_parallel_requests: Some(max_parallel_requests),
            budget: Some(budget),
        }
    }
}

/// Reads the columns, of which `first` is the first.
pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Limits> {
    let number = |place: usize| -> rusqlite::Result<Option<u64>> {
        let value: Option<i64> = row.get(first + place)?;
        Ok(value.map(|value| u64::try_from(value).unwrap_or_default()))
    };
    let most = number(2)?.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    let window: Option<String> = row.get(first + 4)?;
    let window = window.as_deref().and_then(Window::parse).unwrap_or_default();
    let is_strict: Option<bool> = row.get(first + 5)?;
    let budget =
        number(3)?.map(|nanos| Budget { nanos, window, is_strict: is_strict.unwrap_or_default() });
    Ok(Limits { rpm: number(0)?, tpm: number(1)?, max_parallel_requests: most, budget })
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store {
    /// Whether any key or user has a budget: then the filter needs prices.
    ///
    /// # Errors
    /// The database fails.
    pub fn has_budgets(&self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM keys WHERE budget_nanos IS NOT NULL AND revoked_secs IS NULL)
            OR EXISTS (SELECT 1 FROM users WHERE budget_nanos IS NOT NULL)";
        Ok(self.connection().query_row(sql, [], |row| row.get(0))?)
    }
}
