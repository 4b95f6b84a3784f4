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

    /// At most 64 levels, which the caller has found to be allowed: the innermost is the lowest bit.
    pub(super) fn push_all(&mut self, objects: u64, levels: u32) {
        self.objects = self.objects.unbounded_shl(levels) | u128::from(objects);
        self.depth = self.depth.saturating_add(levels);
    }

    pub(super) fn pop(&mut self) {
        self.pop_all(1);
    }

    pub(super) fn pop_all(&mut self, levels: u32) {
        self.objects = self.objects.unbounded_shr(levels);
        self.depth = self.depth.saturating_sub(levels);
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    /// The innermost 64 levels, without the innermost `skipped` ones.
    pub(super) fn innermost(&self, skipped: u32) -> u64 {
        self.objects.unbounded_shr(skipped) as u64
    }
}
