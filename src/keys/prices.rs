//! What models cost, in shared data: one record for each name, of the list with its number.
//!
//! Another list takes the place of the list before name by name. Until all names are there, prices of both lists count; after
//! that, a name that the new list has not has no price.

use super::page::PriceList;
use super::records::Records;
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::host::store::{self, Contended, Store};
use crate::names::headers;
use crate::pricing::{self, Listed, Price, dollars};
use crate::record::{Reader, Writer};
use crate::usage::reader::Outcome;
use crate::usage::{Admission, Basis, Meter};

const KEY: &str = "gaud/prices";
const VERSION: u8 = 2;

/// Which lists count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lists {
    /// 0 for none.
    current: u64,
    /// What comes to take its place; 0 for none.
    loading: u64,
}

impl Lists {
    fn load(store: &dyn Store) -> Self {
        let stored = store.load(KEY);
        Self::from_bytes(stored.as_ref().map(|(bytes, _)| bytes.as_slice()))
    }

    fn from_bytes(bytes: Option<&[u8]>) -> Self {
        let read = || {
            let mut reader = Reader::of_version(bytes, VERSION)?;
            Some(Self { current: reader.u64()?, loading: reader.u64()? })
        };
        read().unwrap_or_default()
    }

    fn save(self, store: &dyn Store) -> Result<(), Contended> {
        let bytes = || Writer::of_version(VERSION, 17).u64(self.current).u64(self.loading).finish();
        store::update(store, KEY, |_| (Some(bytes()), ()))
    }
}

/// The number of the list in force; 0 for none.
pub(super) fn number(store: &dyn Store) -> u64 {
    Lists::load(store).current
}

/// Puts a list in force. The workers give up their copies before a price of the list is there: by an old copy of what counts
/// the price would count as none.
pub(super) fn take(host: &dyn Host, list: &PriceList) -> Result<(), Contended> {
    let Lists { current, .. } = Lists::load(host);
    Lists { current, loading: list.number }.save(host)?;
    host.count(Metric::FeedTaken);
    for (name, price) in &list.prices {
        let bytes = || price.write(Writer::of_version(VERSION, 256).u64(list.number)).finish();
        store::update(host, &place(name), |_| (Some(bytes()), ()))?;
    }
    Lists { current: list.number, loading: 0 }.save(host)?;
    host.count(Metric::FeedTaken);
    Ok(())
}

/// The price of a model at a provider; `None` where there is none.
pub fn find(host: &dyn Host, provider: &str, model: &str) -> Option<Price> {
    let records = Records::now(host);
    let lists = records.read(KEY, Lists::from_bytes);
    let (_, listed) = pricing::find(provider, model, |name| read(&records, lists, name))?;
    Some(listed.price)
}

/// What an attempt has cost, in nano-dollars; 0 without a price.
pub fn cost_nanos(host: &dyn Host, admission: &Admission, outcome: Outcome) -> u64 {
    known_cost_nanos(host, admission, outcome).unwrap_or_default()
}

/// The same; `None` without a price.
#[inline(never)]
fn known_cost_nanos(host: &dyn Host, admission: &Admission, outcome: Outcome) -> Option<u64> {
    if outcome.basis == Basis::Failed {
        return Some(0);
    }
    let price = find(host, &admission.provider, &admission.model)?;
    let (operation, bytes) = (admission.operation, admission.request_bytes);
    let nanos = price.cost_nanos(&outcome.usage, outcome.tier, operation, bytes);
    Some(u64::try_from(nanos).unwrap_or_default())
}

/// What a client is told of the cost of an answer that has come whole; `None` without a price.
pub fn cost_header(host: &dyn Host, meter: Option<&Meter>) -> Option<(&'static str, String)> {
    let (admission, outcome) = meter.and_then(Meter::used)?;
    let nanos = known_cost_nanos(host, admission, outcome)?;
    Some((headers::COST, dollars(nanos, 0)))
}

fn read(records: &Records<'_>, lists: Lists, name: &str) -> Option<Listed> {
    records.read(&place(name), |bytes| {
        let mut reader = Reader::of_version(bytes, VERSION)?;
        let number = reader.u64()?;
        let counts = number > 0 && (number == lists.current || number == lists.loading);
        Listed::read(&mut reader).filter(|_| counts)
    })
}

fn place(name: &str) -> String {
    format!("gaud/price/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    use crate::pricing::Rates;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn list(number: u64, prices: &[(&str, bool, u64)]) -> PriceList {
        let listed = |(name, is_own, femto): &(&str, bool, u64)| {
            let rates = Rates::from([("input_cost_per_token".to_owned(), *femto)]);
            let price = Price { rates, provider: "openai".to_owned(), ..Price::default() };
            ((*name).to_owned(), Listed { is_own: *is_own, price })
        };
        PriceList { number, prices: prices.iter().map(listed).collect() }
    }

    #[test]
    fn a_list_takes_the_place_of_the_list_before() {
        let store = Memory::default();
        let rate = |provider: &str, model: &str| {
            find(&store, provider, model).map(|price| *price.rates.values().next().unwrap())
        };
        assert_eq!((number(&store), rate("p", "a")), (0, None));
        take(
            &store,
            &list(7, &[("a", false, 1), ("b", false, 2), ("p/b", false, 3), ("a/x", true, 4)]),
        )
        .unwrap();
        assert_eq!(number(&store), 7);
        assert_eq!((rate("p", "a"), rate("p", "b"), rate("q", "b")), (Some(1), Some(3), Some(2)));
        assert_eq!((rate("q", "openai/b"), rate("q", "other/b")), (Some(2), None));
        take(&store, &list(8, &[("b", true, 5)])).unwrap();
        assert_eq!((rate("p", "a"), rate("p", "b")), (None, Some(5)), "the own comes first");
    }
}
