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

use std::sync::{Mutex, PoisonError};

/// The copies of one worker, by the places of their records.
#[derive(Debug, Default)]
pub struct Copies(Mutex<Vec<Option<Copy>>>);

/// A record, and the number that its counter had before the record was loaded.
#[derive(Debug)]
struct Copy {
    changes: u64,
    record: Option<Vec<u8>>,
}

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
        let mut copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn without_a_counter_no_copy_is_good() {
        let copies = Copies::default();
        assert_eq!(read(&copies, 0, None, b"a"), b"a");
        assert_eq!(read(&copies, 0, None, b"b"), b"b");
    }
}
