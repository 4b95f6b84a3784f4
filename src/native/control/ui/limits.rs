//! The limits of a key or a user: the fields of a form, and the words of a page.

use serde::Serialize;

use super::form::Form;
use super::template::rounded;
use crate::config::BudgetFile;
use crate::limits::{Budget, Known, Limits, Window};
use crate::native::control::api::{Control, now_secs};
use crate::native::control::error::ApiError;
use crate::native::control::keys::{LimitFields, Sums};
use crate::native::control::store::{Carried, LimitsChange};
use crate::native::ledger::Group;

/// What the fields of limits show.
#[derive(Default, Serialize)]
pub(super) struct TypedLimits {
    rpm: String,
    tpm: String,
    max_parallel_requests: String,
    budget_usd: String,
    budget_window: String,
    budget_strict: bool,
}

/// What a key or a user may use, and what is used.
#[derive(Serialize)]
pub(super) struct Account {
    /// Each limit in a few words.
    limits: Vec<String>,
    /// Of all time; `None` where the ledger cannot be read.
    spent_nanos: Option<i64>,
    budget: Option<BudgetUse>,
}

/// A budget, and what is spent of the budget in the window that is open.
#[derive(Serialize)]
struct BudgetUse {
    spent_nanos: u64,
    nanos: u64,
    window: &'static str,
}

impl TypedLimits {
    /// What was typed into a form.
    pub(super) fn sent(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            rpm: text("rpm"),
            tpm: text("tpm"),
            max_parallel_requests: text("max_parallel_requests"),
            budget_usd: text("budget_usd"),
            budget_window: text("budget_window"),
            budget_strict: form.sent("budget_strict").is_some(),
        }
    }

    pub(super) fn of(limits: &Limits) -> Self {
        let Limits { rpm, tpm, max_parallel_requests, budget } = limits;
        let text = |number: Option<u64>| number.map(|own| own.to_string()).unwrap_or_default();
        let usd = budget.map(|own| BudgetFile::usd(own.nanos).to_string());
        Self {
            rpm: text(*rpm),
            tpm: text(*tpm),
            max_parallel_requests: text(max_parallel_requests.map(u64::from)),
            budget_usd: usd.unwrap_or_default(),
            budget_window: budget.map_or("month", |own| own.window.as_str()).to_owned(),
            budget_strict: budget.is_some_and(|own| own.is_strict),
        }
    }
}

/// The change that the fields of a form mean: an empty field takes a limit away, a field that was not sent leaves the limit.
///
/// # Errors
/// A field is not a number, a limit is too large, or the limits count what is not metered.
pub(super) fn limits_change(control: &Control, form: &Form) -> Result<LimitsChange, ApiError> {
    control.checked_limits(&LimitFields {
        rpm: number(form, "rpm")?,
        tpm: number(form, "tpm")?,
        max_parallel_requests: number(form, "max_parallel_requests")?,
        budget: budget(form)?,
    })
}

fn number<N: std::str::FromStr>(form: &Form, name: &str) -> Result<Option<Option<N>>, ApiError> {
    let read = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| no_number(name, text, "a whole number")),
    };
    form.sent(name).map(read).transpose()
}

fn budget(form: &Form) -> Result<Option<Option<BudgetFile>>, ApiError> {
    let read = |usd: &str| match usd.trim() {
        "" => Ok(None),
        text => {
            let usd = text.parse().map_err(|_| no_number("budget", text, "dollars as 12.50"))?;
            let window = form.text("budget_window").to_owned();
            Ok(Some(BudgetFile { usd, window, strict: Some(form.sent("budget_strict").is_some()) }))
        }
    };
    form.sent("budget_usd").map(read).transpose()
}

fn no_number(name: &str, text: &str, wanted: &str) -> ApiError {
    let text = text.escape_default();
    let message =
        format!("{name} is \"{text}\"; write {wanted}, or leave the field empty for no limit.");
    ApiError::bad_request(message).about(name)
}

impl Account {
    /// `carried` is what was spent elsewhere.
    pub(super) fn of(
        control: &Control,
        (group, id): (Group, &str),
        limits: &Limits,
        carried: Carried,
    ) -> Self {
        let ledger = control.ledger().ok();
        let of_all_time = || ledger.as_ref()?.spend(group, id).ok();
        let in_window = |Budget { nanos, window, .. }| {
            let mut sums = Sums::of(ledger.as_ref()?, now_secs());
            let Known { spent_nanos, .. } = sums.known_with(carried, group, id, window);
            Some(BudgetUse { spent_nanos, nanos, window: window.as_str() })
        };
        Self {
            limits: words(limits),
            spent_nanos: of_all_time(),
            budget: limits.budget.and_then(in_window),
        }
    }
}

/// Each limit in a few words; without limits there are none.
pub(super) fn words(limits: &Limits) -> Vec<String> {
    let Limits { rpm, tpm, max_parallel_requests, budget } = limits;
    let rate = |number: Option<u64>, of: &str| {
        number.map(|own| format!("{own} {of}{} a minute", if own == 1 { "" } else { "s" }))
    };
    let most = max_parallel_requests.map(|own| format!("{own} at the same time"));
    let money = budget.map(|own| {
        let amount = rounded(i64::try_from(own.nanos).unwrap_or(i64::MAX));
        match own.window {
            Window::Total => format!("{amount} in total"),
            window => format!("{amount} a {}", window.as_str()),
        }
    });
    [rate(*rpm, "request"), rate(*tpm, "token"), most, money].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_shows_limits_as_they_are_typed() {
        let own = Budget { nanos: 12_500_000_000, window: Window::Week, is_strict: true };
        let limits = Limits { rpm: Some(0), budget: Some(own), ..Limits::NONE };
        let typed = TypedLimits::of(&limits);
        assert_eq!((typed.rpm.as_str(), typed.tpm.as_str()), ("0", ""));
        assert_eq!(
            (typed.budget_usd.as_str(), typed.budget_window.as_str(), typed.budget_strict),
            ("12.5", "week", true)
        );
        let form = Form::parse("rpm=0&tpm=&budget_usd=12.5&budget_window=week&budget_strict=true");
        assert_eq!(number::<u64>(&form, "rpm"), Ok(Some(Some(0))));
        assert_eq!(number::<u64>(&form, "tpm"), Ok(Some(None)));
        assert_eq!(number::<u64>(&form, "max_parallel_requests"), Ok(None));
        assert_eq!(budget(&form).unwrap().unwrap().unwrap().compile(), Ok(own));
    }

    #[test]
    fn a_field_that_is_no_number_is_named() {
        let said =
            |error: ApiError| (error.param().unwrap().to_owned(), error.message().to_owned());
        let wrong = number::<u64>(&Form::parse("rpm=ten"), "rpm").map_err(said);
        let message =
            "rpm is \"ten\"; write a whole number, or leave the field empty for no limit.";
        assert_eq!(wrong, Err(("rpm".to_owned(), message.to_owned())));
        let wrong = budget(&Form::parse("budget_usd=5%24")).map_err(said);
        let message =
            "budget is \"5$\"; write dollars as 12.50, or leave the field empty for no limit.";
        assert_eq!(wrong, Err(("budget".to_owned(), message.to_owned())));
    }

    #[test]
    fn limits_are_told_in_words() {
        let budget = Budget { nanos: 50_000_000_000, window: Window::Month, is_strict: false };
        let limits = Limits {
            rpm: Some(60),
            tpm: Some(1000),
            max_parallel_requests: Some(2),
            budget: Some(budget),
        };
        assert_eq!(
            words(&limits),
            [
                "60 requests a minute",
                "1000 tokens a minute",
                "2 at the same time",
                "$50.00 a month"
            ]
        );
        assert!(words(&Limits::NONE).is_empty());
    }
}
