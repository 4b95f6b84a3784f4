//! The budgets of keys and users, and what was told of them.

use super::Store;
use super::carried::Carried;
use crate::limits::{Period, Window};
use crate::native::database::{DatabaseError, Row, Value, values};

/// Whose budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetOwner {
    Key,
    User,
}

impl BudgetOwner {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "user",
        }
    }

    fn parse(text: &str) -> Self {
        if text == Self::User.as_str() { Self::User } else { Self::Key }
    }
}

/// A budget of a key that is not revoked, or of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRow {
    pub owner: BudgetOwner,
    /// The key's public id, or the user's id.
    pub id: String,
    pub window: Window,
    pub nanos: u64,
}

/// A part of a budget is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub budget: BudgetRow,
    pub period: Period,
    /// Of the budget.
    pub percent: u8,
    pub spent_nanos: u64,
    /// How often the webhook was asked.
    pub tries: u32,
}

/// Alerts of windows that are over for so long are forgotten.
const KEPT_SECS: i64 = 100 * 86_400;

impl Alert {
    /// What tells the alert from all others.
    fn key(&self) -> Vec<Value> {
        let BudgetRow { owner, id, window, nanos } = &self.budget;
        let (window, start) = (window.as_str(), self.period.start_secs);
        values![owner.as_str(), id, window, start, *nanos, u64::from(self.percent)].to_vec()
    }
}

/// The row of [`Alert::key`].
const THIS: &str = "owner = ?1 AND id = ?2 AND budget_window = ?3 AND window_secs = ?4 AND budget_nanos = ?5 AND percent = ?6";

impl Store {
    /// The budgets, by owner and id, each with what was spent of it elsewhere.
    ///
    /// # Errors
    /// The database fails.
    pub fn budgets(&self) -> Result<Vec<(BudgetRow, Carried)>, DatabaseError> {
        let sql = "SELECT 'key' AS owner, id, budget_window, budget_nanos, carried_nanos, carried_secs FROM keys
                WHERE budget_nanos IS NOT NULL AND revoked_secs IS NULL
            UNION ALL SELECT 'user', id, budget_window, budget_nanos, carried_nanos, carried_secs FROM users
                WHERE budget_nanos IS NOT NULL
            ORDER BY 1, 2";
        let both = |row: &Row| Ok((budget(row)?, Carried::read(row, 4)?));
        self.connection().query(sql, &[])?.iter().map(both).collect()
    }

    /// Notes an alert; false where it is noted already. A webhook that is there is to be told.
    ///
    /// # Errors
    /// The database fails.
    pub fn add_alert(
        &self,
        alert: &Alert,
        has_webhook: bool,
        now_secs: i64,
    ) -> Result<bool, DatabaseError> {
        let sql = "INSERT INTO alerts (owner, id, budget_window, window_secs, budget_nanos, percent, spent_nanos,
            reached_secs, told_secs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let told_secs = (!has_webhook).then_some(now_secs);
        let rest = values![alert.spent_nanos, now_secs, told_secs];
        Ok(self.connection().execute(sql, &[&alert.key(), rest].concat())? > 0)
    }

    /// The alerts that the webhook has not taken, was not asked too often to take, and is to be asked now, the first one first.
    ///
    /// # Errors
    /// The database fails.
    pub fn untold_alerts(
        &self,
        tries_max: u32,
        now_secs: i64,
    ) -> Result<Vec<Alert>, DatabaseError> {
        let sql = "SELECT owner, id, budget_window, budget_nanos, window_secs, percent, spent_nanos, tries FROM alerts
            WHERE told_secs IS NULL AND tries < ?1 AND next_secs <= ?2 ORDER BY reached_secs, owner, id, percent";
        let alert = |row: &Row| {
            let budget = budget(row)?;
            let number = |place| row.get::<u64>(place);
            let period = Period { window: budget.window, start_secs: number(4)? };
            let percent = u8::try_from(number(5)?).unwrap_or_default();
            let tries = u32::try_from(number(7)?).unwrap_or_default();
            Ok(Alert { budget, period, percent, spent_nanos: number(6)?, tries })
        };
        self.connection().query(sql, values![tries_max, now_secs])?.iter().map(alert).collect()
    }

    /// Takes the next try of an alert, so that no other process takes the try; false where another was faster. Another try may
    /// follow from `next_secs` on.
    ///
    /// # Errors
    /// The database fails.
    pub fn take_try(&self, alert: &Alert, next_secs: i64) -> Result<bool, DatabaseError> {
        let sql = format!(
            "UPDATE alerts SET tries = tries + 1, next_secs = ?7 WHERE {THIS} AND tries = ?8 AND told_secs IS NULL"
        );
        let rest = values![next_secs, alert.tries];
        Ok(self.connection().execute(&sql, &[&alert.key(), rest].concat())? > 0)
    }

    /// Another try may follow from `next_secs` on.
    ///
    /// # Errors
    /// The database fails.
    pub fn put_off(&self, alert: &Alert, next_secs: i64) -> Result<(), DatabaseError> {
        let sql = format!("UPDATE alerts SET next_secs = ?7 WHERE {THIS}");
        let values = [&alert.key(), values![next_secs]].concat();
        self.connection().execute(&sql, &values).map(drop)
    }

    /// The webhook has taken the alert.
    ///
    /// # Errors
    /// The database fails.
    pub fn note_told(&self, alert: &Alert, now_secs: i64) -> Result<(), DatabaseError> {
        let sql = format!("UPDATE alerts SET told_secs = ?7 WHERE {THIS}");
        let values = [&alert.key(), values![now_secs]].concat();
        self.connection().execute(&sql, &values).map(drop)
    }

    /// Forgets what was told of windows that are long over.
    ///
    /// # Errors
    /// The database fails.
    pub fn forget_alerts(&self, now_secs: i64) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM alerts WHERE budget_window <> 'total' AND window_secs < ?1";
        let oldest = now_secs.saturating_sub(KEPT_SECS);
        self.connection().execute(sql, values![oldest]).map(drop)
    }
}

/// The first four columns.
fn budget(row: &Row) -> Result<BudgetRow, DatabaseError> {
    let window: Option<String> = row.get(2)?;
    Ok(BudgetRow {
        owner: BudgetOwner::parse(&row.get::<String>(0)?),
        id: row.get(1)?,
        window: window.as_deref().and_then(Window::parse).unwrap_or_default(),
        nanos: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyHash;
    use crate::limits::{Budget, Limits};
    use crate::native::control::store::tests::on_both;
    use crate::native::control::store::{LitellmKey, NewKey, Taking, UserChange};

    fn limits(nanos: u64, window: Window) -> Limits {
        Limits { budget: Some(Budget { nanos, window, is_strict: false }), ..Limits::NONE }
    }

    #[test]
    fn budgets_are_those_of_users_and_of_keys_that_open_something() {
        on_both(budgets_of_users_and_keys);
    }

    fn budgets_of_users_and_keys(store: &Store) {
        store.add_user("ann", "", None, 5).unwrap();
        let change =
            UserChange { limits: limits(7, Window::Total).into(), ..UserChange::default() };
        store.change_user("ann", &change).unwrap();
        for (id, limits) in [("k1", limits(5, Window::Day)), ("k2", Limits::NONE)] {
            let new = NewKey { limits, ..NewKey::default() };
            store.add_key(id, &KeyHash::of(id), &new, "command", 5).unwrap();
        }
        let key = NewKey { limits: limits(9, Window::Month), ..NewKey::default() };
        let litellms = LitellmKey { hash: KeyHash::of("k3"), key, spent_nanos: 4 };
        store.take_litellms(&[litellms], &[], Taking::Over, &["k3".to_owned()], 77).unwrap();
        let row = |owner, id: &str, window, nanos, spent| {
            let at_secs = if spent == 0 { 0 } else { 77 };
            let budget = BudgetRow { owner, id: id.to_owned(), window, nanos };
            (budget, Carried { nanos: spent, at_secs })
        };
        let of_user = row(BudgetOwner::User, "ann", Window::Total, 7, 0);
        let of_litellms = row(BudgetOwner::Key, "k3", Window::Month, 9, 4);
        let of_key = row(BudgetOwner::Key, "k1", Window::Day, 5, 0);
        assert_eq!(store.budgets().unwrap(), [of_key, of_litellms.clone(), of_user.clone()]);
        store.revoke_key("k1", 6).unwrap();
        assert_eq!(store.budgets().unwrap(), [of_litellms, of_user]);
    }

    #[test]
    fn an_alert_is_noted_once_and_tried_a_few_times() {
        on_both(noted_once);
    }

    fn noted_once(store: &Store) {
        let budget = BudgetRow {
            owner: BudgetOwner::Key,
            id: "k1".to_owned(),
            window: Window::Day,
            nanos: 100,
        };
        let period = Window::Day.at(1_795_968_000);
        let alert = Alert { budget, period, percent: 80, spent_nanos: 85, tries: 0 };
        assert!(store.add_alert(&alert, true, 9).unwrap());
        assert!(!store.add_alert(&alert, true, 9).unwrap());
        let next = Alert { percent: 100, ..alert.clone() };
        assert!(store.add_alert(&next, true, 9).unwrap());
        let raised = BudgetRow { nanos: 200, ..alert.budget.clone() };
        assert!(store.add_alert(&Alert { budget: raised, ..alert.clone() }, false, 9).unwrap());
        // The next window has alerts of its own.
        let tomorrow = Window::Day.at(1_795_968_000 + 86_400);
        let later = Alert { period: tomorrow, ..alert.clone() };
        assert!(store.add_alert(&later, false, 9).unwrap());
        assert!(!store.add_alert(&later, false, 9).unwrap());
        assert_eq!(store.untold_alerts(2, 9).unwrap(), [alert.clone(), next.clone()]);
        assert!(store.take_try(&alert, 20).unwrap());
        assert!(!store.take_try(&alert, 20).unwrap(), "another process has the try");
        store.note_told(&alert, 10).unwrap();
        assert!(store.take_try(&next, 20).unwrap());
        assert_eq!(store.untold_alerts(2, 19).unwrap(), []);
        let tried = Alert { tries: 1, ..next.clone() };
        assert_eq!(store.untold_alerts(2, 20).unwrap(), std::slice::from_ref(&tried));
        assert!(store.take_try(&tried, 30).unwrap());
        assert_eq!(store.untold_alerts(2, 99).unwrap(), []);
        store.forget_alerts(1_795_968_000 + 90 * 86_400).unwrap();
        assert!(!store.add_alert(&alert, true, 9).unwrap());
        store.forget_alerts(1_795_968_000 + 110 * 86_400).unwrap();
        assert!(store.add_alert(&alert, true, 9).unwrap());
    }
}
