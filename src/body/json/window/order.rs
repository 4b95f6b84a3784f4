//! Which token follows which.

use super::super::super::places::after_runs;
use super::Before;
use super::tokens::Tokens;

/// First bytes of tokens, by the token before.
pub(super) struct Order {
    /// After `{`, `[`, `,` or `:`.
    wanting: u64,
    /// After `{` or `[`.
    opened: u64,
    /// After `:`.
    colon: u64,
    before: Before,
}

impl Order {
    #[inline(always)]
    pub(super) fn of(tokens: &Tokens, before: Before) -> Self {
        Self {
            wanting: after(tokens.wanting, before.wanting, tokens.spaces),
            opened: after(tokens.openings, before.opening, tokens.spaces),
            colon: after(tokens.colons, before.colon, tokens.spaces),
            before,
        }
    }

    /// The opening quotes of keys.
    #[inline(always)]
    pub(super) fn keys(&self, tokens: &Tokens, objects: u64) -> u64 {
        self.wanting & objects & !self.colon & tokens.opening_quotes
    }

    /// A place for each token that follows one that it must not follow, wherever they are.
    #[inline(always)]
    pub(super) fn faults(&self, tokens: &Tokens) -> u64 {
        let values = tokens.opening_quotes | tokens.scalar_starts() | tokens.openings;
        (self.wanting & !(values | (tokens.closings & self.opened))) | (values & !self.wanting)
    }

    /// A place for each key that is none, or has no colon, and for each other colon.
    #[inline(always)]
    pub(super) fn key_faults(&self, tokens: &Tokens, objects: u64, key_ends: u64) -> u64 {
        let wanting_keys = self.wanting & objects & !self.colon;
        let after_keys = after(key_ends, self.before.key, tokens.spaces);
        (wanting_keys & !(tokens.opening_quotes | tokens.closings)) | (tokens.colons ^ after_keys)
    }
}

/// The first byte after each of `tokens` that is not white space; `before` is for what came before
/// the window.
#[inline(always)]
fn after(tokens: u64, before: u64, spaces: u64) -> u64 {
    after_runs(tokens << 1 | before, spaces)
}
