//! Which brackets belong together, and what is in objects.

use super::super::super::block::Block;
use super::super::super::places::{
    above, below, bit, filled, first, last, run, through, without_first,
};
use super::super::DEPTH_MAX;
use super::super::nesting::Nesting;

pub(super) struct Walk {
    pub(super) nesting: Nesting,
    /// Where the innermost that is open is an object.
    pub(super) objects: u64,
    /// Where nothing is open but the outermost object, its end included.
    pub(super) top: u64,
    /// The places up to the end of the outermost object.
    pub(super) live: u64,
}

impl Walk {
    /// Of the brackets at `openings` and `closings`.
    ///
    /// `None` if a bracket closes what another kind has opened, or if there may be too many levels.
    #[inline(always)]
    pub(super) fn of(block: Block, openings: u64, closings: u64, nesting: Nesting) -> Option<Self> {
        if openings | closings == 0 {
            let objects = filled(nesting.in_object());
            let top = filled(nesting.depth() == 1);
            return Some(Self { nesting, objects, top, live: u64::MAX });
        }
        if nesting.depth().saturating_add(openings.count_ones()) > DEPTH_MAX {
            return None;
        }
        let mut brackets = Brackets::of(block.curly(), openings, nesting);
        let live = brackets.close_all(closings);
        if brackets.mismatch != 0 {
            return None;
        }
        brackets.keep_open();
        let others = !(openings | closings);
        let (in_object, at_top) = (nesting.in_object(), nesting.depth() == 1);
        let objects = through(brackets.objects << 1 | u64::from(in_object), others);
        let top = through(brackets.tops << 1 | u64::from(at_top), others);
        Some(Self { nesting: brackets.nesting, objects, top, live })
    }
}

struct Brackets {
    curly: u64,
    /// The openings whose closing has not come.
    open: u64,
    /// What is open from before the window.
    nesting: Nesting,
    /// The brackets after which an object is the innermost.
    objects: u64,
    /// The brackets after which nothing is open but the outermost object.
    tops: u64,
    /// A bit somewhere if a bracket closes what another kind has opened.
    mismatch: u64,
}

impl Brackets {
    #[inline(always)]
    fn of(curly: u64, openings: u64, nesting: Nesting) -> Self {
        let objects = openings & curly;
        Self { curly, open: openings, nesting, objects, tops: 0, mismatch: 0 }
    }

    /// The places up to the end of the outermost object.
    #[inline(always)]
    fn close_all(&mut self, closings: u64) -> u64 {
        let mut left = closings;
        while let Some(place) = first(left) {
            if let Some(opening) = last(self.open & below(place)) {
                self.close(opening, place);
                left = without_first(left);
                continue;
            }
            let closed = run(left, place);
            let levels = closed.count_ones();
            if levels >= self.nesting.depth() {
                return self.close_outermost(place);
            }
            self.close_outer(closed, place, levels);
            left ^= closed;
        }
        u64::MAX
    }

    /// What was opened in the window.
    #[inline(always)]
    fn close(&mut self, opening: u32, place: u32) {
        self.mismatch |= bit(self.curly, opening) ^ bit(self.curly, place);
        self.open ^= 1 << (opening & 63);
        match last(self.open & below(place)) {
            Some(outer) => self.objects |= bit(self.curly, outer) << (place & 63),
            None => {
                self.objects |= u64::from(self.nesting.in_object()) << (place & 63);
                self.tops |= u64::from(self.nesting.depth() == 1) << (place & 63);
            }
        }
    }

    /// What was opened before the window, but not the outermost object: brackets in a row, from
    /// `place` on, are compared with as many levels at once.
    #[inline(always)]
    fn close_outer(&mut self, closed: u64, place: u32, levels: u32) {
        self.mismatch |= (self.nesting.innermost() << (place & 63) ^ self.curly) & closed;
        self.objects |= self.nesting.second_innermost() << (place & 63) & closed;
        self.nesting.pop_all(levels);
        let last = place.saturating_add(levels).saturating_sub(1);
        self.tops |= u64::from(self.nesting.depth() == 1) << (last & 63);
    }

    /// The brackets from `place` on close as many levels as there are, or more.
    #[inline(never)]
    fn close_outermost(&mut self, place: u32) -> u64 {
        let inner = self.nesting.depth().saturating_sub(1);
        let last = place.saturating_add(inner);
        if inner > 0 {
            self.close_outer(above(place) & below(last) | 1 << (place & 63), place, inner);
        }
        self.mismatch |= u64::from(self.nesting.in_object()) ^ bit(self.curly, last);
        self.nesting.pop();
        self.open = 0;
        !above(last)
    }

    #[inline(always)]
    fn keep_open(&mut self) {
        let (mut left, mut objects) = (self.open, 0);
        while let Some(place) = first(left) {
            objects = objects << 1 | bit(self.curly, place);
            left = without_first(left);
        }
        self.nesting.push_all(objects, self.open.count_ones());
    }
}
