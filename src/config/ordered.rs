//! A table whose order counts, and in which no key is twice.

use std::fmt;
use std::marker::PhantomData;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A table in the order in which it was written. The standard library's hasher would ask Envoy for random numbers, which
/// the filter may not have.
pub type Ordered<T> = IndexMap<String, T, DefaultHashBuilder>;

/// Reads a table, and refuses a key that is written twice: serde would take the last.
pub(super) fn unique<'de, D, T>(deserializer: D) -> Result<Ordered<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Entries<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
        type Value = Ordered<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut entries = Ordered::default();
            while let Some(key) = map.next_key::<String>()? {
                if entries.contains_key(&key) {
                    return Err(M::Error::custom(format_args!("`{key}` is here twice")));
                }
                entries.insert(key, map.next_value()?);
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_map(Entries(PhantomData))
}
