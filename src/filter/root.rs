//! The plugin: reads its configuration, opens a context for each request, and asks what the core wants to ask.

use std::rc::Rc;

use super::abi::{self, Buffer, Map, MetricKind};
use super::attempt::AttemptStream;
use super::context::Context;
use super::host::EnvoyHost;
use super::reply;
use super::stream::Stream;
use super::ticks;
use crate::failover::history::Histories;
use crate::gateway::{self, Gateway};
use crate::health::shared_breaker;
use crate::host::Host;
use crate::host::metrics;
use crate::names::{clusters, properties};
use crate::poll::{self, Poll};

thread_local! {
    /// The histories of this VM. A new configuration brings a new root context, and requests that are between two attempts
    /// keep what they know.
    static HISTORIES: Rc<Histories> = Rc::default();
}

/// The state of a plugin in a worker.
#[derive(Default)]
pub(super) struct Root {
    /// `None` until a configuration was accepted; before that, Envoy sends no request.
    configured: Option<Configured>,
    /// The counter of ends, in the logger of ends.
    noted_ends: Option<u32>,
    /// The polls under way, by the number of their HTTP call.
    polls: Vec<(u32, Poll)>,
}

struct Configured {
    gateway: Rc<Gateway>,
    host: Rc<EnvoyHost>,
    /// The requests that come over the hop; `None` in the filter for clients' requests.
    histories: Option<Rc<Histories>>,
}

impl Configured {
    fn for_clients(gateway: Gateway) -> Self {
        let host = EnvoyHost::new(&gateway);
        for provider in gateway.providers() {
            shared_breaker::seed(&host, provider);
        }
        // For polls, and for the models that do not come.
        ticks::begin();
        Self { gateway: Rc::new(gateway), host: Rc::new(host), histories: None }
    }

    /// The filter after the hop: the timer is for its deadlines. The clients' filter polls.
    fn for_attempts(gateway: Gateway) -> Self {
        ticks::begin();
        let host = EnvoyHost::new(&gateway);
        let histories = HISTORIES.with(Rc::clone);
        Self { gateway: Rc::new(gateway), host: Rc::new(host), histories: Some(histories) }
    }
}

impl Root {
    /// Reads the configuration. Refusing it makes Envoy refuse to start, or keep the configuration before.
    pub(super) fn configure(&mut self, size: usize) -> bool {
        let root_id = abi::property(properties::ROOT_ID);
        if root_id == clusters::ENDS.as_bytes() {
            self.noted_ends = abi::define_metric(MetricKind::Counter, metrics::NOTED_ENDS);
            return true;
        }
        let bytes = abi::buffer(Buffer::PluginConfiguration, 0, size);
        match gateway::from_plugin_configuration(&bytes, &|name| std::env::var(name).ok()) {
            Ok(gateway) => {
                self.configured = Some(if root_id == clusters::ATTEMPT.as_bytes() {
                    Configured::for_attempts(gateway)
                } else {
                    Configured::for_clients(gateway)
                });
                true
            }
            Err(error) => {
                log::error!("gaud: bad configuration: {error}");
                false
            }
        }
    }

    /// `None` before a configuration was accepted.
    pub(super) fn open_stream(&self) -> Option<Context> {
        let Configured { gateway, host, histories } = self.configured.as_ref()?;
        let (gateway, host) = (Rc::clone(gateway), Rc::clone(host));
        Some(match histories {
            Some(histories) => {
                Context::Attempt(AttemptStream::new(gateway, host, Rc::clone(histories)))
            }
            None => Context::Stream(Stream::new(gateway, host)),
        })
    }

    /// A request has ended in a way that its filter has to look at.
    pub(super) fn note_end(&self) {
        self.noted_ends.iter().copied().for_each(abi::increment_metric);
    }

    /// Whether the requests of this plugin are attempts.
    pub(super) fn makes_attempts(&self) -> bool {
        self.configured.as_ref().is_some_and(|configured| configured.histories.is_some())
    }

    /// A second has passed.
    pub(super) fn tick(&mut self) {
        let Some(Configured { gateway, host, histories }) = &self.configured else { return };
        if let Some(histories) = histories {
            histories.purge(host.now_ms());
            return;
        }
        for question in poll::due(gateway, &**host, host.now_ms()) {
            match abi::get(question.cluster, &question.headers, question.timeout_ms) {
                Some(token) => self.polls.push((token, question.poll)),
                None => question.poll.unsent(gateway, &**host),
            }
        }
    }

    /// A call has ended. Without headers there was no answer.
    pub(super) fn answered(&mut self, token: u32, headers: usize, body_size: usize) {
        let Some(place) = self.polls.iter().position(|(number, _)| *number == token) else {
            return;
        };
        let (_, poll) = self.polls.swap_remove(place);
        let Some(Configured { gateway, host, .. }) = &self.configured else { return };
        let status = (headers > 0).then(|| reply::status(Map::CallResponseHeaders)).flatten();
        let read = || abi::buffer(Buffer::CallResponseBody, 0, body_size);
        poll.answered(gateway, &**host, status, body_size, read);
    }
}
