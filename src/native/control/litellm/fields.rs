//! The body of a request in LiteLLM's form, field by field.

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::api::now_secs;
use super::super::error::ApiError;
use super::super::keys::parse_duration;

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

    /// Refuses what is left.
    pub(super) fn end(self) -> Result<(), ApiError> {
        match self.0.iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(ApiError::unsupported(name)),
            None => Ok(()),
        }
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
        let mut all = fields(r#"{"key_alias":"a","max_budget":null,"models":["m"]}"#).unwrap();
        assert_eq!(all.take::<String>("key_alias").unwrap().as_deref(), Some("a"));
        assert_eq!(all.take::<Vec<String>>("models").unwrap(), Some(vec!["m".to_owned()]));
        assert!(all.end().is_ok(), "null is not set");
        let left = fields(r#"{"max_budget":5}"#).unwrap().end().unwrap_err();
        assert_eq!(left, ApiError::unsupported("max_budget"));
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
