//! Active checks: which worker asks a provider for its health, and when.
//!
//! Every worker looks at its clock each second. A worker that finds a check due stores the time of the next check by
//! compare-and-swap, and makes the check if that succeeds. No worker owns the checks of a provider, so a worker that dies
//! during a check stops no later check.

use crate::gateway::Provider;
use crate::host::store::{self, Store};
use crate::record::{Reader, Writer, left_ms};

/// The longest that a check may take.
const TIMEOUT_MS: u32 = 5000;

const VERSION: u8 = 1;

/// The result of the last check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No check has ended yet, or the provider has no checks.
    Unknown,
    /// The provider answered, and not with a 5xx.
    Up,
    /// The provider gave no answer, or a 5xx.
    Down,
}

impl Health {
    /// The word in `/health`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// The stored record: version, health, and the time of the next check in milliseconds.
fn to_bytes(health: Health, due_ms: u64) -> Vec<u8> {
    Writer::of_version(VERSION, 10).u8(health as u8).u64(due_ms).finish()
}

fn from_bytes(bytes: Option<&[u8]>) -> (Health, u64) {
    let read = || {
        let mut reader = Reader::of_version(bytes, VERSION)?;
        let health = match reader.u8()? {
            0 => Health::Unknown,
            1 => Health::Up,
            2 => Health::Down,
            _ => return None,
        };
        Some((health, reader.u64()?))
    };
    read().unwrap_or((Health::Unknown, 0))
}

/// Whether this worker is to check the provider now.
pub fn claim(store: &dyn Store, provider: &Provider, now_ms: u64) -> bool {
    if provider.health_path.is_none() {
        return false;
    }
    let next_ms = now_ms.saturating_add(provider.health_interval_ms);
    let claimed = store::update(store, &provider.health_key, |bytes| {
        let (health, due_ms) = from_bytes(bytes);
        let waits = left_ms(due_ms, now_ms, provider.health_interval_ms) > 0;
        ((!waits).then(|| to_bytes(health, next_ms)), !waits)
    });
    claimed.unwrap_or(false)
}

/// How long a check of this provider may take: never longer than until the next one, so that checks
/// of a silent provider do not pile up.
pub fn timeout_ms(provider: &Provider) -> u32 {
    u32::try_from(provider.health_interval_ms).unwrap_or(TIMEOUT_MS).min(TIMEOUT_MS)
}

/// Stores the result of a check.
pub fn report(store: &dyn Store, provider: &Provider, health: Health) {
    // Under contention the result is lost: the next check has a result again.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::from_filter_json;
    use crate::host::memory::Memory;

    fn provider(settings: &str) -> Provider {
        let json = format!(
            r#"{{{settings}"providers":{{"p":{{"url":"http://h","health_path":"/up"}}}}}}"#
        );
        let gateway = from_filter_json(json.as_bytes(), &|_| None).unwrap();
        gateway.providers()[0].clone()
    }

    #[test]
    fn a_provider_is_checked_once_in_each_interval() {
        for (settings, interval_ms) in [("", 15_000), (r#""health_interval_secs":2,"#, 2000)] {
            let (provider, store) = (provider(settings), Memory::default());
            for start_ms in [1_000_000, 1_000_000 + interval_ms] {
                assert!(claim(&store, &provider, start_ms), "{settings}");
                assert!(!claim(&store, &provider, start_ms), "another worker at the same time");
                assert!(!claim(&store, &provider, start_ms + interval_ms - 1), "{settings}");
            }
        }
    }

    #[test]
    fn a_check_takes_at_most_five_seconds_and_never_longer_than_the_interval() {
        for (settings, expected_ms) in [
            ("", 5000),
            (r#""health_interval_secs":1,"#, 1000),
            (r#""health_interval_secs":3600,"#, 5000),
        ] {
            assert_eq!(timeout_ms(&provider(settings)), expected_ms, "{settings}");
        }
    }
}
