//! The body of a request in LiteLLM's form, field by field.

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::api::now_secs;
use super::super::error::ApiError;
use super::super::keys::{LimitFields, parse_duration};
use crate::config::BudgetFile;
use crate::limits::{Limits, Window};

/// The fields that are left. A field that is `null` is not set, as for LiteLLM.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn of(bytes: &Bytes) -> Result<Self, ApiError> {
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            ApiError::bad_request(format!("The body is not a JSON object: {error}."))
        })
    }

    /// Takes a field out; `None` where it is not set.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        let Some(value) = self.0.remove(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        serde_json::from_value(value).map(Some).map_err(|error| {
            ApiError::bad_request(format!("The field '{name}' is not right: {error}.")).about(name)
        })
    }

    /// The same for a field that must be there.
    pub(super) fn need<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ApiError> {
        let missing =
            || ApiError::bad_request(format!("The field '{name}' is missing.")).about(name);
        self.take(name)?.ok_or_else(missing)
    }

    /// When a key ends that lasts as long as the field `duration` says, in seconds since 1970.
    pub(super) fn take_end(&mut self) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.take::<String>("duration")? else { return Ok(None) };
        let wrong = |problem| ApiError::bad_request(format!("{problem}.")).about("duration");
        Ok(Some(now_secs().saturating_add(parse_duration(&text).map_err(wrong)?)))
    }

    /// The limits, under LiteLLM's names.
    pub(super) fn take_limits(&mut self) -> Result<LimitFields, ApiError> {
        let usd: Option<f64> = self.take("max_budget")?;
        let duration: Option<String> = self.take("budget_duration")?;
        let window = match duration.as_deref() {
            None => "total",
            Some("1d" | "24h") => "day",
            Some("7d" | "1w") => "week",
            Some("1mo" | "30d") => "month",
            Some(other) => return Err(wrong_duration(other)),
        };
        if usd.is_none() && duration.is_some() {
            let problem = "A budget_duration needs a max_budget.";
            return Err(ApiError::bad_request(problem).about("budget_duration"));
        }
        let budget = |usd| BudgetFile { usd, window: window.to_owned(), strict: None };
        Ok(LimitFields {
            rpm: self.take("rpm_limit")?.map(Some),
            tpm: self.take("tpm_limit")?.map(Some),
            max_parallel_requests: self.take("max_parallel_requests")?.map(Some),
            budget: usd.map(|usd| Some(budget(usd))),
        })
    }

    /// Refuses what is left.
    pub(super) fn end(self) -> Result<(), ApiError> {
        match self.0.iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(ApiError::unsupported(name)),
            None => Ok(()),
        }
    }
}

fn wrong_duration(text: &str) -> ApiError {
    let problem = format!(
        "budget_duration is \"{}\"; a window is a day (1d, 24h), a week (7d, 1w) or a month (1mo, 30d).",
        text.escape_default()
    );
    ApiError::bad_request(problem).about("budget_duration")
}

/// The limits of a key or a user, under LiteLLM's names.
pub(super) fn limits_document(limits: &Limits) -> Map<String, Value> {
    let budget = limits.budget;
    let duration = budget.and_then(|budget| match budget.window {
        Window::Day => Some("1d"),
        Window::Week => Some("7d"),
        Window::Month => Some("1mo"),
        Window::Total => None,
    });
    let usd = budget.map(|budget| BudgetFile::usd(budget.nanos));
    let fields = json!({
        "rpm_limit": limits.rpm, "tpm_limit": limits.tpm, "max_parallel_requests": limits.max_parallel_requests,
        "max_budget": usd, "budget_duration": duration,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &'static str) -> Result<Fields, ApiError> {
        Fields::of(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn a_field_that_is_left_is_refused_by_its_name() {
        let mut all = fields(r#"{"key_alias":"a","soft_budget":null,"models":["m"]}"#).unwrap();
        assert_eq!(all.take::<String>("key_alias").unwrap().as_deref(), Some("a"));
        assert_eq!(all.take::<Vec<String>>("models").unwrap(), Some(vec!["m".to_owned()]));
        assert!(all.end().is_ok(), "null is not set");
        let left = fields(r#"{"soft_budget":5}"#).unwrap().end().unwrap_err();
        assert_eq!(left, ApiError::unsupported("soft_budget"));
    }

    #[test]
    fn limits_have_litellms_names() {
        for (duration, window) in [
            (r#""1d""#, "day"),
            (r#""24h""#, "day"),
            (r#""7d""#, "week"),
            (r#""1w""#, "week"),
            (r#""1mo""#, "month"),
            (r#""30d""#, "month"),
            ("null", "total"),
        ] {
            let text =
                format!(r#"{{"max_budget":1.5,"budget_duration":{duration},"rpm_limit":5}}"#);
            let limits = Fields::of(&Bytes::from(text)).unwrap().take_limits().unwrap();
            let budget = limits.budget.clone().flatten().unwrap();
            assert_eq!(
                (budget.usd, budget.window.as_str(), limits.rpm),
                (1.5, window, Some(Some(5)))
            );
        }
        let wrong = |text| fields(text).unwrap().take_limits().unwrap_err();
        assert_eq!(wrong(r#"{"max_budget":1,"budget_duration":"2d"}"#), wrong_duration("2d"));
        assert!(fields(r#"{"budget_duration":"1d"}"#).unwrap().take_limits().is_err());
    }

    #[test]
    fn a_field_of_another_type_and_a_missing_one_are_refused() {
        let mut all = fields(r#"{"key":5,"duration":"soon"}"#).unwrap();
        assert!(all.take_end().is_err() && all.need::<String>("key").is_err());
        assert!(fields("{}").unwrap().need::<String>("key").is_err());
        assert!(fields("[]").is_err());
        assert!(fields("").unwrap().end().is_ok());
    }
}
