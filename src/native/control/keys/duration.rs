//! Lengths of time as people write them: `90s`, `15m`, `12h`, `30d`, `2w`, `1mo`.

/// In seconds; a month has 30 days.
///
/// # Errors
/// The text is not such a length, or is longer than a hundred years.
pub fn parse(text: &str) -> Result<i64, String> {
    const LONGEST_SECS: i64 = 100 * 365 * 86_400;
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, unit) = text.split_at(digits);
    let unit_secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "mo" => 30 * 86_400,
        _ => 0,
    };
    let secs = count.parse::<i64>().ok().and_then(|count| count.checked_mul(unit_secs));
    secs.filter(|secs| (1..=LONGEST_SECS).contains(secs)).ok_or_else(|| {
        format!(
            "\"{}\" is not a length of time; write a number and s, m, h, d, w or mo, as in \"30d\"",
            text.escape_default()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, secs) in [
            ("90s", 90),
            ("15m", 900),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
            ("1mo", 2_592_000),
        ] {
            assert_eq!(parse(text), Ok(secs), "{text}");
        }
        for text in
            ["", "d", "30", "0d", "-1d", "1.5h", "30 d", "1y", "99999999999999999999d", "3652425d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        let said =
            "\"x\" is not a length of time; write a number and s, m, h, d, w or mo, as in \"30d\"";
        assert_eq!(parse("x"), Err(said.to_owned()));
    }
}
