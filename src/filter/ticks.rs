//! How often a root ticks: each second, and more often while a probe waits for its response, because the end of that
//! wait lets the next request through, or while the first keys have not come.

use std::cell::Cell;

use super::abi;
use crate::keys::feed::QUICK_TICK_MS;
use crate::poll::TICK_MS;

/// The pace of one root. Each root of a VM has a timer of its own.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    is_probing: Cell<bool>,
    waits_for_keys: Cell<bool>,
    /// What Envoy was told last; 0 before that.
    period_ms: Cell<u32>,
}

impl Ticks {
    /// The root begins to tick.
    pub(super) fn begin(&self, waits_for_keys: bool) {
        self.waits_for_keys.set(waits_for_keys);
        self.adjust();
    }

    /// A probe waits for its response, or none does any more.
    pub(super) fn set_probing(&self, is_probing: bool) {
        self.is_probing.set(is_probing);
        self.adjust();
    }

    /// The keys have come, or have not come for too long.
    pub(super) fn end_wait_for_keys(&self) {
        self.waits_for_keys.set(false);
        self.adjust();
    }

    fn adjust(&self) {
        let is_quick = self.is_probing.get() || self.waits_for_keys.get();
        let period_ms = if is_quick { QUICK_TICK_MS } else { TICK_MS };
        if self.period_ms.replace(period_ms) != period_ms {
            abi::set_tick_period(period_ms);
        }
    }
}
