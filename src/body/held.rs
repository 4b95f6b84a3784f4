//! The bytes of a request that waits for its model.
//!
//! The filter takes the bytes out of Envoy's buffer, whose limits are the listener's and also decide how far Envoy reads
//! ahead of a slow provider. A VM's memory never shrinks, and a VM without memory traps: so the bytes that all requests of
//! a VM hold together are bounded.

use std::cell::Cell;

/// The most that all requests of a VM hold. Envoy's VMs fail somewhere above 512 MiB, and a body that
/// is edited across two pieces is in memory twice for a moment.
const HELD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Smaller pieces are put together: each allocation has a cost, and a client may send single bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// A piece of this size or larger is not copied.
const SMALL_BYTES: usize = 4 * 1024;

thread_local! {
    /// What all requests of this VM hold, of every plugin and configuration.
    static ALL_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// What one request holds.
#[derive(Debug, Default)]
pub struct Held {
    pieces: Vec<Vec<u8>>,
    bytes: usize,
}

impl Held {
    /// Whether there is room for `bytes` more bytes.
    pub fn has_room(bytes: usize) -> bool {
        ALL_BYTES.get().saturating_add(bytes) <= HELD_BYTES_MAX
    }

    /// How many bytes the request holds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn push(&mut self, piece: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(piece.len());
        ALL_BYTES.set(ALL_BYTES.get().saturating_add(piece.len()));
        match self.pieces.last_mut() {
            Some(last) if piece.len() < SMALL_BYTES && last.len() < PIECE_BYTES => {
                last.extend_from_slice(&piece);
            }
            _ => self.pieces.push(piece),
        }
    }

    /// Gives everything back, piece by piece.
    pub fn take_pieces(&mut self) -> Vec<Vec<u8>> {
        let pieces = std::mem::take(&mut self.pieces);
        self.clear();
        pieces
    }

    pub fn clear(&mut self) {
        self.pieces = Vec::new();
        ALL_BYTES.set(ALL_BYTES.get().saturating_sub(self.bytes));
        self.bytes = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn gives_back_what_it_was_given() {
        let mut held = Held::default();
        for piece in [&b"ab"[..], b"", b"c", &[b'x'; PIECE_BYTES], b"d"] {
            held.push(piece.to_vec());
        }
        let expected = [&b"abc"[..], &[b'x'; PIECE_BYTES], b"d"].concat();
        assert_eq!(held.take_pieces().concat(), expected);
        assert!(held.take_pieces().is_empty());
    }

    #[test]
    fn single_bytes_are_put_together() {
        let mut held = Held::default();
        for _ in 0..3 * PIECE_BYTES {
            held.push(vec![b'x']);
        }
        assert_eq!(held.pieces.len(), 3);
    }

    #[test]
    fn the_room_is_for_all_and_comes_back() {
        let all = ALL_BYTES.get();
        assert!(Held::has_room(HELD_BYTES_MAX - all) && !Held::has_room(HELD_BYTES_MAX - all + 1));
        let (mut one, mut other) = (Held::default(), Held::default());
        one.push(vec![0; 10]);
        other.push(vec![0; 5]);
        assert_eq!(ALL_BYTES.get(), all + 15);
        one.take_pieces();
        assert_eq!(ALL_BYTES.get(), all + 5);
        drop(other);
        assert_eq!(ALL_BYTES.get(), all);
        assert!(!Held::has_room(usize::MAX));
    }
}
