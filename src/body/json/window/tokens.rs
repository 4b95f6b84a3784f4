//! Where the tokens of a window are.

use super::super::super::block::{Block, WIDTH};
use super::super::super::places::{above, after_runs, below, last, odd};
use super::super::escapes::Escapes;

/// A string that begins this near to a window's end is left to the next one, which has the whole of
/// it if it is a short one.
const SHORT_STRING_BYTES: usize = 16;

pub(super) struct Tokens {
    /// From each opening quote to before the closing one.
    strings: u64,
    pub(super) opening_quotes: u64,
    pub(super) closing_quotes: u64,
    pub(super) spaces: u64,
    /// `,`, `:`, `[` and `{`: what a value or a key must follow.
    pub(super) wanting: u64,
    pub(super) colons: u64,
    pub(super) openings: u64,
    pub(super) closings: u64,
    /// What is neither string, space nor punctuation.
    pub(super) scalars: u64,
    /// Digits and zeros, those of strings too.
    pub(super) digits: u64,
    pub(super) zeros: u64,
    pub(super) backslashes: u64,
    /// Bytes that no string may have, and wrong escapes.
    pub(super) faults: u64,
}

impl Tokens {
    #[inline(always)]
    pub(super) fn of(block: Block) -> Self {
        let mut quotes = block.bytes(b'"');
        let (digits, spaces_and_zeros) = (block.digits(), block.spaces_and_zeros());
        let mut spaces = spaces_and_zeros & !digits;
        let (mut backslashes, mut faults) = (0, 0);
        if block.has_escape_or_control() {
            backslashes = block.bytes(b'\\');
            if backslashes != 0 {
                let escapes = Escapes::of(backslashes);
                quotes &= !escapes.escaped;
                faults = escapes.faults(block);
            }
            faults |= block.controls();
            spaces |= block.line_breaks();
        }
        let strings = odd(quotes);
        let outside = !(strings | quotes);
        let spaces = spaces & outside;
        let (commas, colons) = (block.bytes(b',') & outside, block.bytes(b':') & outside);
        let (openings, closings) = (block.openings() & outside, block.closings() & outside);
        Self {
            strings,
            opening_quotes: quotes & strings,
            closing_quotes: quotes & !strings,
            spaces,
            wanting: commas | colons | openings,
            colons,
            openings,
            closings,
            digits,
            zeros: spaces_and_zeros & digits,
            scalars: outside & !(spaces | commas | colons | openings | closings),
            backslashes,
            faults: faults & strings,
        }
    }

    #[inline(always)]
    pub(super) fn scalar_starts(&self) -> u64 {
        self.scalars & !(self.scalars << 1)
    }

    /// The closing quotes of the strings that begin here.
    #[inline(always)]
    pub(super) fn string_ends(&self, opening_quotes: u64) -> u64 {
        after_runs(opening_quotes, self.strings)
    }

    /// All bytes of tokens but the text of strings.
    #[inline(always)]
    pub(super) fn all(&self) -> u64 {
        !(self.spaces | self.strings) | self.opening_quotes
    }

    /// The places before the first token whose end is not in the block. A long string's beginning
    /// is one of them, unless the end may have cut an escape in it.
    #[inline(always)]
    pub(super) fn whole(&self) -> u64 {
        const LAST: u32 = (WIDTH - SHORT_STRING_BYTES) as u32;
        if self.strings >> 63 == 0 {
            return u64::MAX.unbounded_shr(self.scalars.leading_ones());
        }
        match last(self.opening_quotes) {
            Some(open @ LAST..) => below(open),
            Some(open) if self.backslashes & above(open) != 0 => !above(open),
            _ => u64::MAX,
        }
    }
}
