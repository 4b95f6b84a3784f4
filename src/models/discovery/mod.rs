//! Discovery: which worker asks a provider for its models, when, and what is kept of the answers.
//!
//! As with active checks ([`crate::health::check`]), every worker looks at its clock, and the first worker that claims a
//! due provider asks the provider. The last good list and its age stay until the next good list.
//!
//! ```text
//! claim ── GET /v1/models ──┬─> listed  the list is kept; due again after the interval
//!                           └─> failed  the old list stays; due again soon
//! ```

use std::fmt;

use hashbrown::HashSet;

use super::{ListError, Listed};
use crate::gateway::{Discovery, Provider};
use crate::host::store::{self, Store};
use crate::record::{Reader, Writer, left_ms};

/// How long a provider may take to list its models.
pub const TIMEOUT_MS: u32 = 10_000;

/// How long after a failed question, or after a question whose worker died, the provider is asked again.
const RETRY_MS: u64 = 15_000;

/// The least time between a question and the next on demand.
const REFRESH_MS: u64 = 5000;

/// The longest answer that is read.
pub const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;

const VERSION: u8 = 1;

/// How far a provider's discovery has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiscoveryState {
    /// When the next question is due, in milliseconds since 1970.
    due_ms: u64,
    /// When the provider was asked last.
    asked_ms: u64,
    /// When the provider listed its models last; 0 for never.
    listed_ms: u64,
    /// How many models the provider has, the configuration's included.
    models: u32,
    /// The [`Fault::code`] of the last answer; 0 for none.
    fault: u8,
}

impl DiscoveryState {
    /// The age of the last good list; `None` when there was none.
    pub fn age_secs(&self, now_ms: u64) -> Option<u64> {
        (self.listed_ms > 0).then(|| now_ms.saturating_sub(self.listed_ms) / 1000)
    }

    /// When the provider listed its models last; 0 for never.
    pub fn listed_ms(&self) -> u64 {
        self.listed_ms
    }

    /// How many models the provider has.
    pub fn models(&self, provider: &Provider) -> usize {
        match self.listed_ms {
            0 => provider.models.len(),
            _ => self.models as usize,
        }
    }

    /// Why the last answer was not a list, with the remedy; `None` where it was one.
    pub fn error(&self) -> Option<&'static str> {
        Some(match self.fault {
            0 => return None,
            1 => "no answer; check that it runs, and its url",
            2 => "it refused the credential (401 or 403); check its api_key and auth",
            3 => "it has no list (404); check its url, or set discover_models = false",
            4 => {
                "it answered with an error, as LiteLLM does where api_key is wrong (400) or missing (500); check its api_key"
            }
            5 => "its list is too long; set discover_models = false",
            _ => "its answer is not a list of models; check its url",
        })
    }

    /// Whether the last answer was a fault.
    fn has_failed(&self) -> bool {
        self.fault != 0
    }

    fn to_bytes(self) -> Vec<u8> {
        let times = [self.due_ms, self.asked_ms, self.listed_ms].into_iter();
        let writer = Writer::of_version(VERSION, 30).u8(self.fault);
        times.fold(writer, Writer::u64).u32(self.models).finish()
    }

    /// No record, or a record of another version, means that the provider was never asked.
    fn from_bytes(bytes: Option<&[u8]>) -> Self {
        let read = || {
            let mut reader = Reader::of_version(bytes, VERSION)?;
            Some(Self {
                fault: reader.u8()?,
                due_ms: reader.u64()?,
                asked_ms: reader.u64()?,
                listed_ms: reader.u64()?,
                models: reader.u32()?,
            })
        };
        read().unwrap_or_default()
    }
}

/// Why an answer is not a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The answer did not come in time, or broke off.
    NoAnswer,
    /// Another status than 200.
    Status(u32),
    /// More than [`LIST_BYTES_MAX`].
    TooLong,
    /// The answer is not a list of models.
    Malformed(ListError),
}

impl Fault {
    /// The stored form. Faults with the same code are logged once.
    fn code(&self) -> u8 {
        match self {
            // Envoy answers for a provider that cannot be reached, but not for a provider that goes silent.
            Self::NoAnswer | Self::Status(502..=504) => 1,
            Self::Status(401 | 403) => 2,
            Self::Status(404) => 3,
            Self::Status(_) => 4,
            Self::TooLong => 5,
            Self::Malformed(_) => 6,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("gave no answer; check its url, and that it runs"),
            Self::Status(status @ (401 | 403)) => {
                write!(f, "answered {status}; check its api_key and auth")
            }
            Self::Status(404) => {
                f.write_str("answered 404; check its url, or set discover_models = false")
            }
            Self::Status(status @ 502..=504) => {
                write!(f, "answered {status}, or Envoy did for it; check its url, and that it runs")
            }
            Self::Status(status) => write!(
                f,
                "answered {status}; check its url and api_key (LiteLLM answers a missing key by \
                 400 or 500)"
            ),
            Self::TooLong => write!(f, "answered with more than {LIST_BYTES_MAX} bytes"),
            Self::Malformed(error) => write!(f, "answered with {error}; check its url"),
        }
    }
}

/// What is worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListChange {
    /// The same as last time.
    None,
    /// The list is the first, the first after a fault, or another list than before.
    Listed {
        /// The number of models in the list.
        models: usize,
        /// The number of entries that had no usable name, or were too many.
        left_out: usize,
    },
    /// Another fault than last time.
    Failed(Fault),
}

/// Whether this worker is to ask the provider now.
pub fn claim(store: &dyn Store, discovery: &Discovery, now_ms: u64) -> bool {
    let claimed = store::update(store, &discovery.key, |bytes| {
        let old = DiscoveryState::from_bytes(bytes);
        let waits = left_ms(old.due_ms, now_ms, discovery.interval_ms.max(RETRY_MS)) > 0;
        let new =
            DiscoveryState { due_ms: now_ms.saturating_add(RETRY_MS), asked_ms: now_ms, ..old };
        ((!waits).then(|| new.to_bytes()), !waits)
    });
    claimed.unwrap_or(false)
}

/// Makes a provider due, `REFRESH_MS` after the last question at the earliest.
pub fn refresh(store: &dyn Store, discovery: &Discovery) {
    // Contended: another worker has changed the record just now, so the provider is being asked.
    let _ = store::update(store, &discovery.key, |bytes| {
        let old = DiscoveryState::from_bytes(bytes);
        let due_ms = old.asked_ms.saturating_add(REFRESH_MS).min(old.due_ms);
        ((due_ms != old.due_ms).then(|| DiscoveryState { due_ms, ..old }.to_bytes()), ())
    });
}

/// The path of a provider's list. Anthropic's list comes in pages of 20 unless the query asks for more.
pub fn path(provider: &Provider) -> &'static str {
    if provider.headers.iter().any(|(name, _)| name == "anthropic-version") {
        "/v1/models?limit=1000"
    } else {
        "/v1/models"
    }
}

/// Stores a provider's answer. Returns whether the answer was a list, and what the log should tell.
pub fn report(
    store: &dyn Store,
    provider: &Provider,
    discovery: &Discovery,
    now_ms: u64,
    answer: Result<&[u8], Fault>,
) -> (bool, ListChange) {
    match answer.and_then(|body| super::parse(body).map_err(Fault::Malformed)) {
        Ok((list, left_out)) => {
            let is_new = keep(store, &discovery.list_key, &super::to_bytes(&list));
            let models = Ok(count(provider, &list));
            let old = settle(store, discovery, now_ms, models);
            let change = if is_new || old.is_none_or(|old| old.has_failed()) {
                ListChange::Listed { models: list.len(), left_out }
            } else {
                ListChange::None
            };
            (true, change)
        }
        Err(fault) => match settle(store, discovery, now_ms, Err(&fault)) {
            Some(old) if old.fault == fault.code() => (false, ListChange::None),
            _ => (false, ListChange::Failed(fault)),
        },
    }
}

/// The number of models in the list and in the configuration together.
fn count(provider: &Provider, list: &[Listed]) -> u32 {
    let listed: HashSet<&str> = list.iter().map(|listed| listed.id.as_str()).collect();
    let others = provider.models.iter().filter(|model| !listed.contains(model.as_str()));
    u32::try_from(list.len().saturating_add(others.count())).unwrap_or(u32::MAX)
}

/// Stores a list, unless the stored list is the same. Returns whether the lists differ.
fn keep(store: &dyn Store, key: &str, list: &[u8]) -> bool {
    let changed = store::update(store, key, |old| match old {
        Some(old) if old == list => (None, false),
        _ => (Some(list.to_vec()), true),
    });
    changed.unwrap_or(false)
}

/// Records an answer, and when the next question is due. Returns the record before; `None` under contention.
fn settle(
    store: &dyn Store,
    discovery: &Discovery,
    now_ms: u64,
    models: Result<u32, &Fault>,
) -> Option<DiscoveryState> {
    let changed = store::update(store, &discovery.key, |bytes| {
        let old = DiscoveryState::from_bytes(bytes);
        let new = match models {
            Ok(models) => DiscoveryState {
                due_ms: now_ms.saturating_add(discovery.interval_ms),
                listed_ms: now_ms,
                models,
                fault: 0,
                ..old
            },
            Err(fault) => {
                let wait_ms = RETRY_MS.min(discovery.interval_ms);
                DiscoveryState {
                    due_ms: now_ms.saturating_add(wait_ms),
                    fault: fault.code(),
                    ..old
                }
            }
        };
        (Some(new.to_bytes()), old)
    });
    changed.ok()
}

/// How far a provider's discovery has come.
pub fn peek(store: &dyn Store, discovery: &Discovery) -> DiscoveryState {
    let stored = store.load(&discovery.key);
    DiscoveryState::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()))
}

/// The last good list of a provider; empty without discovery.
pub fn listed(store: &dyn Store, provider: &Provider) -> Vec<Listed> {
    let stored = provider.discovery.as_ref().and_then(|discovery| store.load(&discovery.list_key));
    stored.map_or_else(Vec::new, |(bytes, _)| super::from_bytes(&bytes))
}

#[cfg(test)]
mod tests;
