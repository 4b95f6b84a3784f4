//! A worker's copies of records that all workers share: to read a record costs ten times what to read a counter costs.
//!
//! | | the worker that changes a record | a worker that reads the record |
//! |---|---|---|
//! | 1 | swaps the record | reads the record's counter |
//! | 2 | adds one to the counter | loads the record, unless the counter has the number of its copy |
//!
//! A copy is as old as the record's counter says at most: a reader is late by the time between the two steps of a change, as a
//! reader of the record itself is late by the time between reading and acting. The counter is read before the record,
//! never after: else an old record could get the number of a newer one. `tests/core/breaker/copies.rs` tries every order
//! of these steps.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The copies of one worker.
#[derive(Debug, Default)]
pub struct Copies {
    by_place: Mutex<Vec<Option<Copy>>>,
    by_name: Mutex<Named>,
}

/// A record, and the number that its counter had before the record was loaded.
#[derive(Debug)]
struct Copy {
    changes: u64,
    record: Option<Vec<u8>>,
}

/// Records that share a counter, and that counter's number before the first of them was loaded.
#[derive(Debug, Default)]
struct Named {
    changes: u64,
    records: BTreeMap<String, Option<Vec<u8>>>,
}

/// The most records that are kept by their names. Clients choose names: past this number all copies are given up.
const NAMED_MAX: usize = 4096;

impl Copies {
    /// Reads a record by its copy, which is loaded anew unless the record's counter still has the number of the copy. `changes`
    /// is the counter now; `None` when the counter cannot be read, so that no copy is good.
    pub fn read<T>(
        &self,
        place: usize,
        changes: Option<u64>,
        load: impl FnOnce() -> Option<Vec<u8>>,
        read: impl FnOnce(Option<&[u8]>) -> T,
    ) -> T {
        let mut copies = lock(&self.by_place);
        if copies.len() <= place {
            copies.resize_with(place.saturating_add(1), || None);
        }
        let (Some(copy), Some(changes)) = (copies.get_mut(place), changes) else {
            return read(load().as_deref());
        };
        let copy = match copy {
            Some(copy) if copy.changes == changes => copy,
            stale => stale.insert(Copy { changes, record: load() }),
        };
        read(copy.record.as_deref())
    }

    /// The same of one of several records that share a counter, and that have names.
    #[inline(never)]
    pub fn read_named<T>(
        &self,
        name: &str,
        changes: Option<u64>,
        load: impl FnOnce() -> Option<Vec<u8>>,
        read: impl FnOnce(Option<&[u8]>) -> T,
    ) -> T {
        let Some(changes) = changes else { return read(load().as_deref()) };
        let mut named = lock(&self.by_name);
        if named.changes != changes || named.records.len() >= NAMED_MAX {
            *named = Named { changes, records: BTreeMap::new() };
        }
        if let Some(record) = named.records.get(name) {
            return read(record.as_deref());
        }
        let record = load();
        let result = read(record.as_deref());
        named.records.insert(name.to_owned(), record);
        result
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(copies: &Copies, place: usize, changes: Option<u64>, record: &[u8]) -> Vec<u8> {
        let read = |record: Option<&[u8]>| record.map(<[u8]>::to_vec).unwrap_or_default();
        copies.read(place, changes, || Some(record.to_vec()), read)
    }

    #[test]
    fn a_copy_is_good_while_its_counter_stays() {
        let copies = Copies::default();
        assert_eq!(read(&copies, 2, Some(7), b"a"), b"a");
        assert_eq!(read(&copies, 2, Some(7), b"b"), b"a");
        assert_eq!(read(&copies, 1, Some(7), b"c"), b"c", "another record");
        assert_eq!(read(&copies, 2, Some(8), b"b"), b"b");
        assert_eq!(read(&copies, 2, Some(7), b"d"), b"d", "a counter that began anew");
    }

    #[test]
    fn named_copies_are_good_while_their_counter_stays() {
        let copies = Copies::default();
        let read = |name: &str, changes, record: Option<&[u8]>| {
            let read = |own: Option<&[u8]>| own.map(<[u8]>::to_vec);
            copies.read_named(name, changes, || record.map(<[u8]>::to_vec), read)
        };
        assert_eq!(read("a", Some(1), Some(b"1")), Some(b"1".to_vec()));
        assert_eq!(read("b", Some(1), None), None);
        assert_eq!(read("a", Some(1), Some(b"2")), Some(b"1".to_vec()));
        assert_eq!(read("b", Some(1), Some(b"2")), None, "that there was no record is a copy too");
        assert_eq!(read("a", None, Some(b"2")), Some(b"2".to_vec()));
        assert_eq!(read("b", Some(2), Some(b"3")), Some(b"3".to_vec()));
        assert_eq!(read("a", Some(2), Some(b"3")), Some(b"3".to_vec()));
        // Whoever sends thousands of names takes no more memory than that.
        for number in 0..2 * NAMED_MAX {
            read(&format!("n{number}"), Some(2), None);
            assert!(lock(&copies.by_name).records.len() <= NAMED_MAX);
        }
        assert_eq!(read("a", Some(2), Some(b"4")), Some(b"4".to_vec()), "it was given up");
    }

    #[test]
    fn without_a_counter_no_copy_is_good() {
        let copies = Copies::default();
        assert_eq!(read(&copies, 0, None, b"a"), b"a");
        assert_eq!(read(&copies, 0, None, b"b"), b"b");
    }
}
