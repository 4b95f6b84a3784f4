//! How the deployments do, as one worker sees them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hashbrown::HashMap;

use super::group::Load;

/// How long a measured time counts. A deployment that gets no requests for so long is measured again.
const MEASURED_MS: u64 = 60_000;

/// A new time is one of this many parts of the mean.
const PARTS: u64 = 8;

/// The most deployments that are kept: a configuration that has changed leaves its deployments here.
const KEPT_MAX: usize = 4096;

/// The loads of deployments, by their [`digest`](super::group::digest).
#[derive(Debug, Default)]
pub struct Loads(RefCell<HashMap<u64, Rc<Counts>>>);

#[derive(Debug, Default)]
struct Counts {
    under_way: Cell<u32>,
    answer_ms: Cell<u32>,
    measured_ms: Cell<u64>,
}

/// A request under way. When it is dropped, the deployment has one request less.
#[derive(Debug)]
pub struct UnderWay(Rc<Counts>);

impl Loads {
    /// How a deployment does.
    pub fn of(&self, deployment: u64, now_ms: u64) -> Load {
        let counts = self.0.borrow();
        let Some(counts) = counts.get(&deployment) else { return Load::default() };
        let is_known = now_ms.saturating_sub(counts.measured_ms.get()) < MEASURED_MS;
        let answer_ms = if is_known { counts.answer_ms.get() } else { 0 };
        Load { under_way: counts.under_way.get(), answer_ms, is_spent: false }
    }

    /// A request begins.
    pub fn begin(&self, deployment: u64) -> UnderWay {
        let mut all = self.0.borrow_mut();
        if all.len() >= KEPT_MAX {
            all.retain(|_, counts| counts.under_way.get() > 0);
        }
        let counts = Rc::clone(all.entry(deployment).or_default());
        counts.under_way.set(counts.under_way.get().saturating_add(1));
        UnderWay(counts)
    }
}

impl UnderWay {
    /// The answer has begun, after this time.
    pub fn answered(&self, after_ms: u64, now_ms: u64) {
        let counts = &self.0;
        let is_known = now_ms.saturating_sub(counts.measured_ms.get()) < MEASURED_MS;
        let before = u64::from(counts.answer_ms.get());
        let mean = if is_known && before > 0 {
            let parts = before.saturating_mul(PARTS.saturating_sub(1));
            parts.saturating_add(after_ms) / PARTS
        } else {
            after_ms
        };
        counts.answer_ms.set(u32::try_from(mean.max(1)).unwrap_or(u32::MAX));
        counts.measured_ms.set(now_ms);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_request_counts_until_it_is_dropped() {
        let loads = Loads::default();
        let busy = |now_ms| loads.of(1, now_ms).under_way;
        assert_eq!(busy(0), 0);
        let (one, two) = (loads.begin(1), loads.begin(1));
        assert_eq!((busy(0), loads.of(2, 0).under_way), (2, 0));
        drop(one);
        assert_eq!(busy(0), 1);
        drop(two);
        assert_eq!(busy(0), 0);
    }

    #[test]
    fn a_time_is_a_mean_and_is_forgotten() {
        let loads = Loads::default();
        let request = loads.begin(1);
        request.answered(800, 10);
        assert_eq!(loads.of(1, 10).answer_ms, 800);
        request.answered(0, 20);
        assert_eq!(loads.of(1, 20).answer_ms, 700);
        assert_eq!(loads.of(1, 60_019).answer_ms, 700);
        assert_eq!(loads.of(1, 60_020).answer_ms, 0);
        request.answered(0, 70_000);
        assert_eq!(loads.of(1, 70_000).answer_ms, 1, "a time that is known is not 0");
    }
}
