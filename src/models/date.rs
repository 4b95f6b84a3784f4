//! Seconds since 1970 in RFC 3339, as Anthropic writes them: `2025-02-19T00:00:00Z`.

const DAY_SECS: u64 = 86_400;

/// 9999-12-31T23:59:59Z: every later year has five digits.
const LAST_SECS: u64 = 253_402_300_799;

/// Writes a time. A time after `LAST_SECS` becomes the epoch.
pub fn format(secs: u64) -> String {
    let secs = if secs > LAST_SECS { 0 } else { secs };
    let (mut day, mut year, mut month) = (secs / DAY_SECS, 1970_u64, 1_u64);
    while let Some(rest) = day.checked_sub(year_days(year)) {
        (day, year) = (rest, year.saturating_add(1));
    }
    while let Some(rest) = day.checked_sub(month_days(year, month)) {
        (day, month) = (rest, month.saturating_add(1));
    }
    let day = day.saturating_add(1);
    let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
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
    fn known_dates_are_written() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_677_610_602, "2023-02-28T18:56:42Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_739_923_200, "2025-02-19T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST_SECS, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(format(secs), text);
        }
        assert_eq!(format(LAST_SECS + 1), "1970-01-01T00:00:00Z");
    }
}
