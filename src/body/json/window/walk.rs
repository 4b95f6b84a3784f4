//! The way through the brackets of a window.

use super::super::super::places::{above, filled, first, without_first};
use super::super::nesting::Nesting;
use super::tokens::Tokens;

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
    /// `None` if a bracket closes what another kind has opened, or if there are too many levels.
    #[inline(always)]
    pub(super) fn of(
        bytes: &[u8],
        tokens: &Tokens,
        live: u64,
        mut nesting: Nesting,
    ) -> Option<Self> {
        let mut inner = filled(nesting.in_object());
        let mut objects = inner;
        let mut top = filled(nesting.depth() == 1);
        let mut left = tokens.brackets() & live;
        while let Some(place) = first(left) {
            let byte = *bytes.get(place as usize)?;
            // The brackets differ in two bits: of objects or not, opening or not.
            let (object, after) = (filled(byte & 0x20 != 0), above(place));
            let outer = inner;
            if byte & 2 != 0 {
                if !nesting.push(object != 0) {
                    return None;
                }
                top &= !after;
                inner = object;
            } else {
                if inner != object {
                    return None;
                }
                nesting.pop();
                inner = filled(nesting.in_object());
                if nesting.depth() <= 1 {
                    top |= after;
                    if nesting.depth() == 0 {
                        return Some(Self { nesting, objects, top, live: !after });
                    }
                }
            }
            objects ^= (inner ^ outer) & after;
            left = without_first(left);
        }
        Some(Self { nesting, objects, top, live: u64::MAX })
    }
}
