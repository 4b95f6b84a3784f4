//! The requests and the tokens for a minute that a deployment has had, of all workers together: two buckets in shared data.

use crate::host::Host;
use crate::host::store;
use crate::limits::Bucket;

/// Whether one more request or token would be more than `per_minute`.
pub(super) fn is_spent(host: &dyn Host, key: &str, per_minute: u32) -> bool {
    let stored = host.load(key);
    let bucket = Bucket::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()));
    !bucket.at(u64::from(per_minute), host.now_ms()).has(1)
}

/// Counts a request. A request that is sent although the minute is spent does not spend a later minute.
pub(super) fn take(host: &dyn Host, key: &str, rpm: u32) {
    // A count that is lost under contention costs one request more.
    let _ = store::update(host, key, |bytes| {
        let bucket = Bucket::from_bytes(bytes).at(u64::from(rpm), host.now_ms());
        (bucket.has(1).then(|| bucket.take(1).to_bytes()), ())
    });
}

/// Counts the tokens of a request that has ended. What is more than there was is missing in the next minutes.
pub(super) fn take_tokens(host: &dyn Host, key: &str, tpm: u32, tokens: u64) {
    let _ = store::update(host, key, |bytes| {
        let bucket = Bucket::from_bytes(bytes).at(u64::from(tpm), host.now_ms());
        (Some(bucket.take(tokens).to_bytes()), ())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn tokens_that_were_not_there_are_missing_later() {
        let host = Memory::at(1_795_968_000_000);
        take_tokens(&host, "k", 60, 59);
        assert!(!is_spent(&host, "k", 60));
        take_tokens(&host, "k", 60, 11);
        assert!(is_spent(&host, "k", 60));
        host.advance(10_999);
        assert!(is_spent(&host, "k", 60));
        host.advance(1);
        assert!(!is_spent(&host, "k", 60));
    }

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
