//! The plugin: reads its configuration, opens a context per request, checks providers and asks them for
//! their models.

use std::rc::Rc;

use super::attempt::AttemptStream;
use super::envoy::Envoy;
use super::exports::Context;
use super::host::{self, Buffer, Map};
use super::stream::Stream;
use crate::breaker::shared;
use crate::config::{self, Credential, Gateway, Provider, ProviderId};
use crate::discovery::{self, Fault, News};
use crate::health::{self, Health};
use crate::host::Host;
use crate::metrics::{BreakerState, Metric};
use crate::run::Runs;

/// How the rendered configuration names the filter behind the hop.
const HOP_ROOT_ID: &[u8] = b"gaud_attempt";

/// One per worker and plugin.
#[derive(Default)]
pub(super) struct Root {
    /// `None` until a configuration was accepted; Envoy sends no request before.
    configured: Option<Configured>,
    /// The calls that are under way, by their number.
    calls: Vec<(u32, ProviderId, Call)>,
}

/// Why a provider was called.
#[derive(Debug, Clone, Copy)]
enum Call {
    Check,
    Discovery,
}

struct Configured {
    gateway: Rc<Gateway>,
    envoy: Rc<Envoy>,
    /// The requests that come over the hop; `None` where clients' come.
    runs: Option<Rc<Runs>>,
}

impl Configured {
    fn new(gateway: Gateway) -> Self {
        let envoy = Envoy::new(&gateway);
        for provider in gateway.providers() {
            shared::seed(&envoy, provider);
        }
        let needs_ticks = |own: &Provider| own.health_path.is_some() || own.discovery.is_some();
        if gateway.providers().iter().any(needs_ticks) {
            host::set_tick_period(health::TICK_MS);
        }
        Self { gateway: Rc::new(gateway), envoy: Rc::new(envoy), runs: None }
    }

    /// The filter behind the hop: its deadlines need a clock, and all else is the other's.
    fn behind_hop(gateway: Gateway) -> Self {
        host::set_tick_period(health::TICK_MS);
        let envoy = Envoy::new(&gateway);
        Self { gateway: Rc::new(gateway), envoy: Rc::new(envoy), runs: Some(Rc::default()) }
    }

    fn providers(&self) -> impl Iterator<Item = (ProviderId, &Provider)> {
        self.gateway.ids().zip(self.gateway.providers())
    }
}

impl Root {
    /// Reads the configuration. Refusing it makes Envoy refuse to start, or keep the one it has.
    pub(super) fn configure(&mut self, size: usize) -> bool {
        let json = host::buffer(Buffer::PluginConfiguration, 0, size);
        match config::from_filter_json(&json, &|name| std::env::var(name).ok()) {
            Ok(gateway) => {
                self.configured = Some(match host::property("plugin_root_id") == HOP_ROOT_ID {
                    true => Configured::behind_hop(gateway),
                    false => Configured::new(gateway),
                });
                true
            }
            Err(error) => {
                log::error!("gaud: bad configuration: {error}");
                false
            }
        }
    }

    /// `None` before a configuration was accepted; Envoy sends no request then.
    pub(super) fn open_stream(&self) -> Option<Context> {
        let Configured { gateway, envoy, runs } = self.configured.as_ref()?;
        let (gateway, envoy) = (Rc::clone(gateway), Rc::clone(envoy));
        Some(match runs {
            Some(runs) => Context::Attempt(AttemptStream::new(gateway, envoy, Rc::clone(runs))),
            None => Context::Stream(Stream::new(gateway, envoy)),
        })
    }

    /// Whether its streams are attempts.
    pub(super) fn makes_attempts(&self) -> bool {
        self.configured.as_ref().is_some_and(|configured| configured.runs.is_some())
    }

    /// Makes the calls that are due and that no other worker makes.
    pub(super) fn tick(&mut self) {
        let Some(configured) = &self.configured else { return };
        let envoy = configured.envoy.as_ref();
        let now_ms = envoy.now_ms();
        if let Some(runs) = &configured.runs {
            return runs.purge(now_ms);
        }
        for (id, provider) in configured.providers() {
            if health::claim(envoy, provider, now_ms) {
                // Another worker may have told the gauge of an older state since.
                envoy.show_state(id, BreakerState::of(&shared::peek(envoy, provider)));
                self.calls.extend(check(provider).map(|token| (token, id, Call::Check)));
            }
            if let Some(discovery) = &provider.discovery
                && discovery::claim(envoy, discovery, now_ms)
            {
                match ask_for_models(provider) {
                    Some(token) => self.calls.push((token, id, Call::Discovery)),
                    None => configured.listed(id, Err(Fault::NoAnswer)),
                }
            }
        }
    }

    /// A call has its answer; without headers there was none.
    pub(super) fn answered(&mut self, token: u32, headers: usize, body_size: usize) {
        let Some(place) = self.calls.iter().position(|(own, ..)| *own == token) else { return };
        let (_, id, call) = self.calls.swap_remove(place);
        let Some(configured) = &self.configured else { return };
        let status = (headers > 0).then(|| host::header(Map::CallResponseHeaders, ":status"));
        let status = status.as_deref().and_then(super::status);
        match call {
            Call::Check => configured.checked(id, status),
            Call::Discovery => match read_list(status, body_size) {
                Ok(body) => configured.listed(id, Ok(&body)),
                Err(fault) => configured.listed(id, Err(fault)),
            },
        }
    }
}

impl Configured {
    fn checked(&self, id: ProviderId, status: Option<u32>) {
        let Some(provider) = self.gateway.provider(id) else { return };
        let envoy = self.envoy.as_ref();
        let health = health::judge(status);
        health::report(envoy, provider, health);
        envoy.count(Metric::Check(id, health == Health::Up));
        if health == Health::Down {
            shared::check_failed(envoy, id, provider);
        }
    }

    fn listed(&self, id: ProviderId, answer: Result<&[u8], Fault>) {
        let Some(provider) = self.gateway.provider(id) else { return };
        let Some(discovery) = &provider.discovery else { return };
        let envoy = self.envoy.as_ref();
        let (passed, news) =
            discovery::report(envoy, (provider, discovery), envoy.now_ms(), answer);
        envoy.count(Metric::Discovery(id, passed));
        let name = &provider.name;
        match news {
            News::None => {}
            News::Listed { models, left_out: 0 } => {
                log::info!("gaud: provider {name} lists {models} models");
            }
            News::Listed { models, left_out } => log::warn!(
                "gaud: provider {name} lists {models} models, and {left_out} more that are left out: \
                 they have no usable name, or are too many"
            ),
            News::Failed(fault) => {
                log::warn!("gaud: provider {name}: GET /v1/models: it {fault}");
            }
        }
    }
}

/// Asks a provider how it is.
fn check(provider: &Provider) -> Option<u32> {
    let (authority, path) = provider.place_of(provider.health_path.as_deref()?);
    host::get(
        &provider.cluster,
        &[(":path", &path), (":authority", &authority)],
        health::TIMEOUT_MS,
    )
}

/// Asks a provider for its models.
fn ask_for_models(provider: &Provider) -> Option<u32> {
    let (authority, path) = provider.place_of(discovery::path(provider));
    let mut headers = vec![(":path", path.as_str()), (":authority", &authority)];
    if let Credential::Header { name, value } = &provider.credential {
        headers.push((name, value.expose()));
    }
    headers.extend(provider.headers.iter().map(|(name, value)| (name.as_str(), value.expose())));
    host::get(&provider.cluster, &headers, discovery::TIMEOUT_MS)
}

fn read_list(status: Option<u32>, body_size: usize) -> Result<Vec<u8>, Fault> {
    match status {
        None => Err(Fault::NoAnswer),
        Some(200) if body_size > discovery::LIST_BYTES_MAX => Err(Fault::TooLong),
        Some(200) => Ok(host::buffer(Buffer::CallResponseBody, 0, body_size)),
        Some(status) => Err(Fault::Status(status)),
    }
}
