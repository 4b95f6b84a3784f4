//! How often this VM's root ticks: each second, and more often while a probe waits for its response, because the end of that
//! wait lets the next request through, or while the first keys have not come.

use std::cell::Cell;

use super::abi;
use crate::keys::feed::QUICK_TICK_MS;
use crate::poll::TICK_MS;

thread_local! {
    static IS_PROBING: Cell<bool> = const { Cell::new(false) };
    static WAITS_FOR_KEYS: Cell<bool> = const { Cell::new(false) };
    static PERIOD_MS: Cell<u32> = const { Cell::new(0) };
}

/// A root begins to tick.
pub(super) fn begin(waits_for_keys: bool) {
    WAITS_FOR_KEYS.set(waits_for_keys);
    PERIOD_MS.set(0);
    adjust();
}

/// A probe waits for its response, or none does any more.
pub(super) fn set_probing(is_probing: bool) {
    IS_PROBING.set(is_probing);
    adjust();
}

/// The keys have come, or have not come for too long.
pub(super) fn end_wait_for_keys() {
    WAITS_FOR_KEYS.set(false);
    adjust();
}

fn adjust() {
    let is_quick = IS_PROBING.get() || WAITS_FOR_KEYS.get();
    let period_ms = if is_quick { QUICK_TICK_MS } else { TICK_MS };
    if PERIOD_MS.replace(period_ms) != period_ms {
        abi::set_tick_period(period_ms);
    }
}
