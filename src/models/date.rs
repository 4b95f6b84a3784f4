//! Seconds since 1970 in RFC 3339, as Anthropic writes it: `2025-02-19T00:00:00Z`.

const DAY_SECS: u64 = 86_400;

/// 9999-12-31T23:59:59Z: behind it a year has five digits.
const LAST: u64 = 253_402_300_799;

/// How a time is written, `0` for a digit.
const SHAPE: [u8; 20] = *b"0000-00-00T00:00:00Z";

/// Writes a time; one that cannot be written is the epoch.
pub(super) fn format(secs: u64) -> [u8; 20] {
    let secs = if secs > LAST { 0 } else { secs };
    let (mut day, mut year, mut month) = (secs / DAY_SECS, 1970_u64, 1_u64);
    while let Some(rest) = day.checked_sub(year_days(year)) {
        (day, year) = (rest, year.saturating_add(1));
    }
    while let Some(rest) = day.checked_sub(month_days(year, month)) {
        (day, month) = (rest, month.saturating_add(1));
    }
    let day = day.saturating_add(1);
    let parts = [year, month, day, secs / 3600 % 24, secs / 60 % 60, secs % 60];
    // All digits in a row; they go in from behind.
    let mut digits =
        parts.iter().fold(0_u64, |digits, part| digits.wrapping_mul(100).wrapping_add(*part));
    let mut text = SHAPE;
    for byte in text.iter_mut().rev().filter(|byte| **byte == b'0') {
        *byte = b"0123456789".get((digits % 10) as usize).copied().unwrap_or(b'0');
        digits /= 10;
    }
    text
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
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(format(secs), *text.as_bytes());
        }
        assert_eq!(format(LAST + 1), *b"1970-01-01T00:00:00Z");
    }
}
