//! The columns of limits, which keys and users have alike.

use super::Store;
use crate::limits::{Budget, Limits, Window};
use crate::native::database::{DatabaseError, Row, Value};
use crate::native::lock::lock;

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
        let mut sets = Vec::new();
        sets.extend(self.rpm.map(|rpm| ("rpm", rpm.into())));
        sets.extend(self.tpm.map(|tpm| ("tpm", tpm.into())));
        sets.extend(self.max_parallel_requests.map(|most| ("max_parallel_requests", most.into())));
        if let Some(budget) = self.budget {
            sets.push(("budget_nanos", budget.map(|own| own.nanos).into()));
            sets.push(("budget_window", budget.map(|own| own.window.as_str()).into()));
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
pub(super) fn read(row: &Row, first: usize) -> Result<Limits, DatabaseError> {
    let number = |place: usize| row.get::<Option<u64>>(first + place);
    let most = number(2)?.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    let window: Option<String> = row.get(first + 4)?;
    let window = window.as_deref().and_then(Window::parse).unwrap_or_default();
    let is_strict: Option<bool> = row.get(first + 5)?;
    let budget =
        number(3)?.map(|nanos| Budget { nanos, window, is_strict: is_strict.unwrap_or_default() });
    Ok(Limits { rpm: number(0)?, tpm: number(1)?, max_parallel_requests: most, budget })
}

impl Store {
    /// Whether any key or user has a budget: then the filter needs prices. `number` is the feed's: the same number has the same
    /// answer, but for users without keys.
    ///
    /// # Errors
    /// The database fails.
    pub fn has_budgets(&self, number: u64) -> Result<bool, DatabaseError> {
        let mut had_budgets = lock(&self.had_budgets);
        match *had_budgets {
            Some((then, had)) if then == number => Ok(had),
            _ => Ok(had_budgets.insert((number, self.look_for_budgets()?)).1),
        }
    }

    /// Reads all keys, where none has a budget.
    fn look_for_budgets(&self) -> Result<bool, DatabaseError> {
        let sql = r#"SELECT EXISTS (SELECT 1 FROM keys WHERE revoked_secs IS NULL
            AND (budget_nanos IS NOT NULL OR model_limits LIKE '%"budget":{%'))
            OR EXISTS (SELECT 1 FROM users WHERE budget_nanos IS NOT NULL)"#;
        self.connection().one(sql, &[])?.get(0)
    }
}
