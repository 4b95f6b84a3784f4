//! The requests for a minute that a deployment has had, of all workers together: a bucket in shared data.

use crate::host::Host;
use crate::host::store;
use crate::limits::Bucket;

/// Whether one more request would be more than `rpm` in a minute.
pub(super) fn is_spent(host: &dyn Host, key: &str, rpm: u32) -> bool {
    let stored = host.load(key);
    let bucket = Bucket::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()));
    !bucket.at(u64::from(rpm), host.now_ms()).has(1)
}

/// Counts a request. A request that is sent although the minute is spent does not spend a later minute.
pub(super) fn take(host: &dyn Host, key: &str, rpm: u32) {
    // A count that is lost under contention costs one request more.
    let _ = store::update(host, key, |bytes| {
        let bucket = Bucket::from_bytes(bytes).at(u64::from(rpm), host.now_ms());
        (bucket.has(1).then(|| bucket.take(1).to_bytes()), ())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_minute_has_its_requests_and_gives_them_back_evenly() {
        let host = Memory::at(1_795_968_000_000);
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
