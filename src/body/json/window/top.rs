//! The keys of the outermost object, of which one may be `model`.

use std::ops::Range;

use super::super::super::places::{above, below, bit, first, without_first};
use super::tokens::Tokens;

pub(super) struct Top {
    /// The places before the first key that is for the byte machine: one that is not whole, has
    /// escapes, or is like `model` but not the first one with a plain string.
    pub(super) live: u64,
    /// The text of the model.
    pub(super) model: Option<Range<u32>>,
}

impl Top {
    /// `keys` has the opening quotes.
    #[inline(always)]
    pub(super) fn of(bytes: &[u8], keys: u64, tokens: &Tokens, has_model: bool) -> Self {
        let (mut left, mut model) = (keys, None);
        while let Some(key) = first(left) {
            let slow = Self { live: below(key), model: model.clone() };
            let Some(text) = plain_text(tokens, key) else { return slow };
            let Some(name) = bytes.get(text.start as usize..text.end as usize) else { return slow };
            if name.eq_ignore_ascii_case(b"model") {
                if name != b"model" || has_model || model.is_some() {
                    return slow;
                }
                model = plain_value(tokens, text.end);
                if model.is_none() {
                    return slow;
                }
            }
            left = without_first(left);
        }
        Self { live: u64::MAX, model }
    }
}

/// The text of a string that begins at `quote`, is whole and has no escapes.
#[inline(always)]
fn plain_text(tokens: &Tokens, quote: u32) -> Option<Range<u32>> {
    let end = first(tokens.closing_quotes & above(quote))?;
    let is_plain = tokens.backslashes & above(quote) & below(end) == 0;
    is_plain.then_some(quote.wrapping_add(1)..end)
}

/// The text of such a string that follows a key and a colon.
#[inline(always)]
fn plain_value(tokens: &Tokens, key_end: u32) -> Option<Range<u32>> {
    let colon = first(above(key_end) & !tokens.spaces)?;
    let value = first(above(colon) & !tokens.spaces)?;
    match bit(tokens.colons, colon) & bit(tokens.opening_quotes, value) {
        1 => plain_text(tokens, value),
        _ => None,
    }
}
