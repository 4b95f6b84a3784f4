//! The callback under way: its stream, and its time. Each callback asks Envoy for the time once at most, and only if the time
//! is needed.

use std::cell::Cell;

use super::abi;

thread_local! {
    /// `None` until the callback asks.
    static NOW_NS: Cell<Option<u64>> = const { Cell::new(None) };
    /// Envoy's number of the context.
    static STREAM: Cell<u32> = const { Cell::new(0) };
}

/// A callback begins, so the time of the callback before is too old.
pub(super) fn begin_callback() {
    NOW_NS.set(None);
}

/// The callback is of this stream.
pub(super) fn turn_to(stream: u32) {
    STREAM.set(stream);
}

/// Envoy's number of the stream whose callback is under way.
pub(super) fn stream() -> u32 {
    STREAM.get()
}

/// Nanoseconds since 1970; the same in the whole callback.
pub(super) fn now_ns() -> u64 {
    let now_ns = NOW_NS.get().unwrap_or_else(abi::now_ns);
    NOW_NS.set(Some(now_ns));
    now_ns
}
