//! The plugin: reads its configuration, opens a context per request, and checks providers.

use std::rc::Rc;

use super::envoy::Envoy;
use super::host::{self, Buffer, Map};
use super::stream::Stream;
use crate::breaker::shared;
use crate::config::{self, Gateway, Provider, ProviderId};
use crate::health::{self, Health};
use crate::host::Host;
use crate::metrics::{BreakerState, Metric};

/// One per worker and plugin.
#[derive(Default)]
pub(super) struct Root {
    /// `None` until a configuration was accepted; Envoy sends no request before.
    configured: Option<Configured>,
    /// The active checks that are under way, by the number of the call.
    checks: Vec<(u32, ProviderId)>,
}

struct Configured {
    gateway: Rc<Gateway>,
    envoy: Rc<Envoy>,
}

impl Configured {
    fn new(gateway: Gateway) -> Self {
        let envoy = Envoy::new(&gateway);
        for provider in gateway.providers() {
            shared::seed(&envoy, provider);
        }
        if gateway.providers().iter().any(|provider| provider.health_path.is_some()) {
            host::set_tick_period(health::TICK_MS);
        }
        Self { gateway: Rc::new(gateway), envoy: Rc::new(envoy) }
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
                self.configured = Some(Configured::new(gateway));
                true
            }
            Err(error) => {
                log::error!("gaud: bad configuration: {error}");
                false
            }
        }
    }

    /// `None` before a configuration was accepted; Envoy sends no request then.
    pub(super) fn open_stream(&self) -> Option<Stream> {
        let Configured { gateway, envoy } = self.configured.as_ref()?;
        Some(Stream::new(Rc::clone(gateway), Rc::clone(envoy)))
    }

    /// Makes the checks that are due and that no other worker makes.
    pub(super) fn tick(&mut self) {
        let Some(configured) = &self.configured else { return };
        let envoy = configured.envoy.as_ref();
        let now_ms = envoy.now_ms();
        for (id, provider) in configured.providers() {
            if health::claim(envoy, provider, now_ms) {
                // Another worker may have told the gauge of an older state since.
                envoy.show_state(id, BreakerState::of(&shared::peek(envoy, provider)));
                self.checks.extend(check(provider).map(|token| (token, id)));
            }
        }
    }

    /// A check has its answer; without headers there was none.
    pub(super) fn answered(&mut self, token: u32, headers: usize) {
        let Some(place) = self.checks.iter().position(|(own, _)| *own == token) else { return };
        let (_, id) = self.checks.swap_remove(place);
        let Some(Configured { gateway, envoy }) = &self.configured else { return };
        let Some(provider) = gateway.provider(id) else { return };
        let status = (headers > 0).then(|| host::header(Map::CallResponseHeaders, ":status"));
        let health = health::judge(status.as_deref().and_then(super::status));
        health::report(envoy.as_ref(), provider, health);
        envoy.count(Metric::Check(id, health == Health::Up));
        if health == Health::Down {
            shared::check_failed(envoy.as_ref(), id, provider);
        }
    }
}

/// Asks a provider how it is.
fn check(provider: &Provider) -> Option<u32> {
    let path = provider.health_path.as_deref()?;
    let (authority, path) = match &provider.url {
        Some(url) => (url.authority(), url.path(path)),
        None => (provider.cluster.clone(), path.to_owned()),
    };
    host::get(&provider.cluster, &authority, &path, health::TIMEOUT_MS)
}
