//! Budgets as LiteLLM writes them.

use serde::Deserialize;

use crate::config::{BudgetFile, LimitsFile};

/// The budget of a model: a number of dollars for all time, or an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ModelBudget {
    Dollars(f64),
    Object(ModelBudgetFields),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ModelBudgetFields {
    #[serde(alias = "budget_limit")]
    max_budget: Option<f64>,
    #[serde(alias = "time_period")]
    budget_duration: Option<String>,
    rpm_limit: Option<u32>,
    tpm_limit: Option<u32>,
}

impl ModelBudget {
    /// # Errors
    /// No window lasts so long; a sentence that says which do.
    pub(crate) fn limits(self) -> Result<LimitsFile, String> {
        let own = match self {
            Self::Dollars(usd) => {
                ModelBudgetFields { max_budget: Some(usd), ..ModelBudgetFields::default() }
            }
            Self::Object(own) => own,
        };
        let window = budget_window(own.budget_duration.as_deref())?.to_owned();
        let budget = own.max_budget.map(|usd| BudgetFile { usd, window, strict: None });
        Ok(LimitsFile { rpm: own.rpm_limit, tpm: own.tpm_limit, budget, ..LimitsFile::default() })
    }
}

/// The window of a `budget_duration`.
///
/// # Errors
/// No window lasts so long; a sentence that says which do.
pub(crate) fn budget_window(duration: Option<&str>) -> Result<&'static str, String> {
    match duration {
        None => Ok("total"),
        Some("1d" | "24h") => Ok("day"),
        Some("7d" | "1w") => Ok("week"),
        Some("1mo" | "30d") => Ok("month"),
        Some(other) => Err(format!(
            "budget_duration is \"{}\"; a window is a day (1d, 24h), a week (7d, 1w) or a month (1mo, 30d)",
            other.escape_default()
        )),
    }
}
