//! What models cost, as the filter and the command count it: the same code for both.
//!
//! | file | what it knows |
//! |---|---|
//! | [`price`] | what an attempt has cost by a model's prices, and what a request can cost at most |
//! | [`record`] | the bytes of a price |
//! | [`lookup`] | under which names a price is looked up |

pub mod lookup;
pub mod price;
pub mod record;

pub use lookup::{Listed, find};
pub use price::{Price, Rates, SEARCH};

/// Nano-dollars in dollars, as a decimal number with at least `least_places` places.
pub fn dollars(nanos: u64, least_places: usize) -> String {
    const DOLLAR: u64 = 1_000_000_000;
    const PLACES: usize = 9;
    let mut text = format!("{}.{:0PLACES$}", nanos / DOLLAR, nanos % DOLLAR);
    let zeros = text.len().saturating_sub(text.trim_end_matches('0').len());
    text.truncate(text.len().saturating_sub(zeros.min(PLACES.saturating_sub(least_places))));
    text.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::dollars;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn dollars_are_decimal_numbers() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (3_163_500, "0.0031635"),
            (1_000_000_000, "1"),
            (10_500_000_000, "10.5"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(dollars(nanos, 0), text);
        }
        assert_eq!(dollars(3_000_000_000, 2), "3.00");
        assert_eq!(dollars(3_163_500, 2), "0.0031635");
    }
}
