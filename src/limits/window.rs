//! The windows of budgets: when each begins and ends. All in UTC.

const DAY_SECS: u64 = 86_400;

/// For how long a budget counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Window {
    Day,
    /// From Monday on.
    Week,
    /// Of the calendar.
    Month,
    /// For ever.
    #[default]
    Total,
}

/// One window: the 3rd of May, or the week of the 5th.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Period {
    pub window: Window,
    /// In seconds since 1970; 0 for [`Window::Total`].
    pub start_secs: u64,
}

impl Window {
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Total];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// The window with this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == text)
    }

    /// The byte for it in records.
    pub fn code(self) -> u8 {
        match self {
            Self::Day => 0,
            Self::Week => 1,
            Self::Month => 2,
            Self::Total => 3,
        }
    }

    /// The window with this byte.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.code() == code)
    }

    /// The window that a time is in.
    pub fn at(self, now_secs: u64) -> Period {
        let day = now_secs / DAY_SECS;
        let start_day = match self {
            Self::Total => 0,
            Self::Day => day,
            // 1970 began on a Thursday.
            Self::Week => day.saturating_sub(day.saturating_add(3) % 7),
            Self::Month => day.saturating_sub(day_of_month(day)),
        };
        Period { window: self, start_secs: start_day.saturating_mul(DAY_SECS) }
    }
}

impl Period {
    /// When the window ends, in seconds since 1970; `None` for never.
    pub fn end_secs(self) -> Option<u64> {
        let days = match self.window {
            Window::Total => return None,
            Window::Day => 1,
            Window::Week => 7,
            Window::Month => days_of_month(self.start_secs / DAY_SECS),
        };
        Some(self.start_secs.saturating_add(DAY_SECS.saturating_mul(days)))
    }

    /// As text, of letters and digits.
    pub fn to_text(self) -> String {
        format!("{}{}", self.window.as_str(), self.start_secs)
    }

    /// Reads such a text.
    pub fn from_text(text: &str) -> Option<Self> {
        let digits = text.find(|letter: char| letter.is_ascii_digit())?;
        let (word, start_secs) = text.split_at_checked(digits)?;
        Some(Self { window: Window::parse(word)?, start_secs: start_secs.parse().ok()? })
    }

    /// The window in force now: the window of now, unless the clock was set back into the window before.
    pub(super) fn in_force(self, window: Window, now_secs: u64) -> Self {
        let now = window.at(now_secs);
        let was_set_back =
            window == self.window && now.end_secs().is_some_and(|end| end == self.start_secs);
        if was_set_back { self } else { now }
    }
}

/// The day's place in its month, from 0. The calendar of Howard Hinnant's `civil_from_days`.
fn day_of_month(day: u64) -> u64 {
    let of_era = day.saturating_add(719_468) % 146_097;
    let year_of_era = (of_era
        .saturating_sub(of_era / 1_460)
        .saturating_add(of_era / 36_524)
        .saturating_sub(of_era / 146_096))
        / 365;
    let before = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era / 4)
        .saturating_sub(year_of_era / 100);
    let of_year = of_era.saturating_sub(before);
    let month_from_march = of_year.saturating_mul(5).saturating_add(2) / 153;
    of_year.saturating_sub(month_from_march.saturating_mul(153).saturating_add(2) / 5)
}

/// How many days the month has that begins on this day.
fn days_of_month(first: u64) -> u64 {
    (28..31).find(|days| day_of_month(first.saturating_add(*days)) == 0).unwrap_or(31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::date;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// 2026-11-29T16:00:00Z, a Sunday.
    const SUNDAY: u64 = 1_795_968_000;

    fn bounds(window: Window, now_secs: u64) -> (String, Option<String>) {
        let period = window.at(now_secs);
        (date::format(period.start_secs), period.end_secs().map(date::format))
    }

    fn expect(window: Window, now_secs: u64, start: &str, end: &str) {
        let day = |text: &str| format!("{text}T00:00:00Z");
        assert_eq!(bounds(window, now_secs), (day(start), Some(day(end))), "{window:?} {now_secs}");
    }

    #[test]
    fn a_window_begins_and_ends_at_midnight() {
        expect(Window::Day, SUNDAY, "2026-11-29", "2026-11-30");
        expect(Window::Week, SUNDAY, "2026-11-23", "2026-11-30");
        expect(Window::Month, SUNDAY, "2026-11-01", "2026-12-01");
        assert_eq!(bounds(Window::Total, SUNDAY), ("1970-01-01T00:00:00Z".to_owned(), None));
    }

    #[test]
    fn the_last_second_is_in_the_window_and_the_next_is_not() {
        // 2026-11-30T00:00:00Z, a Monday; 2026-12-01; 2027-01-01, a Friday.
        let (monday, december, year) = (1_795_996_800, 1_796_083_200, 1_798_761_600);
        expect(Window::Day, monday - 1, "2026-11-29", "2026-11-30");
        expect(Window::Day, monday, "2026-11-30", "2026-12-01");
        expect(Window::Week, monday - 1, "2026-11-23", "2026-11-30");
        expect(Window::Week, monday, "2026-11-30", "2026-12-07");
        expect(Window::Month, december - 1, "2026-11-01", "2026-12-01");
        expect(Window::Month, december, "2026-12-01", "2027-01-01");
        expect(Window::Month, year - 1, "2026-12-01", "2027-01-01");
        expect(Window::Week, year, "2026-12-28", "2027-01-04");
    }

    #[test]
    fn february_is_as_long_as_the_calendar_says() {
        for (now_secs, start, end) in [
            (951_782_400, "2000-02-01", "2000-03-01"),
            (1_709_251_199, "2024-02-01", "2024-03-01"),
            (1_677_610_602, "2023-02-01", "2023-03-01"),
            (4_107_542_399, "2100-02-01", "2100-03-01"),
            (4_107_542_400, "2100-03-01", "2100-04-01"),
        ] {
            expect(Window::Month, now_secs, start, end);
        }
    }

    #[test]
    fn every_day_of_two_centuries_is_in_one_month_and_in_one_week() {
        let (mut month, mut week) = (Window::Month.at(0), Window::Week.at(7 * DAY_SECS));
        for day in 11..73_000 {
            let now_secs = day * DAY_SECS;
            for (window, before) in [(Window::Month, &mut month), (Window::Week, &mut week)] {
                let own = window.at(now_secs);
                let is_next =
                    before.end_secs() == Some(own.start_secs) && own.start_secs == now_secs;
                assert!(own == *before || is_next, "{window:?} {day}: {own:?} after {before:?}");
                assert!(own.end_secs().is_some_and(|end| now_secs < end));
                *before = own;
            }
        }
    }

    /// Time since 1970 has no leap seconds: the second before midnight comes twice, or the clock is set back by one.
    #[test]
    fn a_leap_second_neither_skips_a_window_nor_repeats_one() {
        // 2017-01-01, and a week that begins at midnight as a leap second would end: 2018-01-01, a Monday.
        let (year, monday) = (1_483_228_800, 1_514_764_800);
        for (window, midnight) in [
            (Window::Day, year),
            (Window::Month, year),
            (Window::Week, monday),
            (Window::Day, monday),
        ] {
            let old = window.at(midnight - 1);
            let new = old.in_force(window, midnight);
            assert_eq!(new.start_secs, midnight, "{window:?}");
            assert_eq!(new.in_force(window, midnight - 1), new, "the clock repeats the second");
            assert_eq!(new.in_force(window, midnight), new);
        }
        // In the midst of a week the leap second is a second as others are.
        let week = Window::Week.at(year - 1);
        assert_eq!(week.in_force(Window::Week, year), week);
        assert_eq!(week.in_force(Window::Week, year - 1), week);
    }

    #[test]
    fn a_clock_that_is_set_back_into_the_window_before_keeps_the_window() {
        let day = Window::Day.at(SUNDAY);
        assert_eq!(day.in_force(Window::Day, SUNDAY - DAY_SECS), day);
        let back = SUNDAY - 2 * DAY_SECS;
        assert_eq!(day.in_force(Window::Day, back), Window::Day.at(back));
        let month = Window::Month.at(SUNDAY);
        assert_eq!(month.in_force(Window::Month, SUNDAY - 31 * DAY_SECS), month);
        assert_eq!(month.in_force(Window::Week, SUNDAY), Window::Week.at(SUNDAY), "another window");
        let total = Window::Total.at(SUNDAY);
        assert_eq!(total.in_force(Window::Total, 0), total);
    }

    #[test]
    fn words_and_bytes_name_a_window() {
        for window in Window::ALL {
            assert_eq!(Window::parse(window.as_str()), Some(window));
            assert_eq!(Window::of_code(window.code()), Some(window));
            let period = window.at(SUNDAY);
            assert_eq!(Period::from_text(&period.to_text()), Some(period));
        }
        assert_eq!((Window::parse("year"), Window::of_code(4)), (None, None));
        for other in ["", "day", "5", "year5", "day5x", "day-5"] {
            assert_eq!(Period::from_text(other), None, "{other}");
        }
    }
}
