//! The way through a string that nothing is read of: most of a body.

use super::super::block::{Block, WIDTH};
use super::escapes::Escapes;
use super::{Role, State};

/// The longest escape, `\u` with four digits.
const ESCAPE_BYTES_MAX: usize = 6;

/// Reads on in a string.
pub(super) fn skip(role: Role, rest: &[u8]) -> (State, &[u8]) {
    let rest = rest.get(plain(rest)..).unwrap_or_default();
    match rest {
        [b'"', rest @ ..] => (role.after(), rest),
        [b'\\', rest @ ..] => (State::SkipEscape(role), rest),
        [0x20..=0xff, rest @ ..] => (State::Skip(role), rest),
        _ => (State::Skip(role), rest),
    }
}

/// How many bytes at the start of a string's rest need no state: plain ones, and whole escapes.
#[inline(never)]
fn plain(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    loop {
        let (blocks, _) = rest.as_chunks::<WIDTH>();
        let plain = blocks.iter().take_while(|block| !Block::load(block).has_special()).count();
        rest = rest.get(plain.saturating_mul(WIDTH)..).unwrap_or_default();
        let Some(block) = Block::load_first(rest) else { break };
        let skipped = skip_in_block(block).min(rest.len());
        rest = rest.get(skipped..).unwrap_or_default();
        // An escape that the block's end has cut is whole in the next one, which begins with it.
        if skipped == 0 || skipped <= WIDTH.saturating_sub(ESCAPE_BYTES_MAX) {
            break;
        }
    }
    bytes.len().saturating_sub(rest.len())
}

/// Up to the closing quote, a byte that a string must not have, or an escape that is invalid or
/// goes on outside of the block.
#[inline(always)]
fn skip_in_block(block: Block) -> usize {
    let backslashes = block.bytes(b'\\');
    let mut ends = block.quotes_and_controls();
    if backslashes != 0 {
        let escapes = Escapes::of(backslashes);
        // An escaped control is a fault.
        ends = (ends & !escapes.escaped) | escapes.faults(block);
    }
    ends.trailing_zeros() as usize
}
