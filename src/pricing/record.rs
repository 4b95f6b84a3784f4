//! A price as bytes, in the feed and in shared data.
//!
//! ```text
//! is_own u8 | provider text | output_max u64, output_usual u64, 0 where not known | rates | count u32, count times: last u64, rates
//! rates: count u32, count times: name text, femto-dollars u64
//! ```

use super::lookup::Listed;
use super::price::{Price, Rates};
use crate::record::{Reader, Writer};

impl Listed {
    /// The bytes after `writer`.
    pub fn write(&self, writer: Writer) -> Writer {
        let Price { provider, rates, by_input, output_max, output_usual } = &self.price;
        let writer = writer.u8(u8::from(self.is_own)).text(provider);
        let writer = writer.u64(output_max.unwrap_or_default());
        let writer = write_rates(writer.u64(output_usual.unwrap_or_default()), rates);
        let writer = writer.u32(count(by_input.len()));
        by_input.iter().fold(writer, |writer, (last, rates)| write_rates(writer.u64(*last), rates))
    }

    /// `None` for bytes that are not a price.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let is_own = reader.u8()? != 0;
        let provider = reader.text()?.to_owned();
        let output_max = Some(reader.u64()?).filter(|most| *most > 0);
        let output_usual = Some(reader.u64()?).filter(|usual| *usual > 0);
        let rates = read_rates(reader)?;
        let mut by_input = Vec::new();
        for _ in 0..reader.u32()? {
            by_input.push((reader.u64()?, read_rates(reader)?));
        }
        Some(Self { is_own, price: Price { provider, rates, by_input, output_max, output_usual } })
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn write_rates(writer: Writer, rates: &Rates) -> Writer {
    let writer = writer.u32(count(rates.len()));
    rates.iter().fold(writer, |writer, (name, femto)| writer.text(name).u64(*femto))
}

fn read_rates(reader: &mut Reader<'_>) -> Option<Rates> {
    let mut rates = Rates::new();
    for _ in 0..reader.u32()? {
        let name = reader.text()?.to_owned();
        rates.insert(name, reader.u64()?);
    }
    Some(rates)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_price_is_read_as_it_was_written_and_no_part_of_it_is() {
        let rates = |femto| Rates::from([("input_cost_per_token".to_owned(), femto)]);
        let price = Price {
            provider: "openai".to_owned(),
            rates: rates(5),
            by_input: vec![(1_000, rates(6)), (2_000, Rates::new())],
            output_max: Some(7),
            output_usual: Some(5),
        };
        let listed = Listed { is_own: true, price };
        let bytes = listed.write(Writer::default()).finish();
        assert_eq!(Listed::read(&mut Reader::new(&bytes)), Some(listed));
        for length in 0..bytes.len() {
            assert_eq!(Listed::read(&mut Reader::new(&bytes[..length])), None, "{length}");
        }
    }

    #[test]
    fn the_most_is_at_the_highest_of_all_prices() {
        let rate = |name: &str, femto: u64| (name.to_owned(), femto);
        let rates = Rates::from([
            rate("input_cost_per_token", 1_000_000),
            rate("input_cost_per_token_above_200k_tokens", 2_000_000),
            rate("cache_creation_input_token_cost", 3_000_000),
            rate("output_cost_per_token_priority", 8_000_000),
            rate("output_cost_per_token", 5_000_000),
        ]);
        let price = Price { rates, ..Price::default() };
        assert_eq!(price.most_nanos(100, 100, 10, 2), 300 + 160);
        assert_eq!(price.most_nanos(100, 25, 10, 2), 75 + 160);
        assert_eq!(Price::default().most_nanos(100, 100, 10, 2), 0);
    }
}
