//! The bytes of a request that waits for its model.
//!
//! The filter takes the bytes out of Envoy's buffer, whose limits are the listener's and also decide how far Envoy reads
//! ahead of a slow provider. A VM's memory never shrinks, and a VM without memory traps: so the memory that all requests of
//! a VM hold together is bounded ([`crate::room`]).

/// Smaller pieces are put together: each allocation has a cost, and a client may send single bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// A piece of this size or larger is not copied.
const SMALL_BYTES: usize = 4 * 1024;

/// What a piece costs beside its bytes: its place in the list, and the allocator's own.
const PIECE_COST: usize = 64;

/// What one request holds.
#[derive(Debug, Default)]
pub struct Held {
    pieces: Vec<Vec<u8>>,
    /// The last piece is made of small pieces, and has memory of [`PIECE_BYTES`] at most.
    is_collecting: bool,
}

impl Held {
    /// The most memory that the piece takes once it is held.
    pub fn cost(&self, piece: &[u8]) -> usize {
        match self.collecting(piece) {
            Some(last) => grown(last, piece.len()).saturating_sub(last.capacity()),
            None => piece.len().saturating_add(PIECE_COST),
        }
    }

    /// How many bytes the request holds.
    pub fn bytes(&self) -> usize {
        self.pieces.iter().map(Vec::len).fold(0, usize::saturating_add)
    }

    pub fn push(&mut self, mut piece: Vec<u8>) {
        if self.collecting(&piece).is_some()
            && let Some(last) = self.pieces.last_mut()
        {
            let capacity = grown(last, piece.len());
            last.reserve_exact(capacity.saturating_sub(last.len()));
            last.extend_from_slice(&piece);
            return;
        }
        self.is_collecting = piece.len() < SMALL_BYTES;
        piece.shrink_to_fit();
        self.pieces.push(piece);
    }

    /// Gives everything back, piece by piece.
    pub fn take_pieces(&mut self) -> Vec<Vec<u8>> {
        self.is_collecting = false;
        std::mem::take(&mut self.pieces)
    }

    pub fn clear(&mut self) {
        self.take_pieces();
    }

    /// The last piece, if it takes this one as well.
    fn collecting(&self, piece: &[u8]) -> Option<&Vec<u8>> {
        let last = self.pieces.last().filter(|_| self.is_collecting)?;
        let fits = last.len().saturating_add(piece.len()) <= PIECE_BYTES;
        (piece.len() < SMALL_BYTES && fits).then_some(last)
    }
}

/// The memory of a piece with this number of further bytes: twice as much when it does not suffice, and no more than
/// [`PIECE_BYTES`].
fn grown(last: &Vec<u8>, more: usize) -> usize {
    let needed = last.len().saturating_add(more);
    if needed <= last.capacity() {
        return last.capacity();
    }
    needed.max(last.capacity().saturating_mul(2).min(PIECE_BYTES))
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
        assert_eq!(held.pieces.iter().map(Vec::capacity).max(), Some(PIECE_BYTES));
    }

    #[test]
    fn memory_is_counted_and_not_length() {
        let mut held = Held::default();
        let (mut bytes, mut counted) = (0, 0);
        for _ in 0..100 {
            for piece in [vec![b'x'; SMALL_BYTES], vec![b'x']] {
                bytes += piece.len();
                counted += held.cost(&piece);
                held.push(piece);
            }
        }
        let memory: usize = held.pieces.iter().map(|piece| piece.capacity() + PIECE_COST).sum();
        assert!(memory <= counted, "{memory} bytes of memory were counted as {counted}");
        assert!(counted < bytes + bytes / 8 + 2 * PIECE_BYTES, "{bytes} bytes cost {counted}");
    }
}
