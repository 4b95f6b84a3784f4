//! The gateway's own lack of file descriptors, ports or memory: Envoy could not open a connection. Such a shortage says
//! nothing about a provider, and is logged once a minute at most.

use crate::host::Host;
use crate::host::metrics::Metric;
use crate::host::store::{self, Store};
use crate::record::{Reader, Writer};

/// Where the record is, in shared data: all workers are one process.
const KEY: &str = "gaud/shortage";

const VERSION: u8 = 1;

/// The least time between two lines.
const LINE_MS: u64 = 60_000;

/// How exactly it is known when the last shortage was.
const SEEN_MS: u64 = 1000;

/// For how long after a shortage a failed check says nothing about a provider: more than from one check to the next.
const RECENT_MS: u64 = 30_000;

/// When a shortage was seen last, and when it was logged last, in milliseconds; 0 for never.
#[derive(Debug, Clone, Copy, Default)]
struct Shortage {
    seen_ms: u64,
    logged_ms: u64,
}

impl Shortage {
    fn from_bytes(bytes: Option<&[u8]>) -> Self {
        let read = || {
            let mut reader = Reader::of_version(bytes, VERSION)?;
            Some(Self { seen_ms: reader.u64()?, logged_ms: reader.u64()? })
        };
        read().unwrap_or_default()
    }

    fn to_bytes(self) -> Vec<u8> {
        Writer::of_version(VERSION, 17).u64(self.seen_ms).u64(self.logged_ms).finish()
    }
}

/// An attempt could not open a connection.
pub fn note(host: &dyn Host) {
    host.count(Metric::Shortage);
    let now_ms = host.now_ms();
    // Under contention another worker logs the shortage.
    let is_logged = store::update(host, KEY, |bytes| {
        let old = Shortage::from_bytes(bytes);
        let is_logged = now_ms.abs_diff(old.logged_ms) >= LINE_MS;
        let logged_ms = if is_logged { now_ms } else { old.logged_ms };
        let is_new = is_logged || now_ms.abs_diff(old.seen_ms) >= SEEN_MS;
        (is_new.then(|| Shortage { seen_ms: now_ms, logged_ms }.to_bytes()), is_logged)
    });
    if is_logged == Ok(true) {
        log::error!(
            "no connection to a provider could be opened: this Envoy lacks file descriptors, ports or \
             memory; raise its limits (ulimit -n, LimitNOFILE)"
        );
    }
}

/// Whether there was a shortage not long ago.
pub fn is_recent(store: &dyn Store, now_ms: u64) -> bool {
    let stored = store.load(KEY);
    let shortage = Shortage::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()));
    shortage.seen_ms > 0 && now_ms.abs_diff(shortage.seen_ms) < RECENT_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_shortage_is_recent_for_a_while() {
        let host = Memory::default();
        assert!(!is_recent(&host, 5));
        host.set_clock(1_000_000);
        note(&host);
        note(&host);
        assert_eq!(host.count_of(Metric::Shortage), 2);
        for (now_ms, expected) in [(1_000_000, true), (1_029_999, true), (1_030_000, false)] {
            assert_eq!(is_recent(&host, now_ms), expected, "{now_ms}");
        }
    }
}
