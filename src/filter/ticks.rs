//! How often this VM's root ticks: each second, and more often while a probe waits for its response, because the end of that
//! wait lets the next request through.

use std::cell::Cell;

use super::abi;
use crate::poll;

/// The time between two looks at a probe.
const PROBE_MS: u32 = 50;

thread_local! {
    static IS_HURRIED: Cell<bool> = const { Cell::new(false) };
}

/// The usual ticks begin.
pub(super) fn begin() {
    abi::set_tick_period(poll::TICK_MS);
}

/// A probe waits, or none does any more.
pub(super) fn hurry(is_probing: bool) {
    if IS_HURRIED.replace(is_probing) != is_probing {
        abi::set_tick_period(if is_probing { PROBE_MS } else { poll::TICK_MS });
    }
}
