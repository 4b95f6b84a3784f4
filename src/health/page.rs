//! `GET /health`: the state of all providers, in one document.

use serde::{Serialize, Serializer};

use super::asking::Asking;
use super::{check, known_models, last_error, shared_breaker};
use crate::breaker::{Ask, Breaker, BreakerState, Levels, Settings, Slot, State};
use crate::gateway::{Gateway, Provider};
use crate::host::Host;
use crate::models::discovery;
use crate::route::ProviderId;

/// The document.
#[derive(Debug, Serialize)]
pub struct Status<'a> {
    status: &'static str,
    version: &'static str,
    /// A number of the configuration in effect, as [`crate::gateway::fingerprint`] makes it.
    configuration: String,
    #[serde(serialize_with = "by_name")]
    providers: Vec<(&'a str, ProviderStatus)>,
}

/// The most models of a provider that the document shows.
const MODELS_MAX: usize = 32;

/// What the document calls a model whose name only a client has given.
const OTHER: &str = "other";

#[derive(Debug, Serialize)]
struct ProviderStatus {
    #[serde(flatten)]
    breaker: BreakerStatus,
    health: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failing_models: Vec<ModelStatus>,
    models: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    models_age_secs: Option<u64>,
    /// Why the provider's last answer was not a list of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    models_error: Option<&'static str>,
    /// Why an attempt failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_age_secs: Option<u64>,
}

#[derive(Debug, Serialize)]
struct BreakerStatus {
    breaker: &'static str,
    consecutive_failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_secs: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ModelStatus {
    model: String,
    #[serde(flatten)]
    breaker: BreakerStatus,
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

    /// `/readyz`, when the keys of clients are not known yet.
    pub fn without_keys() -> Word {
        Word { status: "keys_unavailable" }
    }

    /// Whether a request for at least one provider would be let through.
    pub fn can_serve(gateway: &Gateway, host: &dyn Host) -> bool {
        let admits = |provider| {
            shared_breaker::would_admit(host, provider, None, Asking::Crossed(Ask::WHOLE))
        };
        gateway.providers().iter().any(admits)
    }

    /// Looks at every provider's records.
    pub fn of(gateway: &'a Gateway, host: &dyn Host) -> Self {
        let now_ms = host.now_ms();
        let each = |(id, provider): (ProviderId, &'a Provider)| {
            (provider.name.as_str(), ProviderStatus::of(gateway, id, provider, host, now_ms))
        };
        let providers: Vec<_> = gateway.ids().zip(gateway.providers()).map(each).collect();
        let all_good = providers.iter().all(|(_, status)| status.is_good());
        Self {
            status: if all_good { "ok" } else { "degraded" },
            version: env!("CARGO_PKG_VERSION"),
            configuration: format!("{:016x}", gateway.fingerprint),
            providers,
        }
    }
}

impl ProviderStatus {
    fn of(
        gateway: &Gateway,
        id: ProviderId,
        provider: &Provider,
        host: &dyn Host,
        now_ms: u64,
    ) -> Self {
        let levels = shared_breaker::peek(host, provider);
        let discovery = provider.discovery.as_ref();
        let discovered = discovery.map(|own| discovery::peek(host, own)).unwrap_or_default();
        let last = last_error::peek(host, provider);
        let settings = provider.breaker.as_ref();
        let names = |slot| known_models::in_slot(host, gateway, id, slot);
        Self {
            breaker: BreakerStatus::of(levels.provider(), settings, now_ms),
            health: check::peek(host, provider).as_str(),
            credential: levels.refuses_credential.then_some("refused"),
            failing_models: failing_models(&levels, settings, now_ms, names),
            models: discovered.models(provider),
            models_age_secs: discovered.age_secs(now_ms),
            models_error: discovered.error(),
            last_error_age_secs: last.as_ref().map(|last| last.age_secs(now_ms)),
            last_error: last.map(|last| last.reason),
        }
    }

    fn is_good(&self) -> bool {
        let is_closed = |breaker: &BreakerStatus| breaker.breaker == BreakerState::Closed.as_str();
        is_closed(&self.breaker)
            && self.failing_models.iter().all(|model| is_closed(&model.breaker))
            && self.health != "down"
            && self.credential.is_none()
    }
}

impl BreakerStatus {
    fn of(breaker: &Breaker, settings: Option<&Settings>, now_ms: u64) -> Self {
        let wait_ms = settings.map(|settings| breaker.retry_after_ms(now_ms, settings));
        Self {
            breaker: BreakerState::from(breaker).as_str(),
            consecutive_failures: match breaker.state() {
                State::Closed { failures } => failures,
                // So many failures have opened the breaker.
                State::Open { .. } => settings.map_or(0, |settings| settings.failures),
                State::HalfOpen { .. } => 0,
            },
            retry_after_secs: wait_ms.filter(|ms| *ms > 0).map(|ms| ms.div_ceil(1000)),
        }
    }
}

/// The models that have failed; refused models come first. Models that share a breaker are all shown.
fn failing_models(
    levels: &Levels,
    settings: Option<&Settings>,
    now_ms: u64,
    names: impl Fn(Slot) -> Vec<String>,
) -> Vec<ModelStatus> {
    let is_clean = |breaker: &Breaker| breaker.state() == State::Closed { failures: 0 };
    let is_closed = |breaker: &Breaker| BreakerState::from(breaker) == BreakerState::Closed;
    let refused = levels.models().filter(|(_, breaker)| !is_closed(breaker));
    let failed = levels.models().filter(|(_, breaker)| is_closed(breaker) && !is_clean(breaker));
    let shown = refused.chain(failed).take(MODELS_MAX).flat_map(|(slot, breaker)| {
        let mut names = names(slot);
        if names.is_empty() {
            names.push(OTHER.to_owned());
        }
        let status = move |model| ModelStatus {
            model,
            breaker: BreakerStatus::of(breaker, settings, now_ms),
        };
        names.into_iter().map(status)
    });
    shown.take(MODELS_MAX).collect()
}
