//! How long answers usually are, by the ledger, for gateways whose estimates are calibrated (`limits.estimate`).

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use crate::native::database::DatabaseError;
use crate::native::ledger::{Day, Ledger};
use crate::native::lock::lock;
use crate::native::prices::Prices;

/// The days that the ledger is asked for.
const DAYS: u64 = 30;

/// Of a model with fewer answers nothing is said.
const ANSWERS_MIN: u64 = 20;

/// Tokens of an answer, by the names of prices: two to four times the mean, a power of two, so that the number seldom changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Calibration(BTreeMap<String, u64>);

impl Calibration {
    fn of(ledger: &Ledger, prices: &Prices, today: Day) -> Result<Self, DatabaseError> {
        let mut usual = BTreeMap::new();
        for answers in ledger.answers(today.before(DAYS - 1))? {
            let found = prices.find(&answers.provider, &answers.model);
            let Some(name) = found.map(|found| found.key.into_owned()) else { continue };
            if answers.count >= ANSWERS_MIN {
                let mean = answers.output.div_ceil(answers.count).max(1);
                let own: &mut u64 = usual.entry(name).or_default();
                *own = (*own).max(mean.saturating_mul(2).next_power_of_two());
            }
        }
        Ok(Self(usual))
    }

    pub(super) fn tokens(&self, name: &str) -> Option<u64> {
        self.0.get(name).copied()
    }
}

/// Tells the prices with the calibration of a day from those of another day; never 0. All control servers of one database say the
/// same, though each asks the ledger at a moment of its own.
pub(super) fn number(of_prices: u64, day: Day) -> u64 {
    let mut hasher = DefaultHasher::new();
    (of_prices, day.begins_ms()).hash(&mut hasher);
    hasher.finish().max(1)
}

/// The calibration of a day.
#[derive(Debug, Default)]
pub struct Calibrated(Mutex<Option<(Day, Arc<Calibration>)>>);

impl Calibrated {
    /// The calibration of a day. Where the ledger is away the last calibration counts.
    pub(super) fn of_day(
        &self,
        today: Day,
        prices: &Prices,
        ledger: impl FnOnce() -> Option<Ledger>,
    ) -> Arc<Calibration> {
        let mut last = lock(&self.0);
        if let Some((day, own)) = &*last
            && *day == today
        {
            return Arc::clone(own);
        }
        let read = |ledger: Ledger| Calibration::of(&ledger, prices, today).ok();
        let known = last.take().map(|(_, own)| own);
        let own = ledger().and_then(read).map(Arc::new).or(known).unwrap_or_default();
        *last = Some((today, Arc::clone(&own)));
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    use crate::native::database::testing;
    use crate::native::ledger::fill;

    /// The last day of the attempts of [`fill`].
    const NOW_SECS: i64 = 1_795_953_600;

    fn prices() -> Prices {
        Prices::of(&File::default()).unwrap()
    }

    #[test]
    fn a_model_with_enough_answers_has_two_to_four_times_their_mean() {
        testing::on_both(|databases| {
            let mut ledger = Ledger::open(databases).unwrap();
            let today = Day::of_secs(NOW_SECS);
            fill(&mut ledger, ANSWERS_MIN);
            // A third of the attempts has no answer.
            assert_eq!(Calibration::of(&ledger, &prices(), today).unwrap(), Calibration::default());
            fill(&mut ledger, 2 * ANSWERS_MIN);
            let own = Calibration::of(&ledger, &prices(), today).unwrap();
            // 4,000 tokens of 26 answers.
            assert_eq!(own.tokens("gpt-4o"), Some(512));
            assert_eq!(own.tokens("gpt-5"), None);
            let later = Calibration::of(&ledger, &prices(), today.after(DAYS)).unwrap();
            assert_eq!(later, Calibration::default(), "what is old does not count");
        });
    }

    #[test]
    fn the_ledger_is_asked_once_a_day_and_its_last_word_lasts() {
        let databases = testing::sqlite();
        let mut ledger = Ledger::open(&databases).unwrap();
        let (calibrated, prices) = (Calibrated::default(), prices());
        let today = Day::of_secs(NOW_SECS);
        let of_day = |day| calibrated.of_day(day, &prices, || Ledger::open(&databases).ok());
        let none = of_day(today);
        fill(&mut ledger, 2 * ANSWERS_MIN);
        assert_eq!(of_day(today), none);
        let some = of_day(today.after(1));
        assert_eq!(some.tokens("gpt-4o"), Some(512));
        let away = calibrated.of_day(today.after(2), &prices, || None);
        assert_eq!(away, some);
        assert_eq!(number(7, today), number(7, today));
        assert_ne!(number(7, today), number(7, today.after(1)));
        assert_ne!(number(7, today), number(8, today));
    }
}
