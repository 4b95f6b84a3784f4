//! What a provider gets from all clients together, and what the gateway lets through.

use crate::config::{ConfigError, Estimate, GatewayLimitsFile, ProviderFile};
use crate::limits::Limits;

/// More than any provider takes.
const RATE_MAX: u64 = 1_000_000_000;

/// The status that OpenAI answers with where money has run out.
const BUDGET_STATUS: u64 = 429;

/// The statuses that a gateway may answer with in its place.
const BUDGET_STATUSES: [u64; 4] = [402, 403, 422, BUDGET_STATUS];

/// What all clients may ask for together, and what becomes of what is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayLimits {
    /// `None` where nothing is limited.
    pub limits: Option<Limits>,
    /// The status of the answer where a budget is used up.
    pub budget_status: u32,
    pub estimate: Estimate,
    /// Envoy's rate limit filter counts the rates of keys and users for all gateways together.
    pub is_shared: bool,
}

impl GatewayLimits {
    /// # Errors
    /// A number is too large, or the status is not one of those that say so.
    pub(super) fn compile(own: &GatewayLimitsFile) -> Result<Self, ConfigError> {
        let status = own.budget_status.unwrap_or(BUDGET_STATUS);
        if !BUDGET_STATUSES.contains(&status) {
            let problem = format!("is {status}; write 402, 403, 422 or 429");
            return Err(ConfigError::new("limits.budget_status", problem));
        }
        let limits = limits("limits", own.rpm, own.max_parallel_requests)?;
        let budget_status = u32::try_from(status).unwrap_or_default();
        let estimate = own.estimate.unwrap_or_default();
        Ok(Self { limits, budget_status, estimate, is_shared: own.is_shared() })
    }
}

/// The limits of the provider `name`; `None` where nothing is limited.
pub(super) fn of_provider(name: &str, file: &ProviderFile) -> Result<Option<Limits>, ConfigError> {
    limits(&format!("providers.{name}"), file.rpm, file.max_parallel_requests)
}

fn limits(path: &str, rpm: Option<u64>, most: Option<u64>) -> Result<Option<Limits>, ConfigError> {
    let bounded = |field: &str, number: Option<u64>| {
        let path = || format!("{path}.{field}");
        number.map(|own| ConfigError::unless_within(&path(), own, 0, RATE_MAX)).transpose()
    };
    let most = bounded("max_parallel_requests", most)?;
    let max_parallel_requests = most.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    let limits = Limits { rpm: bounded("rpm", rpm)?, max_parallel_requests, ..Limits::NONE };
    Ok(Some(limits).filter(|limits| !limits.is_none()))
}

#[cfg(test)]
mod tests {
    use crate::config::{File, GatewayLimitsFile};
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn numbers_are_read_as_the_filter_gets_them() {
        let file = File::from_json(br#"{"limits":{"rpm":60,"budget_status":"402"}}"#).unwrap();
        let limits =
            GatewayLimitsFile { rpm: Some(60), budget_status: Some(402), ..Default::default() };
        assert_eq!(file.limits, Some(limits));
        let json = serde_json::to_value(&file.limits).unwrap();
        assert_eq!(json, serde_json::json!({"rpm": "60", "budget_status": "402"}));
        let file = File::from_json(br#"{"limits":"redis"}"#).unwrap();
        assert!(file.gateway_limits().is_shared());
        let json = serde_json::to_value(&file.limits).unwrap();
        assert_eq!(json, serde_json::json!({"store": "redis"}));
        for wrong in ["-1", "1.5", "\"many\"", "[]", "null"] {
            let json = format!(r#"{{"limits":{{"rpm":{wrong}}}}}"#);
            let error = File::from_json(json.as_bytes()).unwrap_err();
            assert_eq!(error.path, "limits.rpm", "{wrong}: {error}");
        }
    }
}
