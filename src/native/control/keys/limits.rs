//! Limits as callers write them, and as answers show them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::super::store::{LimitsChange, ModelLimits};
use super::words::check_models;
use crate::config::{BudgetFile, LimitsFile};
use crate::limits::Limits;

/// More than any account has.
pub const RATE_MAX: u64 = 1_000_000_000;

/// The fields of limits, beside others: `null` takes a limit away, an absent field stays.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct LimitFields {
    #[serde(deserialize_with = "nullable")]
    pub rpm: Option<Option<u64>>,
    #[serde(deserialize_with = "nullable")]
    pub tpm: Option<Option<u64>>,
    #[serde(deserialize_with = "nullable")]
    pub max_parallel_requests: Option<Option<u32>>,
    #[serde(deserialize_with = "nullable")]
    pub budget: Option<Option<BudgetFile>>,
}

impl LimitFields {
    /// The names of the fields.
    pub const NAMES: [&str; 4] = ["rpm", "tpm", "max_parallel_requests", "budget"];

    /// Takes the fields out of an object.
    pub(in super::super) fn take(fields: &mut Map<String, Value>) -> serde_json::Result<Self> {
        let own =
            Self::NAMES.iter().filter_map(|name| Some(((*name).to_owned(), fields.remove(*name)?)));
        serde_json::from_value(Value::Object(own.collect()))
    }

    /// The change that they mean.
    ///
    /// # Errors
    /// A number is too large, or the window of the budget has another name: the field, and what is wrong.
    pub fn change(&self) -> Result<LimitsChange, (&'static str, String)> {
        let bounded = |name: &'static str, number: Option<Option<u64>>| match number.flatten() {
            Some(number) if number > RATE_MAX => {
                Err((name, format!("{name} is {number}; write 0 to {RATE_MAX}")))
            }
            _ => Ok(number),
        };
        let budget = match &self.budget {
            None => None,
            Some(None) => Some(None),
            Some(Some(budget)) => Some(Some(budget.compile().map_err(|error| ("budget", error))?)),
        };
        Ok(LimitsChange {
            rpm: bounded("rpm", self.rpm)?,
            tpm: bounded("tpm", self.tpm)?,
            max_parallel_requests: self.max_parallel_requests,
            budget,
        })
    }
}

/// The limits of some models as callers write them.
pub type ModelLimitFields = BTreeMap<String, LimitsFile>;

/// The limits that they mean.
///
/// # Errors
/// A name cannot be the name of a model, or a limit is too large; the sentence says which.
pub fn model_limits(fields: &ModelLimitFields) -> Result<ModelLimits, String> {
    let names: Vec<_> = fields.keys().cloned().collect();
    check_models(&names)?;
    let limits = |(name, own): (&String, &LimitsFile)| {
        let rates = [("rpm", own.rpm), ("tpm", own.tpm)];
        let is_large = |rate: Option<u32>| rate.is_some_and(|rate| u64::from(rate) > RATE_MAX);
        if let Some((field, _)) = rates.into_iter().find(|(_, rate)| is_large(*rate)) {
            return Err(format!("the {field} of {name} is too large; write 0 to {RATE_MAX}"));
        }
        let compiled = own.compile(name).map_err(|error| error.to_string())?;
        Ok((name.clone(), compiled))
    };
    fields.iter().map(limits).collect()
}

/// The same as answers show them.
pub fn model_limits_document(limits: &ModelLimits) -> Value {
    limits
        .iter()
        .map(|(name, own)| (name.clone(), limits_document(own)))
        .collect::<Map<_, _>>()
        .into()
}

/// The limits as answers show them: absent limits are `null`.
pub fn limits_document(limits: &Limits) -> Value {
    let Limits { rpm, tpm, max_parallel_requests, budget } = limits;
    json!({
        "rpm": rpm, "tpm": tpm, "max_parallel_requests": max_parallel_requests,
        "budget": budget.map(BudgetFile::from),
    })
}

/// Adds the fields of limits to a document.
pub(in super::super) fn with_limits(mut document: Value, limits: &Limits) -> Value {
    if let (Value::Object(fields), Value::Object(own)) = (&mut document, limits_document(limits)) {
        fields.extend(own);
    }
    document
}

/// A field that may be `null`, which is something else than no field.
pub(super) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A body whose fields of limits are apart from the others.
pub(in super::super) struct WithLimits<T> {
    pub(in super::super) fields: T,
    pub(in super::super) limits: LimitFields,
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for WithLimits<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Map::deserialize(deserializer)?;
        let wrong = serde::de::Error::custom;
        let limits = LimitFields::take(&mut all).map_err(wrong)?;
        let fields = serde_json::from_value(Value::Object(all)).map_err(wrong)?;
        Ok(Self { fields, limits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Budget, Window};

    fn change(text: &str) -> Result<LimitsChange, String> {
        let read: WithLimits<Map<String, Value>> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        read.limits.change().map_err(|(name, problem)| format!("{name}: {problem}"))
    }

    #[test]
    fn absent_is_no_change_and_null_takes_away() {
        assert!(change(r#"{"name":"x"}"#).unwrap().is_none());
        let taken = change(r#"{"rpm":null,"budget":null}"#).unwrap();
        assert_eq!((taken.rpm, taken.tpm, taken.budget), (Some(None), None, Some(None)));
        let set = change(r#"{"rpm":0,"budget":{"usd":12.5,"window":"month"}}"#).unwrap();
        let budget = Budget { nanos: 12_500_000_000, window: Window::Month, is_strict: false };
        assert_eq!((set.rpm, set.budget), (Some(Some(0)), Some(Some(budget))));
    }

    #[test]
    fn what_no_limit_can_be_is_refused() {
        for (text, problem) in [
            (r#"{"rpm":1000000001}"#, "rpm: rpm is 1000000001; write 0 to 1000000000"),
            (
                r#"{"budget":{"usd":5,"window":"year"}}"#,
                "budget: window is \"year\"; write \"day\", \"week\", \"month\" or \"total\"",
            ),
            (r#"{"budget":{"usd":-1,"window":"day"}}"#, "budget: usd is -1; write 0 to 1000000000"),
        ] {
            assert_eq!(change(text), Err(problem.to_owned()));
        }
        for text in
            [r#"{"rpm":-1}"#, r#"{"rpm":"5"}"#, r#"{"budget":{"window":"day"}}"#, r#"{"budget":5}"#]
        {
            assert!(change(text).is_err(), "{text}");
        }
    }
}
