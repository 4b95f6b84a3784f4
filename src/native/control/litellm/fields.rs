//! The body of a request in LiteLLM's form, field by field.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::api::now_secs;
use super::super::error::ApiError;
use super::super::keys::{LimitFields, ModelLimitFields, parse_duration};
use super::super::store::ModelLimits;
use super::budget::{ModelBudget, budget_window};
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
        let window = window(duration.as_deref())?;
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

    /// The limits of models, under LiteLLM's names; `None` where no field names any.
    pub(super) fn take_model_limits(&mut self) -> Result<Option<ModelLimitFields>, ApiError> {
        let budgets: Option<BTreeMap<String, ModelBudget>> = self.take("model_max_budget")?;
        let rpm: Option<BTreeMap<String, u32>> = self.take("model_rpm_limit")?;
        let tpm: Option<BTreeMap<String, u32>> = self.take("model_tpm_limit")?;
        if budgets.is_none() && rpm.is_none() && tpm.is_none() {
            return Ok(None);
        }
        let mut all = ModelLimitFields::new();
        for (name, own) in budgets.unwrap_or_default() {
            all.insert(name, own.limits().map_err(wrong_duration)?);
        }
        for (name, rpm) in rpm.unwrap_or_default() {
            all.entry(name).or_default().rpm = Some(rpm);
        }
        for (name, tpm) in tpm.unwrap_or_default() {
            all.entry(name).or_default().tpm = Some(tpm);
        }
        Ok(Some(all))
    }

    /// Refuses what is left.
    pub(super) fn end(self) -> Result<(), ApiError> {
        match self.0.iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(ApiError::unsupported(name)),
            None => Ok(()),
        }
    }
}

/// The window of a `budget_duration`.
fn window(duration: Option<&str>) -> Result<&'static str, ApiError> {
    budget_window(duration).map_err(wrong_duration)
}

fn wrong_duration(problem: String) -> ApiError {
    ApiError::bad_request(format!("{problem}.")).about("budget_duration")
}

/// The `budget_duration` of a window; `None` for all time.
fn duration_of(window: Window) -> Option<&'static str> {
    match window {
        Window::Day => Some("1d"),
        Window::Week => Some("7d"),
        Window::Month => Some("1mo"),
        Window::Total => None,
    }
}

/// The limits of models, under LiteLLM's names.
pub(super) fn model_limits_document(limits: &ModelLimits) -> Map<String, Value> {
    let of = |limit: &dyn Fn(&Limits) -> Option<Value>| -> Map<String, Value> {
        limits.iter().filter_map(|(name, own)| Some((name.clone(), limit(own)?))).collect()
    };
    let budgets = of(&|own| {
        let budget = own.budget?;
        let (usd, duration) = (BudgetFile::usd(budget.nanos), duration_of(budget.window));
        Some(json!({"max_budget": usd, "budget_duration": duration}))
    });
    let fields = [
        ("model_max_budget", budgets),
        ("model_rpm_limit", of(&|own| own.rpm.map(Value::from))),
        ("model_tpm_limit", of(&|own| own.tpm.map(Value::from))),
    ];
    fields.into_iter().map(|(name, own)| (name.to_owned(), Value::Object(own))).collect()
}

/// The limits of a key or a user, under LiteLLM's names.
pub(super) fn limits_document(limits: &Limits) -> Map<String, Value> {
    let budget = limits.budget;
    let duration = budget.and_then(|budget| duration_of(budget.window));
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
        let of_2d = || wrong_duration(budget_window(Some("2d")).unwrap_err());
        assert_eq!(wrong(r#"{"max_budget":1,"budget_duration":"2d"}"#), of_2d());
        assert!(fields(r#"{"budget_duration":"1d"}"#).unwrap().take_limits().is_err());
    }

    #[test]
    fn limits_of_models_have_litellms_names() {
        let text = r#"{"model_max_budget":{"gpt-4o":{"budget_limit":1.5,"time_period":"1d"},"gpt-5":{"max_budget":2},
            "o3":7},"model_rpm_limit":{"gpt-4o":5},"model_tpm_limit":{"claude":9}}"#;
        let all = fields(text).unwrap().take_model_limits().unwrap().unwrap();
        let budget = |name: &str| all[name].budget.clone().map(|own| (own.usd, own.window));
        assert_eq!(budget("gpt-4o"), Some((1.5, "day".to_owned())));
        assert_eq!(budget("gpt-5"), Some((2.0, "total".to_owned())));
        assert_eq!(budget("o3"), Some((7.0, "total".to_owned())));
        assert_eq!((all["gpt-4o"].rpm, all["claude"].tpm), (Some(5), Some(9)));
        let limits = all.iter().map(|(name, own)| (name.clone(), own.compile("").unwrap()));
        let document = Value::Object(model_limits_document(&limits.collect()));
        let expected = json!({
            "model_max_budget": {
                "gpt-4o": {"max_budget": 1.5, "budget_duration": "1d"},
                "gpt-5": {"max_budget": 2.0, "budget_duration": null},
                "o3": {"max_budget": 7.0, "budget_duration": null},
            },
            "model_rpm_limit": {"gpt-4o": 5}, "model_tpm_limit": {"claude": 9},
        });
        assert_eq!(document, expected);
        assert_eq!(fields("{}").unwrap().take_model_limits().unwrap(), None);
        let wrong = fields(r#"{"model_max_budget":{"m":{"max_budget":1,"budget_duration":"2d"}}}"#);
        let of_2d = wrong_duration(budget_window(Some("2d")).unwrap_err());
        assert_eq!(wrong.unwrap().take_model_limits(), Err(of_2d));
        assert!(
            fields(r#"{"model_max_budget":{"m":{"soft":1}}}"#)
                .unwrap()
                .take_model_limits()
                .is_err()
        );
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
