//! The last failure of a provider, for the page about its health.

use crate::breaker::Reason;
use crate::gateway::Provider;
use crate::host::Host;
use crate::host::store::{self, Store};
use crate::record::{Reader, Writer};

const VERSION: u8 = 1;

/// When an attempt failed last, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    at_ms: u64,
    /// The words of [`Reason`].
    pub reason: String,
}

impl LastError {
    /// How long ago that was.
    pub fn age_secs(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.at_ms) / 1000
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::of_version(Some(bytes), VERSION)?;
        let at_ms = reader.u64()?;
        Some(Self { at_ms, reason: String::from_utf8(reader.rest().to_vec()).ok()? })
    }
}

fn key(provider: &Provider) -> String {
    format!("{}/last_error", provider.breaker_key)
}

/// An attempt at the provider has failed.
pub fn note(host: &dyn Host, provider: &Provider, reason: Reason) {
    let reason = reason.to_string();
    let writer = Writer::of_version(VERSION, reason.len().saturating_add(9));
    let record = writer.u64(host.now_ms()).bytes(reason.as_bytes()).finish();
    // Given up under contention: another worker notes a failure of the same moment.
    let _ = store::update(host, &key(provider), |_| (Some(record.clone()), ()));
}

/// The last failure; `None` before the first.
pub fn peek(store: &dyn Store, provider: &Provider) -> Option<LastError> {
    store.load(&key(provider)).and_then(|(bytes, _)| LastError::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    use crate::gateway::Gateway;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_last_failure_is_kept_with_its_time() {
        let file = File::from_json(br#"{"providers":{"p":{"url":"http://h"}}}"#).unwrap();
        let gateway = Gateway::compile(&file, &|_| None).unwrap();
        let provider = &gateway.providers()[0];
        let host = Memory::default();
        assert_eq!(peek(&host, provider), None);
        note(&host, provider, Reason::Closed);
        note(&host, provider, Reason::Status(502));
        let last = peek(&host, provider).unwrap();
        assert_eq!(last.reason, "status 502");
        assert_eq!(last.age_secs(host.now_ms().saturating_add(61_500)), 61);
        assert_eq!(LastError::from_bytes(b"\x02"), None);
    }
}
