//! Decimal numbers of dollars, read exactly: no sum of money goes through a float.

/// Femto-dollars in a dollar: the smallest price of a token is some hundred of them.
const SCALE: i32 = 15;

/// Reads `2.5e-06`, `0.00001` or `3` dollars, in femto-dollars; what is smaller is rounded. `None` for a negative number, for
/// what is not a number, and for more than 18,446 dollars.
pub(super) fn femto_dollars(text: &str) -> Option<u64> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let places = SCALE.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_u128.checked_pow(places.unsigned_abs());
    let femto = match (places >= 0, power) {
        _ if digits == 0 => 0,
        (true, power) => digits.checked_mul(power?)?,
        (false, Some(power)) => digits.checked_add(power / 2)?.checked_div(power)?,
        (false, None) => 0,
    };
    u64::try_from(femto).ok()
}

#[cfg(test)]
mod tests {
    use super::femto_dollars;

    #[test]
    fn prices_are_read_exactly() {
        for (text, expected) in [
            ("2.5e-06", Some(2_500_000_000)),
            ("1e-05", Some(10_000_000_000)),
            ("1.25e-07", Some(125_000_000)),
            ("0.00001", Some(10_000_000_000)),
            ("6.3E-07", Some(630_000_000)),
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0.039", Some(39_000_000_000_000)),
            ("3", Some(3_000_000_000_000_000)),
            ("0.15e-6", Some(150_000_000)),
            ("1e-15", Some(1)),
            ("4e-16", Some(0)),
            ("5e-16", Some(1)),
            ("1e-99", Some(0)),
            ("1e99", None),
            ("-1", None),
            ("", None),
            (".", None),
            ("x", None),
            ("\"3e-7\"", None),
        ] {
            assert_eq!(femto_dollars(text), expected, "{text}");
        }
    }
}
