//! Rates that all gateways count together, read and checked.

use crate::config::{ConfigError, File, GatewayLimitsFile, KeysMode, OnFailure};
use crate::gateway::ProviderUrl;
use crate::route::NEEDS_METER;

/// Where envoyproxy/ratelimit listens for gRPC, unless the configuration says otherwise.
const SERVICE: &str = "http://127.0.0.1:8081";

/// The service that counts for all gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLimits {
    pub service: ProviderUrl,
    /// A request is refused while the service does not answer.
    pub refuses: bool,
}

impl SharedLimits {
    /// # Errors
    /// Something that the counting needs is not there, or a setting has no effect.
    pub(super) fn compile(file: &File) -> Result<Option<Self>, ConfigError> {
        let own = file.gateway_limits();
        if !own.is_shared() {
            return match unused(&own) {
                Some(name) => Err(ConfigError::new(
                    format!("limits.{name}"),
                    "is for rates that gateways share; set limits.store = \"redis\", or leave it out",
                )),
                None => Ok(None),
            };
        }
        let error = |problem| Err(ConfigError::new("limits.store", problem));
        if file.keys.as_ref().is_some_and(|keys| keys.mode() == Ok(Some(KeysMode::Off))) {
            return error(
                "counts what keys and users ask for; set keys.mode = \"optional\" or \"required\"",
            );
        }
        if !file.records() {
            return error(NEEDS_METER);
        }
        let service = own.service.as_deref().unwrap_or(SERVICE);
        Ok(Some(Self {
            service: url(service)?,
            refuses: own.on_failure == Some(OnFailure::Refuse),
        }))
    }
}

/// A setting that has no effect where each gateway counts for itself.
fn unused(own: &GatewayLimitsFile) -> Option<&'static str> {
    let there = [("service", own.service.is_some()), ("on_failure", own.on_failure.is_some())];
    there.into_iter().find_map(|(name, there)| there.then_some(name))
}

fn url(text: &str) -> Result<ProviderUrl, ConfigError> {
    let url = text.parse().ok().filter(|url: &ProviderUrl| url.own_path().is_empty());
    url.ok_or_else(|| {
        let problem =
            format!("must be the URL of envoyproxy/ratelimit without a path, as \"{SERVICE}\"");
        ConfigError::new("limits.service", problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(json: &str) -> Result<Option<SharedLimits>, String> {
        let file = File::from_json(json.as_bytes()).unwrap();
        SharedLimits::compile(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn the_service_has_a_default_and_serves_without_it() {
        let metered = r#""usage":{"meter":"all"}"#;
        let short = compile(&format!(r#"{{"limits":"redis",{metered}}}"#)).unwrap().unwrap();
        assert_eq!((short.service.authority().as_str(), short.refuses), ("127.0.0.1:8081", false));
        let json = format!(
            r#"{{"limits":{{"store":"redis","service":"http://rl:1","on_failure":"refuse"}},{metered}}}"#
        );
        let long = compile(&json).unwrap().unwrap();
        assert_eq!((long.service.authority().as_str(), long.refuses), ("rl:1", true));
        assert_eq!(compile(r#"{"limits":"local"}"#), Ok(None));
        assert_eq!(compile("{}"), Ok(None));
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_remedy() {
        for (json, said) in [
            (
                r#"{"limits":"redis"}"#,
                "limits.store: counts what requests use; set usage.meter = \"all\"",
            ),
            (
                r#"{"limits":"redis","keys":{"mode":"off"},"usage":{"meter":"all"}}"#,
                "limits.store: counts what keys and users ask for; set keys.mode = \"optional\" or \"required\"",
            ),
            (
                r#"{"limits":{"service":"http://rl:1"}}"#,
                "limits.service: is for rates that gateways share; set limits.store = \"redis\", or leave it out",
            ),
            (
                r#"{"limits":{"store":"local","on_failure":"serve"}}"#,
                "limits.on_failure: is for rates that gateways share; set limits.store = \"redis\", or leave it out",
            ),
            (
                r#"{"limits":{"store":"redis","service":"rl:1/x"},"usage":{"meter":"all"}}"#,
                "limits.service: must be the URL of envoyproxy/ratelimit without a path, as \"http://127.0.0.1:8081\"",
            ),
        ] {
            assert_eq!(compile(json), Err(said.to_owned()), "{json}");
        }
    }
}
