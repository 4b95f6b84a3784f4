//! The structure between long strings, a window of 64 bytes at a time.
//!
//! A window begins at a token's start, and ends before the first token that it does not have the
//! whole of: there is nothing to remember but the state that the byte machine knows too. Sets of
//! places answer for all of its tokens at once what the byte machine asks of each byte:
//!
//! ```text
//! bytes      {"a": [1,"b\"",true],
//! strings     ###    #####           from the quotes that are not escaped
//! scalars           #       ####     what is neither string, space nor punctuation
//! objects     #####             #    where the innermost that is open is an object
//! wanting     #     ## #    #        follows `{`, `[`, `,` or `:`, spaces apart: a value or a key
//! ended          #   # #    #   ##   the first byte after a value or a key: punctuation
//! ```
//!
//! A window says only that all is well, and where it ended. What it refuses the byte machine reads,
//! and says what is wrong and where.

mod order;
mod scalars;
mod tokens;
mod top;
mod walk;

use std::ops::Range;

use super::super::block::Block;
use super::super::places::{bit, last};
use super::nesting::Nesting;
use super::{Role, State};
use order::Order;
use tokens::Tokens;
use top::Top;
use walk::Walk;

/// What windows came to.
pub(super) struct Read {
    /// How many bytes have been read; none if there is something wrong with the first window, or if
    /// its first token is one for the byte machine.
    pub(super) bytes: usize,
    /// Whether there is something wrong with the window after those that were read, or whether it may have too many
    /// levels: the byte machine knows.
    pub(super) is_refused: bool,
    pub(super) state: State,
    /// Where the text of the model is, if it is among them.
    pub(super) model: Option<Range<usize>>,
}

/// Reads windows while they are good, from a place where a token or white space may begin.
#[inline(never)]
pub(super) fn read(bytes: &[u8], state: State, nesting: &mut Nesting, mut has_model: bool) -> Read {
    let mut model = None;
    let Some(mut before) = Before::of(state, nesting) else {
        return Read { bytes: 0, is_refused: false, state, model };
    };
    let (mut rest, mut is_refused) = (bytes, false);
    while let Some(block) = Block::load_first(rest) {
        let Some(window) = Window::of(block, rest, before, *nesting, has_model) else {
            is_refused = true;
            break;
        };
        if let Some(place) = window.model {
            let base = bytes.len().saturating_sub(rest.len());
            let in_bytes = |place: u32| base.saturating_add(place as usize);
            (model, has_model) = (Some(in_bytes(place.start)..in_bytes(place.end)), true);
        }
        let read = u64::BITS.saturating_sub(window.live.leading_zeros()) as usize;
        rest = rest.get(read..).unwrap_or_default();
        before = window.before;
        *nesting = window.nesting;
        if read == 0 || before.string != 0 || nesting.depth() == 0 {
            break;
        }
    }
    let read = bytes.len().saturating_sub(rest.len());
    Read { bytes: read, is_refused, state: before.state(nesting), model }
}

/// The last token, as a bit at the first place of a window.
#[derive(Clone, Copy)]
struct Before {
    /// `{`, `[`, `,` or `:`.
    wanting: u64,
    /// `{` or `[`.
    opening: u64,
    colon: u64,
    /// The closing quote of a key.
    key: u64,
    /// The beginning of a string that ends elsewhere; 2 of a key.
    string: u64,
}

impl Before {
    #[inline(always)]
    fn of(state: State, nesting: &Nesting) -> Option<Self> {
        let (wanting, opening, colon, key) = match state {
            State::KeyOrEnd | State::ValueOrEnd => (1, 1, 0, 0),
            State::Key => (1, 0, 0, 0),
            State::Value => (1, 0, u64::from(nesting.in_object()), 0),
            State::Colon => (0, 0, 0, 1),
            State::CommaOrEnd => (0, 0, 0, 0),
            _ => return None,
        };
        Some(Self { wanting, opening, colon, key, string: 0 })
    }

    fn state(&self, nesting: &Nesting) -> State {
        match self {
            _ if nesting.depth() == 0 => State::End,
            Self { string: 2, .. } => State::Skip(Role::Key),
            Self { string: 1, .. } => State::Skip(Role::Value),
            Self { key: 1, .. } => State::Colon,
            Self { colon: 1, .. } => State::Value,
            Self { opening: 1, .. } if nesting.in_object() => State::KeyOrEnd,
            Self { opening: 1, .. } => State::ValueOrEnd,
            Self { wanting: 1, .. } if nesting.in_object() => State::Key,
            Self { wanting: 1, .. } => State::Value,
            _ => State::CommaOrEnd,
        }
    }
}

/// A window that is good.
struct Window {
    /// The places that have been read: from the first on.
    live: u64,
    before: Before,
    nesting: Nesting,
    model: Option<Range<u32>>,
}

impl Window {
    #[inline(always)]
    fn of(
        block: Block,
        bytes: &[u8],
        before: Before,
        nesting: Nesting,
        has_model: bool,
    ) -> Option<Self> {
        let tokens = Tokens::of(block);
        let mut live = tokens.whole();
        let order = Order::of(&tokens, before);
        // In this order few sets are needed at a time: a processor has few registers.
        if (tokens.faults | order.faults(&tokens)) & live != 0
            || !scalars::hold(block, bytes, &tokens, live)
        {
            return None;
        }
        let walk_in =
            |live| Walk::of(block, tokens.openings & live, tokens.closings & live, nesting);
        let mut walk = walk_in(live)?;
        let mut model = None;
        if walk.top & live != 0 {
            let keys = order.keys(&tokens, walk.objects) & walk.top & live & walk.live;
            let top = Top::of(bytes, keys, &tokens, has_model);
            model = top.model;
            if top.live != u64::MAX {
                live &= top.live;
                walk = walk_in(live)?;
            }
            live &= walk.live;
        }
        let keys = order.keys(&tokens, walk.objects);
        let key_ends = tokens.string_ends(keys);
        if order.key_faults(&tokens, walk.objects, key_ends) & live != 0 {
            return None;
        }
        let Some(last) = last(tokens.all() & live) else {
            return Some(Self { live, before, nesting, model });
        };
        let before = Before {
            wanting: bit(tokens.wanting, last),
            opening: bit(tokens.openings, last),
            colon: bit(tokens.colons, last),
            key: bit(key_ends, last),
            string: bit(tokens.opening_quotes, last) << bit(keys, last),
        };
        Some(Self { live, before, nesting: walk.nesting, model })
    }
}
