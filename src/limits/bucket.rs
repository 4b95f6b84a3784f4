//! A token bucket: what one minute allows, which fills all the time.

/// Units of one request, or of one token: a bucket of N a minute gains N units each millisecond.
const UNITS: i64 = 60_000;

/// A bucket that is further in the future than it takes to fill was written before the clock was set back.
const AHEAD_MS_MAX: u64 = 60_000;

/// How full a bucket is, and when. The default is full: a bucket of 1970 has filled since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// In units; below 0 where more was used than was there.
    pub(super) level: i64,
    /// In milliseconds since 1970.
    pub(super) at_ms: u64,
    /// What a minute allowed when something was taken last; 0 before that.
    pub(super) per_minute: u64,
}

/// What clients are told of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// What a minute allows.
    pub limit: u64,
    /// What is there now.
    pub remaining: u64,
    /// How long until the bucket is full; `None` for never.
    pub reset_ms: Option<u64>,
}

fn units(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(UNITS)
}

impl Bucket {
    /// The bucket now, where a minute allows this many.
    #[must_use]
    pub fn at(self, per_minute: u64, now_ms: u64) -> Self {
        if self.at_ms > now_ms && self.at_ms.saturating_sub(now_ms) <= AHEAD_MS_MAX {
            return Self { level: self.level.min(units(per_minute)), per_minute, ..self };
        }
        let elapsed_ms = i64::try_from(now_ms.saturating_sub(self.at_ms)).unwrap_or(i64::MAX);
        let gained = elapsed_ms.saturating_mul(i64::try_from(per_minute).unwrap_or(i64::MAX));
        let level = self.level.saturating_add(gained).min(units(per_minute));
        Self { level, at_ms: now_ms, per_minute }
    }

    /// The bucket now, as it was limited last. A bucket that was never limited stays full.
    pub(super) fn refreshed(self, now_ms: u64) -> Self {
        if self.per_minute == 0 { self } else { self.at(self.per_minute, now_ms) }
    }

    /// The bucket without `count` units; the bucket may have had fewer.
    #[must_use]
    pub fn take(self, count: u64) -> Self {
        Self { level: self.level.saturating_sub(units(count)), ..self }
    }

    /// The bucket with `count` units more, and never more than full.
    pub(super) fn give(self, count: u64) -> Self {
        let level = self.level.saturating_add(units(count));
        Self { level: level.min(units(self.per_minute)), ..self }
    }

    /// Whether the bucket has `count` units.
    pub fn has(self, count: u64) -> bool {
        self.level >= units(count)
    }

    /// How long until the bucket has `count` units; `None` for never.
    pub(super) fn wait_ms(self, count: u64, per_minute: u64) -> Option<u64> {
        let missing = u64::try_from(units(count).saturating_sub(self.level)).unwrap_or_default();
        match missing {
            0 => Some(0),
            _ if per_minute < count || per_minute == 0 => None,
            _ => Some(missing.div_ceil(per_minute)),
        }
    }

    /// What clients are told.
    pub(super) fn fill(self, per_minute: u64) -> Fill {
        let remaining = u64::try_from(self.level.div_euclid(UNITS)).unwrap_or_default();
        Fill { limit: per_minute, remaining, reset_ms: self.wait_ms(per_minute, per_minute) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW_MS: u64 = 1_795_968_000_000;

    /// How many of these requests a new bucket serves.
    fn served(per_minute: u64, arrivals_ms: impl Iterator<Item = u64>) -> u64 {
        let mut bucket = Bucket::default();
        let mut served = 0;
        for at_ms in arrivals_ms {
            let now = bucket.at(per_minute, NOW_MS.saturating_add(at_ms));
            if now.has(1) {
                bucket = now.take(1);
                served = u64::saturating_add(served, 1);
            }
        }
        served
    }

    #[test]
    fn a_bucket_serves_exactly_what_it_holds_and_what_it_gains() {
        assert_eq!(served(10, std::iter::repeat_n(0, 64)), 10);
        for (per_minute, ms, expected) in [
            (10, 5_999, 10),
            (10, 6_000, 11),
            (10, 60_000, 20),
            (60, 60_000, 120),
            (7, 60_000, 14),
            (1_000, 30_000, 1_500),
            (0, 60_000, 0),
        ] {
            assert_eq!(served(per_minute, 0..=ms), expected, "{per_minute} in {ms} ms");
        }
    }

    #[test]
    fn refused_requests_take_nothing() {
        // One a minute, asked for each millisecond: one at the beginning, and one a minute after.
        assert_eq!(served(1, 0..=59_999), 1);
        assert_eq!(served(1, 0..=180_000), 4);
    }

    #[test]
    fn the_wait_is_exact() {
        for per_minute in [1, 7, 60, 1_000] {
            let empty = Bucket { level: 0, at_ms: NOW_MS, per_minute: 0 };
            let wait_ms = empty.wait_ms(1, per_minute).unwrap();
            assert!(empty.at(per_minute, NOW_MS + wait_ms).has(1), "{per_minute}");
            assert!(!empty.at(per_minute, NOW_MS + wait_ms - 1).has(1), "{per_minute}");
        }
        assert_eq!(Bucket { level: 0, at_ms: NOW_MS, per_minute: 0 }.wait_ms(1, 0), None);
        assert_eq!(
            Bucket { level: -UNITS, at_ms: NOW_MS, per_minute: 0 }.wait_ms(1, 2),
            Some(60_000)
        );
    }

    #[test]
    fn clients_are_told_whole_numbers() {
        let bucket = Bucket::default().at(10, NOW_MS).take(1);
        let fill = Fill { limit: 10, remaining: 9, reset_ms: Some(6_000) };
        assert_eq!(bucket.fill(10), fill);
        assert_eq!(bucket.at(10, NOW_MS + 1).fill(10).reset_ms, Some(5_999));
        assert_eq!(bucket.take(12).fill(10).remaining, 0);
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_twice() {
        let taken = Bucket::default().at(10, NOW_MS).take(10);
        let back = taken.at(10, NOW_MS - 30_000);
        assert_eq!(back, taken, "the bucket waits for the clock");
        assert!(!back.at(10, NOW_MS).has(1));
        let far = taken.at(10, NOW_MS - 60_001);
        assert_eq!((far.level, far.at_ms), (0, NOW_MS - 60_001), "it fills from now on");
        assert_eq!(taken.at(5, NOW_MS).give(100).level, 5 * UNITS, "full is full");
        assert_eq!(Bucket::default().refreshed(NOW_MS), Bucket::default());
    }
}
