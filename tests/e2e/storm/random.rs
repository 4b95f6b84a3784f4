//! Random numbers that a seed repeats.

/// A generator (Steele et al., "Fast splittable pseudorandom number generators", SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
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
