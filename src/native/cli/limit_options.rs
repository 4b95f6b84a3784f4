//! The options of limits, which keys and users have alike.

use std::error::Error;

use crate::config::BudgetFile;
use crate::limits::Limits;
use crate::native::control::{LimitFields, LimitsChange};
use crate::native::settings::ConfigOption;

/// What the key, or all keys of the user together, may use. `none` takes a limit away
#[derive(clap::Args, Debug)]
pub(super) struct LimitOptions {
    /// Requests a minute
    #[arg(long, value_name = "N")]
    rpm: Option<String>,
    /// Tokens a minute
    #[arg(long, value_name = "N")]
    tpm: Option<String>,
    /// Requests at the same time
    #[arg(long, value_name = "N")]
    max_parallel_requests: Option<String>,
    /// Dollars and a window, as 50/month; day, week, month or total
    #[arg(long, value_name = "USD/WINDOW")]
    budget: Option<String>,
    /// Refuse a request that might cost more than is left of the budget
    #[arg(long, requires = "budget")]
    strict: bool,
}

/// The word for no limit.
pub(super) const NONE: &str = "none";

impl LimitOptions {
    /// The change that they mean.
    pub(super) fn change(&self, config: &ConfigOption) -> Result<LimitsChange, Box<dyn Error>> {
        let budget = match self.budget.as_deref() {
            None => None,
            Some(NONE) => Some(None),
            Some(text) => Some(Some(budget_of("--budget", text, self.strict)?)),
        };
        let most = number("--max-parallel-requests", self.max_parallel_requests.as_deref())?;
        let most = most.map(|most| most.map(|most| u32::try_from(most).unwrap_or(u32::MAX)));
        let fields = LimitFields {
            rpm: number("--rpm", self.rpm.as_deref())?,
            tpm: number("--tpm", self.tpm.as_deref())?,
            max_parallel_requests: most,
            budget,
        };
        let change = fields.change().map_err(|(name, problem)| format!("--{name}: {problem}"))?;
        if !change.of(Limits::NONE).is_none() {
            check_metered(config)?;
        }
        Ok(change)
    }
}

/// Refuses limits that nothing would count.
pub(super) fn check_metered(config: &ConfigOption) -> Result<(), &'static str> {
    match config.load().is_ok_and(|loaded| !loaded.gateway.records) {
        true => Err(
            "limits and budgets count what requests use; set usage.meter = \"all\" in the configuration first",
        ),
        false => Ok(()),
    }
}

/// A budget as it is typed: dollars and a window.
pub(super) fn budget_of(option: &str, text: &str, is_strict: bool) -> Result<BudgetFile, String> {
    let (usd, window) = text.split_once('/').unwrap_or((text, "total"));
    let wrong = || {
        let shown = text.escape_default();
        format!("{option} is \"{shown}\"; write dollars and a window, as 50/month")
    };
    let usd = usd.parse().map_err(|_| wrong())?;
    Ok(BudgetFile { usd, window: window.to_owned(), strict: Some(is_strict) })
}

fn number(option: &str, text: Option<&str>) -> Result<Option<Option<u64>>, String> {
    match text {
        None => Ok(None),
        Some(NONE) => Ok(Some(None)),
        Some(text) => text.parse().map(|number| Some(Some(number))).map_err(|_| {
            format!("{option} is \"{}\"; write a whole number, or none", text.escape_default())
        }),
    }
}
