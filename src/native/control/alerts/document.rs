//! An alert in words: a line of the log, and the JSON that the webhook gets.

use serde_json::{Value, json};

use super::super::store::{Alert, BudgetOwner, BudgetRow};
use crate::config::BudgetFile;
use crate::limits::Window;
use crate::models::date;
use crate::native::ledger::dollars;

/// An alert, with what people call the budget's owner.
pub(super) struct Words {
    pub(super) alert: Alert,
    pub(super) name: String,
    /// Who owns the key.
    pub(super) user: Option<String>,
}

impl Words {
    pub(super) fn line(&self) -> String {
        let Alert { budget, percent, spent_nanos, .. } = &self.alert;
        let money = |nanos: u64| dollars(i64::try_from(nanos).unwrap_or(i64::MAX));
        let part = match percent {
            100 => "has used up its budget".to_owned(),
            percent => format!("has spent {percent} % of its budget"),
        };
        format!(
            "{} {part} {}: {} of {} dollars",
            self.owner(),
            self.window(),
            money(*spent_nanos),
            money(budget.nanos)
        )
    }

    fn owner(&self) -> String {
        let BudgetRow { owner, id, .. } = &self.alert.budget;
        let name = Some(&self.name).filter(|name| !name.is_empty());
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        let user = self.user.as_ref().map(|user| format!(" of {user}")).unwrap_or_default();
        match owner {
            BudgetOwner::Key => format!("the key {id}{name}{user}"),
            BudgetOwner::User => format!("the user {id}{name}"),
        }
    }

    fn window(&self) -> String {
        let period = self.alert.period;
        let time = date::format(period.start_secs);
        let day = time.split('T').next().unwrap_or_default();
        match period.window {
            Window::Total => "for all time".to_owned(),
            Window::Day => format!("of the day {day}"),
            window => format!("of the {} from {day}", window.as_str()),
        }
    }

    pub(super) fn document(&self) -> Value {
        let Alert { budget, period, percent, spent_nanos, .. } = &self.alert;
        let BudgetRow { owner, id, window, nanos } = budget;
        let name = Some(self.name.as_str()).filter(|name| !name.is_empty());
        let start = (*window != Window::Total).then(|| date::format(period.start_secs));
        json!({
            // The same for each try: who has seen the id may drop the alert.
            "id": format!("{}/{id}/{}/{nanos}/{percent}", owner.as_str(), period.to_text()),
            "alert": "budget",
            "percent": percent,
            "owner": {"kind": owner.as_str(), "id": id, "name": name, "user": self.user},
            "budget_usd": BudgetFile::usd(*nanos),
            "spent_usd": BudgetFile::usd(*spent_nanos),
            "window": window.as_str(),
            "window_starts": start,
            "window_ends": period.end_secs().map(date::format),
            // What chats show of a message.
            "text": format!("Gaud: {}.", self.line()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(owner: BudgetOwner, id: &str, window: Window, percent: u8) -> Words {
        let budget = BudgetRow { owner, id: id.to_owned(), window, nanos: 50_000_000_000 };
        let period = window.at(1_795_968_000);
        let alert = Alert { budget, period, percent, spent_nanos: 40_100_000_000, tries: 0 };
        Words { alert, name: String::new(), user: None }
    }

    #[test]
    fn an_alert_says_who_has_spent_what_and_when() {
        let key = words(BudgetOwner::Key, "abcdefghijkl", Window::Month, 80);
        let key = Words { name: "laptop".to_owned(), user: Some("ann".to_owned()), ..key };
        let said = "the key abcdefghijkl (laptop) of ann has spent 80 % of its budget of the month from 2026-11-01: 40.10 of 50.00 dollars";
        assert_eq!(key.line(), said);
        let user = words(BudgetOwner::User, "team-1", Window::Total, 100);
        let said = "the user team-1 has used up its budget for all time: 40.10 of 50.00 dollars";
        assert_eq!(user.line(), said);
        let expected = json!({
            "id": "key/abcdefghijkl/month1793491200/50000000000/80",
            "alert": "budget",
            "percent": 80,
            "owner": {"kind": "key", "id": "abcdefghijkl", "name": "laptop", "user": "ann"},
            "budget_usd": 50.0,
            "spent_usd": 40.1,
            "window": "month",
            "window_starts": "2026-11-01T00:00:00Z",
            "window_ends": "2026-12-01T00:00:00Z",
            "text": format!("Gaud: {}.", key.line()),
        });
        assert_eq!(key.document(), expected);
        let document = user.document();
        assert_eq!(
            (&document["window_starts"], &document["window_ends"]),
            (&Value::Null, &Value::Null)
        );
    }
}
