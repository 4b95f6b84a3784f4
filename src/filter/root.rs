//! The plugin: reads its configuration, opens a context for each request, and asks what the core wants to ask.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use super::abi::{self, Buffer, Map, MetricKind};
use super::attempt::AttemptStream;
use super::context::Context;
use super::host::EnvoyHost;
use super::reply;
use super::stream::Stream;
use crate::failover::history::Histories;
use crate::gateway::{self, Gateway};
use crate::health::shared_breaker;
use crate::host::Host;
use crate::host::metrics;
use crate::keys::{self, feed};
use crate::names::{clusters, properties};
use crate::poll::{self, Poll};

thread_local! {
    /// The histories of this VM. A new configuration brings a new root context, and requests that are between two attempts
    /// keep what they know.
    static HISTORIES: Rc<Histories> = Rc::default();
    /// How many configurations this VM has had: the last one asks for changes of keys.
    static CONFIGURATIONS: Cell<u32> = const { Cell::new(0) };
    /// The number by which other workers know this VM; 0 until it is needed.
    static HOLDER: Cell<u64> = const { Cell::new(0) };
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
    /// The question for changes of keys that is under way, by the number of its HTTP call.
    feed: Option<u32>,
    /// The last such question had no answer, and the log says so.
    is_feed_away: bool,
}

struct Configured {
    gateway: Rc<Gateway>,
    host: Rc<EnvoyHost>,
    /// The requests that come over the hop; `None` in the filter for clients' requests.
    histories: Option<Rc<Histories>>,
    /// Which of the VM's configurations this is.
    number: u32,
    /// How many ticks come quickly yet, for the first questions for keys.
    quick_ticks: Cell<u32>,
}

/// Quick ticks go on for five seconds at most.
const QUICK_TICKS: u32 = 100;

impl Configured {
    fn for_clients(gateway: Gateway) -> Self {
        let gateway = Rc::new(gateway);
        let host = EnvoyHost::new(&gateway);
        for provider in gateway.providers() {
            shared_breaker::seed(&host, provider);
        }
        // For polls, and for the models that do not come.
        let is_quick = gateway.keys.is_some();
        host.ticks.begin(is_quick);
        CONFIGURATIONS.set(CONFIGURATIONS.get().wrapping_add(1));
        Self::of(gateway, host, None, if is_quick { QUICK_TICKS } else { 0 })
    }

    /// The filter after the hop: the timer is for its deadlines. The clients' filter polls.
    fn for_attempts(gateway: Gateway) -> Self {
        let gateway = Rc::new(gateway);
        let host = EnvoyHost::new(&gateway);
        host.ticks.begin(false);
        let histories = HISTORIES.with(Rc::clone);
        Self::of(gateway, host, Some(histories), 0)
    }

    fn of(
        gateway: Rc<Gateway>,
        host: EnvoyHost,
        histories: Option<Rc<Histories>>,
        quick_ticks: u32,
    ) -> Self {
        let host = Rc::new(host);
        let (number, quick_ticks) = (CONFIGURATIONS.get(), Cell::new(quick_ticks));
        Self { gateway, host, histories, number, quick_ticks }
    }

    /// Quick ticks end once the keys are known, or have not come for a while.
    fn count_quick_tick(&self) {
        let left = self.quick_ticks.get().saturating_sub(1);
        if self.quick_ticks.get() > 0 && (left == 0 || !keys::check::is_waiting(&*self.host)) {
            self.quick_ticks.set(0);
            self.host.ticks.end_wait_for_keys();
        } else {
            self.quick_ticks.set(left);
        }
    }

    /// Whether this VM has a newer configuration, which asks for changes of keys.
    fn is_replaced(&self) -> bool {
        CONFIGURATIONS.get() != self.number
    }
}

/// The number by which other workers know this VM.
fn holder(host: &EnvoyHost) -> u64 {
    if HOLDER.get() == 0 {
        HOLDER.set(host.unique());
    }
    HOLDER.get()
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
                log::error!("bad configuration: {error}");
                false
            }
        }
    }

    /// `None` before a configuration was accepted.
    pub(super) fn open_stream(&self) -> Option<Context> {
        let Configured { gateway, host, histories, .. } = self.configured.as_ref()?;
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
        self.noted_ends.iter().for_each(|id| abi::increment_metric(*id, 1));
    }

    /// Whether the requests of this plugin are attempts.
    pub(super) fn makes_attempts(&self) -> bool {
        self.configured.as_ref().is_some_and(|configured| configured.histories.is_some())
    }

    /// A probe waits for its response, or none does any more.
    pub(super) fn set_probing(&self, is_probing: bool) {
        if let Some(configured) = &self.configured {
            configured.host.ticks.set_probing(is_probing);
        }
    }

    /// A second has passed.
    pub(super) fn tick(&mut self) {
        self.ask_for_keys();
        let Some(Configured { gateway, host, histories, .. }) = &self.configured else { return };
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

    /// Asks the control server for changes of keys, if this worker is to ask.
    fn ask_for_keys(&mut self) {
        let Some(configured) = &self.configured else { return };
        let Some(keys) = configured.gateway.keys.as_ref() else { return };
        let host = &*configured.host;
        if configured.histories.is_some() || configured.is_replaced() {
            return;
        }
        configured.count_quick_tick();
        let Some(question) = feed::due(keys, host, holder(host), self.feed.is_some()) else {
            return;
        };
        let headers = [
            (":path", Cow::Borrowed(question.path.as_str())),
            (":authority", Cow::Borrowed(question.cluster)),
            ("authorization", Cow::Borrowed(question.authorization)),
        ];
        self.feed = abi::get(question.cluster, &headers, question.timeout_ms);
    }

    /// The control server has answered, or has not. An answer with policies is followed by the next question at once.
    fn keys_answered(&mut self, status: Option<u32>, body_size: usize) {
        self.feed = None;
        let Some(Configured { host, .. }) = &self.configured else { return };
        let read = || match body_size {
            0..=feed::PAGE_BYTES_MAX => abi::buffer(Buffer::CallResponseBody, 0, body_size),
            _ => Vec::new(),
        };
        let is_answered = feed::answered(&**host, status, read);
        if is_answered == self.is_feed_away {
            match is_answered {
                true => log::warn!("the control server tells of changes of keys again"),
                false => log::warn!(
                    "the control server does not tell of changes of keys (status {}); the keys that are known \
                     stay as they are",
                    status.unwrap_or_default()
                ),
            }
        }
        self.is_feed_away = !is_answered;
        if is_answered {
            self.ask_for_keys();
        }
    }

    /// A call has ended. Without headers there was no answer.
    pub(super) fn answered(&mut self, token: u32, headers: usize, body_size: usize) {
        if self.feed == Some(token) {
            let status = (headers > 0).then(|| reply::status(Map::CallResponseHeaders)).flatten();
            return self.keys_answered(status, body_size);
        }
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
