//! Which brackets belong together, and what is in objects.

use super::super::super::block::Block;
use super::super::super::places::{above, below, bit, filled, first, last, through, without_first};
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
    pub(super) fn of(
        block: Block,
        openings: u64,
        closings: u64,
        mut nesting: Nesting,
    ) -> Option<Self> {
        if openings | closings == 0 {
            let objects = filled(nesting.in_object());
            let top = filled(nesting.depth() == 1);
            return Some(Self { nesting, objects, top, live: u64::MAX });
        }
        let curly = block.curly();
        if nesting.depth().saturating_add(openings.count_ones()) > DEPTH_MAX {
            return None;
        }
        let (in_object, at_top) = (nesting.in_object(), nesting.depth() == 1);
        // The brackets after which an object is the innermost, and no more than the outermost.
        let (mut objects, mut tops) = (openings & curly, 0);
        let (mut open, mut left, mut live, mut mismatch) = (openings, closings, u64::MAX, 0);
        while let Some(place) = first(left) {
            match last(open & below(place)) {
                Some(opening) => {
                    mismatch |= bit(curly, opening) ^ bit(curly, place);
                    open ^= 1 << (opening & 63);
                }
                None => {
                    mismatch |= u64::from(nesting.in_object()) ^ bit(curly, place);
                    nesting.pop();
                    if nesting.depth() == 0 {
                        live = !above(place);
                        open = 0;
                        break;
                    }
                }
            }
            match last(open & below(place)) {
                Some(outer) => objects |= bit(curly, outer) << (place & 63),
                None => {
                    objects |= u64::from(nesting.in_object()) << (place & 63);
                    tops |= u64::from(nesting.depth() == 1) << (place & 63);
                }
            }
            left = without_first(left);
        }
        if mismatch != 0 {
            return None;
        }
        while let Some(place) = first(open) {
            _ = nesting.push(bit(curly, place) == 1);
            open = without_first(open);
        }
        let others = !(openings | closings);
        let objects = through(objects << 1 | u64::from(in_object), others);
        let top = through(tops << 1 | u64::from(at_top), others);
        Some(Self { nesting, objects, top, live })
    }
}
