//! An answer of the control server: the policies that have changed since a number.
//!
//! ```text
//! version u8 | flags u8 | database u64 | number u64 | count u32 | count times: hash (32 bytes), policy
//! | with prices: their number u64, to the end: name text, price
//! ```

use super::{KeyHash, Policy};
use crate::pricing::Listed;
use crate::record::{Reader, Writer};

/// Of this layout, and of a policy's.
pub(super) const VERSION: u8 = 4;

/// The policies take the place of all others.
const IS_RESET: u8 = 1;

/// More policies have changed than the page has.
const HAS_MORE: u8 = 2;

/// All prices follow.
const HAS_PRICES: u8 = 4;

/// What all models cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceList {
    /// Tells this list from every other; never 0.
    pub number: u64,
    /// By name.
    pub prices: Vec<(String, Listed)>,
}

/// A page of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The policies of the pages from this one on take the place of all others.
    pub is_reset: bool,
    /// More policies have changed: the next question is answered at once.
    pub has_more: bool,
    /// Which database the numbers are of.
    pub database: u64,
    /// Every change up to this number is in this page, or in a page before.
    pub number: u64,
    pub policies: Vec<(KeyHash, Policy)>,
    /// The prices, where others are in force.
    pub prices: Option<PriceList>,
}

impl Page {
    /// The bytes of the answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
        let flags = flag(self.is_reset, IS_RESET)
            | flag(self.has_more, HAS_MORE)
            | flag(self.prices.is_some(), HAS_PRICES);
        let writer = Writer::of_version(VERSION, self.policies.len().saturating_mul(128));
        let count = u32::try_from(self.policies.len()).unwrap_or(u32::MAX);
        let writer = writer.u8(flags).u64(self.database).u64(self.number).u32(count);
        let add = |writer: Writer, (hash, policy): &(KeyHash, Policy)| {
            policy.write(writer.bytes(hash.as_bytes()))
        };
        let writer = self.policies.iter().fold(writer, add);
        let list = |writer: Writer, list: &PriceList| {
            let prices = list.prices.iter();
            prices.fold(writer.u64(list.number), |writer, (name, price)| {
                price.write(writer.text(name))
            })
        };
        self.prices.iter().fold(writer, list).finish()
    }

    /// `None` for bytes that are not a page.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::of_version(Some(bytes), VERSION)?;
        let flags = reader.u8()?;
        let (database, number) = (reader.u64()?, reader.u64()?);
        let mut policies = Vec::new();
        for _ in 0..reader.u32()? {
            let hash = KeyHash::from_bytes(reader.array()?);
            policies.push((hash, Policy::read(&mut reader)?));
        }
        let prices = if flags & HAS_PRICES != 0 { Some(read_prices(&mut reader)?) } else { None };
        if !reader.rest().is_empty() {
            return None;
        }
        let (is_reset, has_more) = (flags & IS_RESET != 0, flags & HAS_MORE != 0);
        Some(Self { is_reset, has_more, database, number, policies, prices })
    }
}

fn read_prices(reader: &mut Reader<'_>) -> Option<PriceList> {
    let number = reader.u64()?;
    let mut prices = Vec::new();
    while !reader.rest().is_empty() {
        let name = reader.text()?.to_owned();
        prices.push((name, Listed::read(reader)?));
    }
    Some(PriceList { number, prices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::policy::example;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_page_is_read_as_it_was_written() {
        let policies = [("one", 3), ("two", 4)];
        let policies = policies.map(|(id, number)| (KeyHash::of(id), example(number, id)));
        let page = Page {
            is_reset: true,
            has_more: false,
            database: 77,
            number: 4,
            policies: policies.into(),
            prices: None,
        };
        let bytes = page.to_bytes();
        assert_eq!(Page::from_bytes(&bytes), Some(page));
        assert_eq!(Page::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Page::from_bytes(b""), None);
        assert_eq!(Page::from_bytes(b"<html>"), None);
        let empty = Page { has_more: true, ..Page::default() };
        assert_eq!(Page::from_bytes(&empty.to_bytes()), Some(empty));
        let listed = Listed { is_own: true, price: crate::pricing::Price::default() };
        let prices = vec![("a".to_owned(), listed.clone()), ("b".to_owned(), listed)];
        let priced = Page { prices: Some(PriceList { number: 9, prices }), ..Page::default() };
        let bytes = priced.to_bytes();
        assert_eq!(Page::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Page::from_bytes(&bytes), Some(priced));
    }
}
