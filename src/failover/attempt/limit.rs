//! The requests for a minute that a deployment has had, of all workers together.
//!
//! The record is one time: when the deployment would be unused again if its requests came evenly. Each request moves the time
//! on by a minute's share; a time that is a minute ahead says that the minute is spent (the generic cell rate algorithm).

use crate::host::Host;
use crate::host::store;

const MINUTE_MICROS: u64 = 60_000_000;

/// Whether one more request would be more than `rpm` in a minute.
pub(super) fn is_spent(host: &dyn Host, key: &str, rpm: u32) -> bool {
    let until = host.load(key).map_or(0, |(bytes, _)| read(&bytes));
    next(until, now_micros(host), rpm) > now_micros(host).saturating_add(MINUTE_MICROS)
}

/// Counts a request.
pub(super) fn take(host: &dyn Host, key: &str, rpm: u32) {
    let now = now_micros(host);
    // A count that is lost under contention costs one request more.
    let _ = store::update(host, key, |bytes| {
        let until = next(bytes.map_or(0, read), now, rpm).min(now.saturating_add(MINUTE_MICROS));
        (Some(until.to_le_bytes().to_vec()), ())
    });
}

fn now_micros(host: &dyn Host) -> u64 {
    host.now_ms().saturating_mul(1000)
}

fn read(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn next(until: u64, now: u64, rpm: u32) -> u64 {
    let share = MINUTE_MICROS.checked_div(u64::from(rpm)).unwrap_or(MINUTE_MICROS);
    until.max(now).saturating_add(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_minute_has_its_requests_and_gives_them_back_evenly() {
        let host = Memory::default();
        let mut sent = 0;
        while !is_spent(&host, "k", 6) {
            take(&host, "k", 6);
            sent += 1;
        }
        assert_eq!(sent, 6);
        host.advance(9_999);
        assert!(is_spent(&host, "k", 6));
        host.advance(1);
        assert!(!is_spent(&host, "k", 6));
        take(&host, "k", 6);
        assert!(is_spent(&host, "k", 6));
        host.advance(120_000);
        assert!(!is_spent(&host, "k", 1));
        // What is sent although the minute is spent does not spend a later minute.
        (0..100).for_each(|_| take(&host, "k", 6));
        host.advance(10_000);
        assert!(!is_spent(&host, "k", 6));
    }
}
