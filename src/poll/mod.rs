//! Questions that the gateway itself asks providers: does the provider answer, and which models does it have?
//!
//! ```text
//! timer ──> due ──> Question ── HTTP call ──> Poll::answered ──> health::check, models::discovery
//! ```
//!
//! Each worker looks once a second which questions are due. The worker that claims a question by compare-and-swap asks the
//! question, so that each question is asked once. A claim expires, so that the question of a worker that died is asked
//! again.

use std::borrow::Cow;
use std::fmt;

use crate::config::Hidden;
use crate::gateway::{Credential, Gateway, Provider};
use crate::health::check::{self, Health};
use crate::health::shared_breaker::Watched;
use crate::health::shortage;
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::models::discovery::{self, Fault, ListChange};
use crate::route::ProviderId;

/// How often a worker looks which questions are due.
pub const TICK_MS: u32 = 1000;

/// A question under way, until its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    provider: ProviderId,
    subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// Does the provider answer?
    Health,
    /// Which models does the provider have?
    Models,
}

/// A question to send: `GET` of a path, at a cluster.
pub struct Question<'a> {
    /// What to remember until the answer.
    pub poll: Poll,
    /// Envoy's cluster of the provider.
    pub cluster: &'a str,
    /// The headers, pseudo-headers included. The values may be secrets.
    pub headers: Vec<(&'a str, Cow<'a, str>)>,
    /// How long the answer may take.
    pub timeout_ms: u32,
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| (name, Hidden)).collect();
        f.debug_struct("Question")
            .field("poll", &self.poll)
            .field("cluster", &self.cluster)
            .field("headers", &names)
            .field("timeout_ms", &self.timeout_ms)
            .finish()
    }
}

/// Whether a gateway has any question to ask. Without questions, no worker needs a timer.
pub fn is_needed(gateway: &Gateway) -> bool {
    let asks = |provider: &Provider| provider.health_path.is_some() || provider.discovery.is_some();
    gateway.providers().iter().any(asks)
}

/// Claims the questions that are due and that no other worker asks.
pub fn due<'a>(gateway: &'a Gateway, host: &dyn Host, now_ms: u64) -> Vec<Question<'a>> {
    let mut questions = Vec::new();
    for (id, provider) in gateway.ids().zip(gateway.providers()) {
        if check::claim(host, provider, now_ms) {
            // Workers set the gauges without an order: a slower worker may have set an older state.
            if let Some(watched) = Watched::of(gateway, id) {
                watched.show(host);
            }
            questions.extend(health_question(id, provider));
        }
        if let Some(discovery) = &provider.discovery
            && discovery::claim(host, discovery, now_ms)
        {
            questions.push(models_question(id, provider));
        }
    }
    questions
}

fn health_question(id: ProviderId, provider: &Provider) -> Option<Question<'_>> {
    let (authority, path) = provider.place_of(provider.health_path.as_deref()?);
    Some(Question {
        poll: Poll { provider: id, subject: Subject::Health },
        cluster: provider.cluster_for(false),
        headers: vec![(":path", path.into()), (":authority", authority.into())],
        timeout_ms: check::timeout_ms(provider),
    })
}

fn models_question(id: ProviderId, provider: &Provider) -> Question<'_> {
    let (authority, path) = provider.place_of(discovery::path(provider));
    let mut headers = vec![(":path", path.into()), (":authority", authority.into())];
    if let Credential::Header { name, value } = &provider.credential {
        headers.push((*name, value.expose().into()));
    }
    let further = provider.headers.iter();
    headers.extend(further.map(|(name, value)| (name.as_str(), value.expose().into())));
    Question {
        poll: Poll { provider: id, subject: Subject::Models },
        cluster: &provider.cluster,
        headers,
        timeout_ms: discovery::TIMEOUT_MS,
    }
}

impl Poll {
    /// The question could not be sent. A check that was not made tells nothing about the provider.
    pub fn unsent(self, gateway: &Gateway, host: &dyn Host) {
        if self.subject == Subject::Models {
            listed(gateway, host, self.provider, Err(Fault::NoAnswer));
        }
    }

    /// The question has its answer: a status, `None` without an answer, and a body of `size` bytes, which `read` copies.
    pub fn answered(
        self,
        gateway: &Gateway,
        host: &dyn Host,
        status: Option<u32>,
        size: usize,
        read: impl FnOnce() -> Vec<u8>,
    ) {
        match self.subject {
            Subject::Health => checked(gateway, host, self.provider, status),
            Subject::Models => {
                let body = match status {
                    None => Err(Fault::NoAnswer),
                    Some(200) if size > discovery::LIST_BYTES_MAX => Err(Fault::TooLong),
                    Some(200) => Ok(read()),
                    Some(status) => Err(Fault::Status(status)),
                };
                listed(gateway, host, self.provider, body);
            }
        }
    }
}

fn checked(gateway: &Gateway, host: &dyn Host, id: ProviderId, status: Option<u32>) {
    let Some(provider) = gateway.provider(id) else { return };
    let health = check::judge(status);
    check::report(host, provider, health);
    host.count(Metric::Check(id, health == Health::Up));
    // Envoy answers a check as well that it could not send.
    if health == Health::Down
        && !shortage::is_recent(host, host.now_ms())
        && let Some(watched) = Watched::of(gateway, id)
    {
        watched.check_failed(host);
    }
}

fn listed(gateway: &Gateway, host: &dyn Host, id: ProviderId, answer: Result<Vec<u8>, Fault>) {
    let Some(provider) = gateway.provider(id) else { return };
    let Some(discovery) = &provider.discovery else { return };
    let answer = answer.as_deref().map_err(Clone::clone);
    let (passed, change) = discovery::report(host, provider, discovery, host.now_ms(), answer);
    host.count(Metric::Discovery(id, passed));
    let name = &provider.name;
    match change {
        ListChange::None => {}
        ListChange::Listed { models, left_out: 0 } => {
            log::info!("provider {name} lists {models} models");
        }
        ListChange::Listed { models, left_out } => log::warn!(
            "provider {name} lists {models} models, and {left_out} more that are left out: \
             they have no usable name, or are too many"
        ),
        ListChange::Failed(fault) => {
            log::warn!("provider {name}: GET /v1/models: it {fault}");
        }
    }
}

#[cfg(test)]
mod tests;
