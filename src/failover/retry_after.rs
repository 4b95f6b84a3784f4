//! How long a provider asks to be left alone.
//!
//! | header | seconds |
//! |---|---|
//! | `x-should-retry: false` | [`NEVER`]: the provider says that another attempt cannot help |
//! | `retry-after`, else `llm_provider-retry-after`, in which LiteLLM passes on what its provider has said: a number, whole or not | the number, rounded up |
//! | the same: a date (RFC 9110, section 5.6.7) | those until then; 0 for a date that has passed |
//! | `retry-after-ms`, where none of these can be read: a number, whole or not | the thousandth part, rounded up |
//! | none of these headers | none |
//! | anything else | [`NEVER`]: who asks for time must not be asked at once |

/// Longer than any wait: the same provider gets no further attempt.
pub const NEVER: u64 = u64::MAX;

const DAY_SECS: u64 = 86_400;

/// The months of a date, three letters each.
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// Reads the wait by the table above, in seconds; `header` gives a header's value, which is empty where there is none.
pub fn wait_secs(header: impl Fn(&str) -> Vec<u8>, now_ms: u64) -> Option<u64> {
    if header("x-should-retry").eq_ignore_ascii_case(b"false") {
        return Some(NEVER);
    }
    let mut is_said = false;
    for name in ["retry-after", "llm_provider-retry-after", "retry-after-ms"] {
        let value = header(name);
        let value = value.trim_ascii();
        let divisor = if name == "retry-after-ms" { 1000 } else { 1 };
        let until = || Some(date_secs(value)?.saturating_sub(now_ms / 1000));
        if let Some(secs) = number(value).map(|number| number.div_ceil(divisor)).or_else(until) {
            return Some(secs);
        }
        is_said |= !value.is_empty();
    }
    is_said.then_some(NEVER)
}

/// A decimal number, rounded up; `None` for any other text. A number that is too long becomes the largest.
#[inline(never)]
fn number(text: &[u8]) -> Option<u64> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (text.get(..point)?, text.get(point.saturating_add(1)..)?),
        None => (text, &b""[..]),
    };
    let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let digit = |number: u64, byte: &u8| {
        number.saturating_mul(10).saturating_add(u64::from(byte.saturating_sub(b'0')))
    };
    let more = u64::from(fraction.iter().any(|byte| *byte != b'0'));
    Some(whole.iter().fold(0, digit).saturating_add(more))
}

/// The seconds from 1970 to a date such as `Wed, 21 Oct 2099 07:28:00 GMT`.
fn date_secs(text: &[u8]) -> Option<u64> {
    let at = |start: usize, length: usize| number(text.get(start..start.checked_add(length)?)?);
    let month = text.get(8..11)?;
    if text.len() != 29 || !text.ends_with(b" GMT") {
        return None;
    }
    let month = MONTHS.chunks_exact(3).position(|name| name == month)?.checked_add(1)?;
    let (day, year) = (at(5, 2)?, at(12, 4)?);
    let (hour, minute, second) = (at(17, 2)?, at(20, 2)?, at(23, 2)?);
    let of_day = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?;
    let days = days(year, u64::try_from(month).ok()?, day)?;
    days.checked_mul(DAY_SECS)?.checked_add(of_day)?.checked_add(second)
}

/// The days from 1970 to a date of the Gregorian calendar, `None` for a day before.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // A year that begins in March ends with the day that not every year has.
    let (year, month) = match month {
        1 | 2 => (year.checked_sub(1)?, month.checked_add(9)?),
        _ => (year, month.checked_sub(3)?),
    };
    let leaps = (year / 4).checked_sub(year / 100)?.checked_add(year / 400)?;
    let in_year = month.checked_mul(153)?.checked_add(2)? / 5;
    let before = year.checked_mul(365)?.checked_add(leaps)?;
    // The days from 1 March of the year 0 to 1 January 1970, and the first day of a month is number 1.
    before.checked_add(in_year)?.checked_add(day)?.checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// 2026-10-21T07:28:00Z.
    const NOW_MS: u64 = 1_792_567_680_000;

    fn wait(headers: &[(&str, &str)]) -> Option<u64> {
        let value = |name: &str| {
            let of_name = headers.iter().find(|(known, _)| *known == name);
            of_name.map_or_else(Vec::new, |(_, value)| value.as_bytes().to_vec())
        };
        wait_secs(value, NOW_MS)
    }

    #[test]
    fn reads_every_form_of_retry_after() {
        for (value, expected) in [
            ("3", 3),
            (" 3 ", 3),
            ("0", 0),
            ("1.5", 2),
            ("25.7", 26),
            ("2.0", 2),
            ("2.", 2),
            ("99999999999999999999999", u64::MAX),
            ("Wed, 21 Oct 2026 07:28:07 GMT", 7),
            ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
            ("Thu, 22 Oct 2026 07:28:00 GMT", 86_400),
            ("Wed, 21 Oct 2099 07:28:00 GMT", 2_303_683_200),
            ("Tue, 29 Feb 2028 00:00:00 GMT", 42_827_520),
            // What cannot be read is longer than any wait.
            ("-1", NEVER),
            ("soon", NEVER),
            (".5", NEVER),
            ("1.5s", NEVER),
            ("1e3", NEVER),
            ("Wed, 21 Xxx 2099 07:28:00 GMT", NEVER),
            ("Wed, 21 Oct 2099 07:28:00 CET", NEVER),
            ("Wed, 21 Oct 99 07:28:00 GMT..", NEVER),
            ("Wednesday, 21-Oct-99 07:28:00 GMT", NEVER),
        ] {
            assert_eq!(wait(&[("retry-after", value)]), Some(expected), "{value}");
        }
    }

    #[test]
    fn reads_the_other_headers() {
        for (headers, expected) in [
            (&[][..], None),
            (&[("retry-after", "")], None),
            (&[("retry-after-ms", "1200")], Some(2)),
            (&[("retry-after-ms", "60000.5")], Some(61)),
            (&[("retry-after-ms", "soon")], Some(NEVER)),
            (&[("retry-after", "3"), ("retry-after-ms", "9000")], Some(3)),
            (&[("retry-after", "soon"), ("retry-after-ms", "9000")], Some(9)),
            (&[("llm_provider-retry-after", "7")], Some(7)),
            (&[("retry-after", "3"), ("llm_provider-retry-after", "7")], Some(3)),
            (&[("x-should-retry", "true")], None),
            (&[("x-should-retry", "true"), ("retry-after", "3")], Some(3)),
            (&[("x-should-retry", "false")], Some(NEVER)),
            (&[("x-should-retry", "False"), ("retry-after", "0")], Some(NEVER)),
        ] {
            assert_eq!(wait(headers), expected, "{headers:?}");
        }
    }
}
