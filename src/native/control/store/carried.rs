//! What was spent elsewhere and counts against a budget here.

use crate::limits::{Known, Limits, Period, Terms};
use crate::native::database::{DatabaseError, Row};

/// What was spent elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// In nano-dollars.
    pub nanos: u64,
    /// When that was seen to change, in seconds since 1970.
    pub at_secs: u64,
}

impl Carried {
    /// Reads two columns, of which `first` is the first.
    pub(super) fn read(row: &Row, first: usize) -> Result<Self, DatabaseError> {
        let number = |place| row.get::<i64>(place).map(i64::unsigned_abs);
        Ok(Self { nanos: number(first)?, at_secs: number(first + 1)? })
    }

    /// What of this counts in a period, in nano-dollars.
    pub(crate) fn within(self, period: Period) -> u64 {
        if period.window.at(self.at_secs) == period { self.nanos } else { 0 }
    }

    /// The terms of limits: what was carried counts in the window in which it was seen to change.
    pub(super) fn terms(self, limits: Limits) -> Terms {
        let window = limits.budget.map(|budget| budget.window);
        let known = window
            .filter(|_| self.nanos > 0)
            .map(|window| Known { period: window.at(self.at_secs), spent_nanos: self.nanos });
        Terms { limits, known }
    }
}
