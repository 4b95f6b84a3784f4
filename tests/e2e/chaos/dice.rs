//! Chance that comes again: the same seed throws the same numbers, on whichever thread.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

/// A generator (SplitMix64) for one purpose.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(purpose: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        purpose.hash(&mut hasher);
        Self(hasher.finish())
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.throw() % limit
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A seed of this moment.
pub(super) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    u64::try_from(now.as_micros()).expect("a time before 586524")
}
