//! The objects and arrays that are open.

use super::DEPTH_MAX;

/// A bit for each level, 1 for an object; the innermost is the lowest of `inner`. Shifts of 128 bits would be calls in
/// WebAssembly.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Nesting {
    inner: u64,
    outer: u64,
    depth: u32,
}

impl Nesting {
    /// `false`, and nothing done, if there would be too many levels.
    #[must_use]
    pub(super) fn push(&mut self, object: bool) -> bool {
        if self.depth == DEPTH_MAX {
            return false;
        }
        self.push_all(u64::from(object), 1);
        true
    }

    /// At most 64 levels, of which the caller knows that they are allowed; the innermost is the lowest bit.
    #[inline(always)]
    pub(super) fn push_all(&mut self, objects: u64, levels: u32) {
        let Some(less) = levels.checked_sub(1) else { return };
        self.outer =
            self.outer << 1 << (less & 63) | self.inner >> (63_u32.saturating_sub(less) & 63);
        self.inner = self.inner << 1 << (less & 63) | objects;
        self.depth = self.depth.saturating_add(levels);
    }

    pub(super) fn pop(&mut self) {
        self.pop_all(1);
    }

    /// At most 64 levels.
    #[inline(always)]
    pub(super) fn pop_all(&mut self, levels: u32) {
        let Some(less) = levels.checked_sub(1) else { return };
        self.inner =
            self.inner >> 1 >> (less & 63) | self.outer << (63_u32.saturating_sub(less) & 63);
        self.outer = self.outer >> 1 >> (less & 63);
        self.depth = self.depth.saturating_sub(levels);
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn in_object(&self) -> bool {
        self.inner & 1 == 1
    }

    /// The innermost 64 levels.
    pub(super) fn innermost(&self) -> u64 {
        self.inner
    }

    /// Up to 64 levels from the second innermost on.
    pub(super) fn second_innermost(&self) -> u64 {
        self.inner >> 1 | self.outer << 63
    }
}
