//! The bytes of a request that waits for its model.
//!
//! They are taken out of Envoy's buffer, whose limits are the listener's and also say how far Envoy
//! reads ahead of a slow provider. A VM's memory never shrinks, and one that has none left traps:
//! so all requests of a VM together may hold so much and no more.

use std::cell::Cell;
use std::rc::Rc;

/// The most that all requests of a VM hold. Envoy's VMs fail somewhere above 512 MiB, and a body is
/// there twice for the moment in which it is given back.
const HELD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What one request holds.
pub(super) struct Held {
    pieces: Vec<Vec<u8>>,
    own_bytes: usize,
    all_bytes: Rc<Cell<usize>>,
}

impl Held {
    /// Nothing yet; `all_bytes` is what all requests of the VM hold.
    pub(super) fn new(all_bytes: &Rc<Cell<usize>>) -> Self {
        Self { pieces: Vec::new(), own_bytes: 0, all_bytes: Rc::clone(all_bytes) }
    }

    /// Holds a piece, if there is room.
    pub(super) fn push(&mut self, piece: Vec<u8>) -> bool {
        let all_bytes = self.all_bytes.get().saturating_add(piece.len());
        if all_bytes > HELD_BYTES_MAX {
            return false;
        }
        self.all_bytes.set(all_bytes);
        self.own_bytes = self.own_bytes.saturating_add(piece.len());
        self.pieces.push(piece);
        true
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
        self.all_bytes.set(self.all_bytes.get().saturating_sub(self.own_bytes));
        self.own_bytes = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.clear();
    }
}
