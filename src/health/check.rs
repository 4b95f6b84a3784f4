//! Active checks: who asks a provider how it is, and when.
//!
//! Every worker looks at its clock each second. Whoever finds a check due and stores the next time
//! by compare-and-swap makes the check: a lease that belongs to nobody, so that a worker which
//! dies in the middle of a check takes nothing with it.

use crate::gateway::Provider;
use crate::host::store::{self, Store};

/// How often a provider is checked.
pub const INTERVAL_MS: u64 = 15_000;

/// How long a check may take.
pub const TIMEOUT_MS: u32 = 5000;

const VERSION: u8 = 1;

/// What the last check said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// There was none yet, or none is made.
    Unknown,
    /// The provider answered, and not with a 5xx.
    Up,
    /// It did not.
    Down,
}

impl Health {
    /// As it stands in `/health`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What is stored: version, health, and when the next check is due (little-endian milliseconds).
fn to_bytes(health: Health, due_ms: u64) -> Vec<u8> {
    let mut bytes = vec![VERSION, health as u8];
    bytes.extend(due_ms.to_le_bytes());
    bytes
}

fn from_bytes(bytes: Option<&[u8]>) -> (Health, u64) {
    let read = || {
        let (head, rest) = bytes?.split_first_chunk()?;
        let (due_ms, _) = rest.split_first_chunk()?;
        let health = match *head {
            [VERSION, 1] => Health::Up,
            [VERSION, 2] => Health::Down,
            [VERSION, 0] => Health::Unknown,
            _ => return None,
        };
        Some((health, u64::from_le_bytes(*due_ms)))
    };
    read().unwrap_or((Health::Unknown, 0))
}

/// Whether this worker is to check the provider now.
pub fn claim(store: &dyn Store, provider: &Provider, now_ms: u64) -> bool {
    if provider.health_path.is_none() {
        return false;
    }
    let next_ms = now_ms.saturating_add(INTERVAL_MS);
    let claimed = store::update(store, &provider.health_key, |bytes| {
        let (health, due_ms) = from_bytes(bytes);
        // Much further away than an interval: the clock was set back. (A little further away: another
        // worker has looked at its clock a moment later.)
        let latest_ms = next_ms.saturating_add(INTERVAL_MS);
        let waits = (now_ms.saturating_add(1)..=latest_ms).contains(&due_ms);
        ((!waits).then(|| to_bytes(health, next_ms)), !waits)
    });
    claimed.unwrap_or(false)
}

/// Stores what a check said.
pub fn report(store: &dyn Store, provider: &Provider, health: Health) {
    // Given up under contention: the next check says it again.
    let _ = store::update(store, &provider.health_key, |bytes| {
        let (old, due_ms) = from_bytes(bytes);
        ((old != health).then(|| to_bytes(health, due_ms)), ())
    });
}

/// What the last check said.
pub fn peek(store: &dyn Store, provider: &Provider) -> Health {
    from_bytes(store.load(&provider.health_key).as_ref().map(|(bytes, _)| bytes.as_slice())).0
}

/// What an answer to a check means; `None` when there was no answer.
pub fn judge(status: Option<u32>) -> Health {
    match status {
        Some(..500) => Health::Up,
        _ => Health::Down,
    }
}
