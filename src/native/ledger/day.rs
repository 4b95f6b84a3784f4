//! A day in UTC, as `2026-11-29`.

use std::fmt;
use std::str::FromStr;

const DAY_MS: u64 = 86_400_000;

/// Days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u64);

impl Day {
    /// The first day of all.
    pub const FIRST: Self = Self(0);

    /// The day of a time in seconds since 1970.
    pub fn of_secs(secs: i64) -> Self {
        Self::of_ms(u64::try_from(secs).unwrap_or_default().saturating_mul(1000))
    }

    /// The day of a time in milliseconds since 1970.
    pub fn of_ms(ms: u64) -> Self {
        Self(ms / DAY_MS)
    }

    /// The day that is `days` days before this day.
    #[must_use]
    pub fn before(self, days: u64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// The day that is `days` days after this day.
    #[must_use]
    pub fn after(self, days: u64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// When it begins, in milliseconds since 1970.
    pub fn begins_ms(self) -> u64 {
        self.0.saturating_mul(DAY_MS)
    }
}

impl fmt::Display for Day {
    /// Howard Hinnant's `civil_from_days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.saturating_add(719_468);
        let era = days / 146_097;
        let of_era = days % 146_097;
        let year_of_era = (of_era + of_era / 36_524 - of_era / 1_460 - of_era / 146_096) / 365;
        let of_year = of_era + year_of_era / 100 - 365 * year_of_era - year_of_era / 4;
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a day; write it as 2026-11-29");
        let parts: Vec<u64> =
            text.split('-').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let &[year @ 1970..=9999, month @ 1..=12, day @ 1..=31] = parts.as_slice() else {
            return Err(wrong());
        };
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let before = year * 365 + year / 4 - year / 100 + year / 400;
        let days = Self((before + (153 * month + 2) / 5 + day - 1).saturating_sub(719_468));
        if days.to_string() == text { Ok(days) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_and_read() {
        for (ms, text) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_709_251_199_999, "2024-02-29"),
            (1_764_374_400_000, "2025-11-29"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(Day::of_ms(ms).to_string(), text);
            assert_eq!(text.parse(), Ok(Day::of_ms(ms)));
        }
        for text in ["", "2026-02-29", "2026-13-01", "2026-1-1", "x", "1969-12-31", "2026-11"] {
            assert_eq!(
                text.parse::<Day>(),
                Err(format!("{text:?} is not a day; write it as 2026-11-29"))
            );
        }
        assert_eq!(Day::of_ms(951_782_400_000).before(1).to_string(), "2000-02-28");
        assert_eq!(Day::of_ms(951_782_400_000).after(1).to_string(), "2000-03-01");
    }
}
