//! What a person may write about what all clients may ask for together. The filter reads the numbers as texts, in a table that
//! the filter reads already: a parser of this table would take 5 KB of the module.

#[cfg(not(target_os = "wasi"))]
use serde::{Deserialize, Serialize};

/// What all clients may ask for together, what becomes of what is over, and where the rates of keys and users are counted.
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
    pub estimate: Option<Estimate>,
    /// Where requests and tokens a minute of keys and users are counted. Default `local`.
    #[cfg_attr(not(target_os = "wasi"), serde(skip_serializing_if = "Option::is_none"))]
    pub store: Option<LimitStore>,
    /// With `redis`, the URL of envoyproxy/ratelimit. Default `http://127.0.0.1:8081`.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing)]
    pub service: Option<String>,
    /// With `redis`, what becomes of a request while the service does not answer. Default `serve`.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing)]
    pub on_failure: Option<OnFailure>,
}

/// What a budget reserves for a request.
#[cfg_attr(not(target_os = "wasi"), derive(Serialize, Deserialize))]
#[cfg_attr(not(target_os = "wasi"), serde(rename_all = "lowercase"))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Estimate {
    /// The most that the request can cost.
    #[default]
    Most,
    /// What requests usually cost.
    Calibrated,
}

/// Where requests and tokens a minute of keys and users are counted.
#[cfg_attr(not(target_os = "wasi"), derive(Serialize, Deserialize))]
#[cfg_attr(not(target_os = "wasi"), serde(rename_all = "lowercase"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitStore {
    /// In each gateway.
    Local,
    /// In Redis as well, for all gateways together.
    Redis,
}

/// What becomes of a request that nobody has counted.
#[cfg(not(target_os = "wasi"))]
#[derive(Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    #[default]
    Serve,
    Refuse,
}

impl GatewayLimitsFile {
    /// Whether rates are counted for all gateways together.
    pub fn is_shared(&self) -> bool {
        self.store == Some(LimitStore::Redis)
    }
}

/// Reads the table, or the store alone: `limits = "redis"`.
#[cfg(not(target_os = "wasi"))]
pub(super) fn table_or_store<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<GatewayLimitsFile>, D::Error> {
    deserializer.deserialize_any(TableOrStore).map(Some)
}

#[cfg(not(target_os = "wasi"))]
struct TableOrStore;

#[cfg(not(target_os = "wasi"))]
impl<'de> serde::de::Visitor<'de> for TableOrStore {
    type Value = GatewayLimitsFile;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("struct GatewayLimitsFile")
    }

    fn visit_str<E: serde::de::Error>(self, store: &str) -> Result<Self::Value, E> {
        let store = LimitStore::deserialize(serde::de::value::StrDeserializer::new(store))?;
        Ok(GatewayLimitsFile { store: Some(store), ..GatewayLimitsFile::default() })
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
        GatewayLimitsFile::deserialize(serde::de::value::MapAccessDeserializer::new(table))
    }
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
            estimate: texts
                .get("estimate")
                .filter(|estimate| *estimate == "calibrated")
                .map(|_| Estimate::Calibrated),
            store: texts.get("store").filter(|store| *store == "redis").map(|_| LimitStore::Redis),
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
