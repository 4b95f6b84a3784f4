//! The bytes of a request that waits for its model.
//!
//! They are taken out of Envoy's buffer, whose limits are the listener's and also say how far Envoy
//! reads ahead of a slow provider. A VM's memory never shrinks, and one that has none left traps:
//! so all requests of a VM together may hold so much and no more.

use std::cell::Cell;

/// The most that all requests of a VM hold. Envoy's VMs fail somewhere above 512 MiB, and a body is
/// there twice for the moment in which it is given back.
const HELD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Smaller pieces are put together: each costs memory of its own, and a client may send single
/// bytes.
const PIECE_BYTES: usize = 64 * 1024;

thread_local! {
    /// What all requests of this VM hold, of whatever plugin and configuration.
    static ALL_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// What one request holds.
#[derive(Default)]
pub(super) struct Held {
    pieces: Vec<Vec<u8>>,
    bytes: usize,
}

impl Held {
    /// Whether there is room for so many bytes more.
    pub(super) fn has_room(bytes: usize) -> bool {
        ALL_BYTES.get().saturating_add(bytes) <= HELD_BYTES_MAX
    }

    /// Holds a piece.
    pub(super) fn push(&mut self, piece: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(piece.len());
        ALL_BYTES.set(ALL_BYTES.get().saturating_add(piece.len()));
        match self.pieces.last_mut() {
            Some(last) if last.len().saturating_add(piece.len()) <= PIECE_BYTES => {
                last.extend_from_slice(&piece);
            }
            _ => self.pieces.push(piece),
        }
    }

    /// Gives everything back, in one piece.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let bytes = self.pieces.concat();
        self.clear();
        bytes
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
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
