//! What a person may write about what all clients may ask for together. The filter reads the numbers as texts, in a table that
//! the filter reads already: a parser of this table would take 5 KB of the module.

#[cfg(not(target_os = "wasi"))]
use serde::{Deserialize, Serialize};

/// What all clients may ask for together, and what becomes of what is over.
#[cfg_attr(not(target_os = "wasi"), derive(Serialize, Deserialize))]
#[cfg_attr(not(target_os = "wasi"), serde(deny_unknown_fields, default))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayLimitsFile {
    /// How many requests a minute leave for providers. Default: all.
    #[cfg_attr(
        not(target_os = "wasi"),
        serde(with = "text", skip_serializing_if = "Option::is_none")
    )]
    pub rpm: Option<u64>,
    /// How many requests are under way at the same time. Default: all.
    #[cfg_attr(
        not(target_os = "wasi"),
        serde(with = "text", skip_serializing_if = "Option::is_none")
    )]
    pub max_parallel_requests: Option<u64>,
    /// The status of the answer where a budget is used up. Default 429.
    #[cfg_attr(
        not(target_os = "wasi"),
        serde(with = "text", skip_serializing_if = "Option::is_none")
    )]
    pub budget_status: Option<u64>,
    /// What budgets reserve for a request: `most`, all that it can cost, or `calibrated`, what requests usually cost. Default
    /// `most`.
    #[cfg_attr(not(target_os = "wasi"), serde(skip_serializing_if = "Option::is_none"))]
    pub estimate: Option<String>,
}

#[cfg(target_os = "wasi")]
impl GatewayLimitsFile {
    /// What the filter has read.
    pub(super) fn of(texts: &super::Ordered<String>) -> Self {
        let number = |name: &str| texts.get(name)?.parse().ok();
        Self {
            rpm: number("rpm"),
            max_parallel_requests: number("max_parallel_requests"),
            budget_status: number("budget_status"),
            estimate: texts.get("estimate").cloned(),
        }
    }
}

/// A number that is written as a text, and read from either.
#[cfg(not(target_os = "wasi"))]
mod text {
    use std::fmt;

    use serde::de::{Deserializer, Error, Unexpected, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(
        number: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&number.unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_any(Number).map(Some)
    }

    struct Number;

    impl Visitor<'_> for Number {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("u64")
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
            Ok(number)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
            u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
            text.parse().map_err(|_| E::invalid_type(Unexpected::Str(text), &self))
        }
    }
}
