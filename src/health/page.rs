//! `GET /health`: how the providers are, in one document.

use serde::{Serialize, Serializer};

use super::{check, shared_breaker};
use crate::breaker::{BreakerState, State};
use crate::gateway::{Gateway, Provider};
use crate::host::Host;
use crate::models::discovery;

/// The document.
#[derive(Debug, Serialize)]
pub struct Status<'a> {
    status: &'static str,
    version: &'static str,
    #[serde(serialize_with = "by_name")]
    providers: Vec<(&'a str, ProviderStatus)>,
}

#[derive(Debug, Serialize)]
struct ProviderStatus {
    breaker: &'static str,
    consecutive_failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_secs: Option<u64>,
    health: &'static str,
    models: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    models_age_secs: Option<u64>,
}

fn by_name<S: Serializer>(
    providers: &[(&str, ProviderStatus)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(providers.iter().map(|(name, status)| (name, status)))
}

/// A status and nothing more.
#[derive(Debug, Serialize)]
pub struct Word {
    status: &'static str,
}

impl<'a> Status<'a> {
    /// `/healthz`.
    pub fn alive() -> Word {
        Word { status: "ok" }
    }

    /// `/readyz`, when [`can_serve`](Self::can_serve).
    pub fn ready() -> Word {
        Word { status: "ready" }
    }

    /// `/readyz`, when every provider is left alone.
    pub fn unavailable() -> Word {
        Word { status: "unavailable" }
    }

    /// Whether a request for at least one provider would be let through.
    pub fn can_serve(gateway: &Gateway, host: &dyn Host) -> bool {
        gateway.providers().iter().any(|provider| shared_breaker::would_admit(host, provider))
    }

    /// Looks at every provider's records.
    pub fn of(gateway: &'a Gateway, host: &dyn Host) -> Self {
        let now_ms = host.now_ms();
        let each = |provider: &'a Provider| {
            (provider.name.as_str(), ProviderStatus::of(provider, host, now_ms))
        };
        let providers: Vec<_> = gateway.providers().iter().map(each).collect();
        let good = |status: &ProviderStatus| status.breaker == "closed" && status.health != "down";
        let all_good = providers.iter().all(|(_, status)| good(status));
        Self {
            status: if all_good { "ok" } else { "degraded" },
            version: env!("CARGO_PKG_VERSION"),
            providers,
        }
    }
}

impl ProviderStatus {
    fn of(provider: &Provider, host: &dyn Host, now_ms: u64) -> Self {
        let breaker = shared_breaker::peek(host, provider);
        let discovery = provider.discovery.as_ref();
        let discovered = discovery.map(|own| discovery::peek(host, own)).unwrap_or_default();
        let wait_ms = provider.breaker.map(|settings| breaker.retry_after_ms(now_ms, &settings));
        Self {
            breaker: BreakerState::from(&breaker).as_str(),
            consecutive_failures: match breaker.state() {
                State::Closed { failures } => failures,
                // It took so many to open it.
                State::Open { .. } => provider.breaker.map_or(0, |settings| settings.failures),
                State::HalfOpen { .. } => 0,
            },
            retry_after_secs: wait_ms.filter(|ms| *ms > 0).map(|ms| ms.div_ceil(1000)),
            health: check::peek(host, provider).as_str(),
            models: discovered.models(provider),
            models_age_secs: discovered.age_secs(now_ms),
        }
    }
}
