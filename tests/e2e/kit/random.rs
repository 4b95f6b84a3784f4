//! Random numbers that a seed repeats: the only source of chance in these tests.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

/// A generator (Steele et al., "Fast splittable pseudorandom number generators", SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator for one purpose: for the same purpose it gives the same numbers, on any thread.
    pub(crate) fn of(purpose: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        purpose.hash(&mut hasher);
        Self(hasher.finish())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// True once in `count` times.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Random bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// Changes one to four bytes: other ones, fewer, more, or a piece twice.
    pub(crate) fn mutate(&mut self, bytes: &mut Vec<u8>, alphabet: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                _ if bytes.is_empty() => bytes.push(*self.pick(alphabet)),
                0 | 1 => bytes[at] = *self.pick(alphabet),
                2 => drop(bytes.remove(at)),
                3 => bytes.insert(at, *self.pick(alphabet)),
                4 => bytes.truncate(at),
                _ => {
                    let end = (at + 1 + self.below(24)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let place = self.below(bytes.len());
                    bytes.splice(place..place, piece);
                }
            }
        }
    }
}

/// The number that an environment variable holds, to shorten a run or to repeat its seed.
pub(crate) fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The seed that an environment variable holds, or a seed of this moment.
pub(crate) fn seed(name: &str) -> u64 {
    variable(name).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
        u64::try_from(now.as_micros()).expect("a time before 586524")
    })
}
