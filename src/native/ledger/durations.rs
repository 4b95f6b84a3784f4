//! How long answers took, by day: a histogram of each day, of which percentiles of any number of days are read.
//!
//! A bucket is a sixteenth of a power of two, so that a percentile is at most 1/16 above the truth and a day has some hundred
//! rows at most, whatever its traffic. Below 16 ms each millisecond has a bucket of its own.

use std::collections::BTreeMap;

use serde::Serialize;

use super::day::Day;
use super::schema::Ledger;
use crate::native::database::{Connection, DatabaseError, Row, values};
use crate::usage::{Basis, Settlement};

/// Buckets for each power of two, as a power of two.
const PRECISION: u32 = 4;

/// The number of a bucket; a larger number is a longer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bucket(u64);

/// Half of the answers, and nineteen of twenty, took at most this long. `None` without an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    pub median_ms: Option<u64>,
    pub slow_ms: Option<u64>,
}

/// Answers by day and duration; a negative number takes answers away.
#[derive(Debug, Default)]
pub(super) struct Durations(BTreeMap<(Day, Bucket), i64>);

impl Bucket {
    fn of_ms(ms: u64) -> Self {
        match ms.checked_ilog2() {
            Some(power) if power >= PRECISION => {
                let place = (ms >> (power - PRECISION)) - (1 << PRECISION);
                Self((u64::from(power - PRECISION + 1) << PRECISION) + place)
            }
            _ => Self(ms),
        }
    }

    /// The longest time of the bucket.
    fn most_ms(self) -> u64 {
        let Self(number) = self;
        match (number >> PRECISION).checked_sub(1) {
            None => number,
            Some(shift) => {
                let next = (number & ((1 << PRECISION) - 1)) + (1 << PRECISION) + 1;
                u64::try_from((u128::from(next) << shift) - 1).unwrap_or(u64::MAX)
            }
        }
    }
}

impl Durations {
    /// Adds an attempt, or takes the attempt away. An attempt without an answer, or whose end is not known, has no duration.
    pub(super) fn note(&mut self, settlement: &Settlement, sign: i64) {
        if settlement.basis.has_duration() {
            let day = Day::of_ms(settlement.admission.begun_ms);
            *self.0.entry((day, Bucket::of_ms(settlement.duration_ms))).or_default() += sign;
        }
    }

    /// Adds all to the ledger.
    pub(super) fn add(&self, transaction: &Connection) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO durations (day, bucket, answers) VALUES (?1, ?2, ?3)
            ON CONFLICT (day, bucket) DO UPDATE SET answers = durations.answers + excluded.answers";
        let row = |((day, bucket), answers): (&(Day, Bucket), &i64)| {
            values![day.to_string(), bucket.0, *answers].to_vec()
        };
        transaction.execute_each(sql, self.0.iter().map(row).collect()).map(drop)
    }
}

impl Basis {
    pub(super) fn has_duration(self) -> bool {
        !matches!(self, Self::Failed | Self::Lost)
    }
}

impl Ledger {
    /// How long the answers of these days took.
    pub fn durations(&self, since: Day, until: Day) -> Result<Percentiles, DatabaseError> {
        let sql =
            "SELECT bucket, CAST(sum(answers) AS BIGINT) FROM durations WHERE day BETWEEN ?1 AND ?2
            GROUP BY bucket ORDER BY bucket";
        let rows = self.connection.query(sql, values![since.to_string(), until.to_string()])?;
        let bucket = |row: &Row| Ok((Bucket(row.get(0)?), row.get(1)?));
        Ok(Percentiles::of(&rows.iter().map(bucket).collect::<Result<Vec<_>, DatabaseError>>()?))
    }
}

impl Percentiles {
    fn of(buckets: &[(Bucket, u64)]) -> Self {
        Self { median_ms: share(buckets, 50), slow_ms: share(buckets, 95) }
    }

    /// Of answers that took these times, in milliseconds.
    pub(super) fn of_times(times: impl Iterator<Item = u64>) -> Self {
        let mut counts = BTreeMap::new();
        times.for_each(|ms| *counts.entry(Bucket::of_ms(ms)).or_default() += 1);
        Self::of(&counts.into_iter().collect::<Vec<_>>())
    }
}

/// The percentile of counts in the order of their buckets, by the nearest rank.
fn share(buckets: &[(Bucket, u64)], percent: u64) -> Option<u64> {
    let all: u64 = buckets.iter().map(|(_, answers)| answers).sum();
    let mut left = all.saturating_mul(percent).div_ceil(100);
    for (bucket, answers) in buckets {
        match left.checked_sub(*answers) {
            Some(more) if more > 0 => left = more,
            _ if *answers > 0 => return Some(bucket.most_ms()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_times_that_differ_by_at_most_a_sixteenth() {
        let edges = (4..63).flat_map(|power| [(1_u64 << power) - 1, 1 << power, (1 << power) + 1]);
        for ms in (0..5000).chain(edges).chain([u64::MAX]) {
            let bucket = Bucket::of_ms(ms);
            let most = bucket.most_ms();
            assert!(most >= ms && most - ms <= ms / 16, "{ms} is in a bucket up to {most}");
            assert_eq!(Bucket::of_ms(most), bucket, "{ms}");
            assert!(Bucket::of_ms(ms.saturating_add(1)) >= bucket, "{ms}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let of = |times: &[u64]| {
            let found = Percentiles::of_times(times.iter().copied());
            (found.median_ms, found.slow_ms)
        };
        assert_eq!(of(&[]), (None, None));
        assert_eq!(of(&[7]), (Some(7), Some(7)));
        assert_eq!(of(&[3, 9]), (Some(3), Some(9)));
        let twenty: Vec<u64> = (1..=20).collect();
        assert_eq!(of(&twenty), (Some(10), Some(19)));
        assert_eq!(of(&[1000]), (Some(1023), Some(1023)));
    }

    /// What was taken away is as if it had never been there.
    #[test]
    fn a_bucket_that_is_empty_again_is_no_answer() {
        assert_eq!(share(&[(Bucket(0), 0), (Bucket(7), 1)], 50), Some(7));
        assert_eq!(share(&[(Bucket(7), 1), (Bucket(9), 0)], 95), Some(7));
        assert_eq!(share(&[(Bucket(0), 0)], 50), None);
    }
}
