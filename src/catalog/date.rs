//! Seconds since 1970 and RFC 3339, as Anthropic writes it: `2025-02-19T00:00:00Z`.

const DAY_SECS: u64 = 86_400;

/// 9999-12-31T23:59:59Z: behind it a year has five digits.
const LAST: u64 = 253_402_300_799;

/// Writes a time; one that cannot be written is the epoch.
pub(super) fn format(secs: u64) -> String {
    let secs = if secs > LAST { 0 } else { secs };
    let (mut day, mut year, mut month) = (secs / DAY_SECS, 1970_u64, 1_u64);
    while let Some(rest) = day.checked_sub(year_days(year)) {
        (day, year) = (rest, year.saturating_add(1));
    }
    while let Some(rest) = day.checked_sub(month_days(year, month)) {
        (day, month) = (rest, month.saturating_add(1));
    }
    let (day, hour) = (day.saturating_add(1), secs / 3600 % 24);
    let (minute, second) = (secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads a time in UTC; parts of a second do not count.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let ([year, month, day], [hour, minute, second]) = (three(date, '-')?, three(time, ':')?);
    let good = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=month_days(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !good {
        return None;
    }
    let years = (1970..year).map(year_days);
    let months = (1..month).map(|month| month_days(year, month));
    let days = years.chain(months).sum::<u64>().checked_add(day)?.checked_sub(1)?;
    let parts = [(days, DAY_SECS), (hour, 3600), (minute, 60), (second, 1)];
    Some(parts.map(|(count, secs)| count.saturating_mul(secs)).iter().sum())
}

fn three(text: &str, divider: char) -> Option<[u64; 3]> {
    let mut parts = text.split(divider).map(|part| part.parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_days(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn known_dates_are_written_and_read() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_677_610_602, "2023-02-28T18:56:42Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_739_923_200, "2025-02-19T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(format(secs), text);
            assert_eq!(parse(text), Some(secs), "{text}");
        }
        assert_eq!(format(LAST + 1), "1970-01-01T00:00:00Z");
        assert_eq!(parse("2025-02-19T00:00:00.123Z"), Some(1_739_923_200));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2025-02-19",
            "2025-02-19T00:00:00+01:00",
            "2025-02-29T00:00:00Z",
            "1969-12-31T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "18446744073709551615-01-01T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-01-00T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:60:00Z",
            "2025-01-01T00:00:60Z",
            "2025-01-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
