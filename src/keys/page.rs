//! An answer of the control server: the policies that have changed since a number.
//!
//! ```text
//! version u8 | flags u8 | database u64 | number u64 | to the end: hash (32 bytes), policy
//! ```

use super::{KeyHash, Policy};
use crate::record::{Reader, Writer};

/// Of this layout, and of a policy's.
pub(super) const VERSION: u8 = 1;

/// The policies take the place of all others.
const IS_RESET: u8 = 1;

/// More policies have changed than the page has.
const HAS_MORE: u8 = 2;

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
}

impl Page {
    /// The bytes of the answer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
        let flags = flag(self.is_reset, IS_RESET) | flag(self.has_more, HAS_MORE);
        let writer = Writer::of_version(VERSION, self.policies.len().saturating_mul(128));
        let writer = writer.u8(flags).u64(self.database).u64(self.number);
        let add = |writer: Writer, (hash, policy): &(KeyHash, Policy)| {
            policy.write(writer.bytes(hash.as_bytes()))
        };
        self.policies.iter().fold(writer, add).finish()
    }

    /// `None` for bytes that are not a page.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::of_version(Some(bytes), VERSION)?;
        let flags = reader.u8()?;
        let (database, number) = (reader.u64()?, reader.u64()?);
        let mut policies = Vec::new();
        while !reader.rest().is_empty() {
            let hash = KeyHash::from_bytes(reader.array()?);
            policies.push((hash, Policy::read(&mut reader)?));
        }
        let (is_reset, has_more) = (flags & IS_RESET != 0, flags & HAS_MORE != 0);
        Some(Self { is_reset, has_more, database, number, policies })
    }
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
        };
        let bytes = page.to_bytes();
        assert_eq!(Page::from_bytes(&bytes), Some(page));
        assert_eq!(Page::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Page::from_bytes(b""), None);
        assert_eq!(Page::from_bytes(b"<html>"), None);
        let empty = Page { has_more: true, ..Page::default() };
        assert_eq!(Page::from_bytes(&empty.to_bytes()), Some(empty));
    }
}
