//! The time of the callback under way. Each callback asks Envoy once at most, and only if the time is needed.

use std::cell::Cell;

use super::abi;

thread_local! {
    /// `None` until the callback asks.
    static NOW_NS: Cell<Option<u64>> = const { Cell::new(None) };
}

/// A callback begins, so the time of the callback before is too old.
pub(super) fn begin_callback() {
    NOW_NS.set(None);
}

/// Nanoseconds since 1970; the same in the whole callback.
pub(super) fn now_ns() -> u64 {
    let now_ns = NOW_NS.get().unwrap_or_else(abi::now_ns);
    NOW_NS.set(Some(now_ns));
    now_ns
}
