//! The numbers and literals of a window, all of them at once.

use super::super::super::block::Block;
use super::super::super::places::{after_runs, first, without_first};
use super::tokens::Tokens;

/// Whether each of the scalars at `live` places is `true`, `false`, `null` or a number (RFC 8259,
/// section 6). The byte after each is in the block.
#[inline(always)]
pub(super) fn hold(block: Block, bytes: &[u8], tokens: &Tokens, live: u64) -> bool {
    let (scalars, starts) = (tokens.scalars & live, tokens.scalar_starts() & live);
    let (digits, zeros) = (scalars & tokens.digits, scalars & tokens.zeros);
    if digits == scalars {
        return (starts & zeros) << 1 & digits == 0;
    }
    let minuses = scalars & block.bytes(b'-');
    let Some(literals) = literals(bytes, starts & !digits & !minuses) else { return false };
    let numbers = scalars & !literals;
    // What follows a literal begins no number.
    if literals << 1 & numbers != 0 {
        return false;
    }
    let numbers = Numbers { all: numbers, starts: starts & numbers, digits, zeros, minuses };
    numbers.faults(block) == 0
}

/// The bytes of the literals that begin here; `None` if one begins that is something else.
#[inline(always)]
fn literals(bytes: &[u8], starts: u64) -> Option<u64> {
    let (mut left, mut literals) = (starts, 0);
    while let Some(start) = first(left) {
        let (word, rest) = bytes.get(start as usize..)?.split_first_chunk::<4>()?;
        // No branch of them: which one it is cannot be predicted.
        let is_true = word == b"true";
        let is_null = word == b"null";
        let is_false = (word == b"fals") & (rest.first() == Some(&b'e'));
        if !(is_true | is_null | is_false) {
            return None;
        }
        literals |= (0b1111 | u64::from(is_false) << 4) << (start & 63);
        left = without_first(left);
    }
    Some(literals)
}

/// The places of all bytes of numbers, by kind.
struct Numbers {
    all: u64,
    starts: u64,
    digits: u64,
    zeros: u64,
    minuses: u64,
}

impl Numbers {
    /// A place for each violation of the grammar.
    #[inline(always)]
    fn faults(&self, block: Block) -> u64 {
        let Self { all, starts, digits, zeros, minuses } = *self;
        let first_digits = starts | (starts & minuses) << 1;
        let faults = (starts & !(digits | minuses)) // begins with another byte
            | (minuses << 1 & !digits) // is followed by another byte than a digit
            | ((first_digits & zeros) << 1 & digits); // has a digit after its leading zero
        if digits | minuses == all {
            return faults | (minuses & !starts);
        }
        let points = all & block.bytes(b'.');
        let faults = faults
            | (points << 1 & !digits)
            | (points & !(digits << 1)) // follows another byte than a digit
            | (after_runs(points << 1 & digits, digits) & points); // is a second point
        if digits | minuses | points == all {
            return faults | (minuses & !starts);
        }
        faults | self.exponent_faults(block, points)
    }

    #[inline(always)]
    fn exponent_faults(&self, block: Block, points: u64) -> u64 {
        let Self { all, starts, digits, minuses, .. } = *self;
        let (exponents, pluses) = (all & block.exponents(), all & block.bytes(b'+'));
        let after_exponents = exponents << 1;
        let signs = after_exponents & (minuses | pluses);
        let first_digits = (after_exponents | signs << 1) & digits;
        (all & !(digits | minuses | pluses | points | exponents)) // is of no number
            | (minuses & !(starts | after_exponents)) // is in the middle
            | (pluses & !after_exponents)
            | (pluses << 1 & !digits)
            | (after_exponents & !(digits | signs))
            | (exponents & !(digits << 1))
            | (after_runs(first_digits, digits) & (points | exponents)) // is in an exponent
    }
}
