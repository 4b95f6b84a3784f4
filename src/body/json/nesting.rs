//! The objects and arrays that are open.

use super::DEPTH_MAX;

/// A bit for each level, 1 for an object; the innermost is the lowest.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Nesting {
    objects: u128,
    depth: u32,
}

impl Nesting {
    /// `false`, and nothing done, if there would be too many levels.
    #[must_use]
    pub(super) fn push(&mut self, object: bool) -> bool {
        if self.depth == DEPTH_MAX {
            return false;
        }
        self.objects = self.objects << 1 | u128::from(object);
        self.depth = self.depth.wrapping_add(1);
        true
    }

    pub(super) fn pop(&mut self) {
        self.objects >>= 1;
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}
