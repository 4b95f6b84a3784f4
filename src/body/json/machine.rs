//! The byte machine: what a byte does in a state, and how many bytes there are of one kind.
//!
//! `None` is for a byte that cannot follow: what is wrong with it is worked out elsewhere, and then
//! only.

use super::super::number::Number;
use super::{JsonScanner, Literal, Role, State};

impl JsonScanner {
    /// Reads a byte between strings, numbers and literals, or white space in a row.
    pub(super) fn structure<'a>(&mut self, state: State, rest: &'a [u8]) -> (State, &'a [u8]) {
        let Some((byte, tail)) = rest.split_first() else { return (state, rest) };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => (state, without_space(tail)),
            _ => self.step(state, *byte, tail).map_or((state, rest), |state| (state, tail)),
        }
    }

    /// The state after a byte that is not white space; `tail` follows it.
    #[inline(always)]
    fn step(&mut self, state: State, byte: u8, tail: &[u8]) -> Option<State> {
        match (state, byte) {
            (State::Start, b'{') => self.open(true),
            (State::KeyOrEnd, b'}') | (State::ValueOrEnd, b']') => Some(self.close()),
            (State::KeyOrEnd | State::Key, b'"') if self.nesting.depth() == 1 => {
                Some(self.begin_text(State::TopKey, tail))
            }
            (State::KeyOrEnd | State::Key, b'"') => Some(State::Skip(Role::Key)),
            (State::Colon, b':') => Some(State::Value),
            (State::CommaOrEnd, b',') if self.nesting.in_object() => Some(State::Key),
            (State::CommaOrEnd, b',') => Some(State::Value),
            (State::CommaOrEnd, b'}') if self.nesting.in_object() => Some(self.close()),
            (State::CommaOrEnd, b']') if !self.nesting.in_object() => Some(self.close()),
            (State::Value | State::ValueOrEnd, _) => self.value(byte, tail),
            _ => None,
        }
    }

    /// The first byte of a value.
    #[inline(always)]
    fn value(&mut self, byte: u8, tail: &[u8]) -> Option<State> {
        match byte {
            b'"' if self.at_model => {
                self.at_model = false;
                Some(self.begin_text(State::Model, tail))
            }
            b'n' if self.at_model => {
                (self.at_model, self.has_null_model) = (false, true);
                Some(State::Literal(Literal::Null, 1))
            }
            _ if self.at_model => None,
            b'"' => Some(State::Skip(Role::Value)),
            b'{' => self.open(true),
            b'[' => self.open(false),
            b't' => Some(State::Literal(Literal::True, 1)),
            b'f' => Some(State::Literal(Literal::False, 1)),
            b'n' => Some(State::Literal(Literal::Null, 1)),
            _ => Number::begin(byte).map(State::Number),
        }
    }

    fn open(&mut self, object: bool) -> Option<State> {
        self.nesting.push(object).then_some(match object {
            true => State::KeyOrEnd,
            false => State::ValueOrEnd,
        })
    }

    fn close(&mut self) -> State {
        self.nesting.pop();
        if self.nesting.depth() == 0 { State::End } else { State::CommaOrEnd }
    }
}

fn without_space(mut rest: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', tail @ ..] = rest {
        rest = tail;
    }
    rest
}

/// Reads on in a number.
pub(super) fn number(mut number: Number, mut rest: &[u8]) -> (State, &[u8]) {
    while let Some((byte, tail)) = rest.split_first() {
        number = match number.next(*byte) {
            Some(next) => next,
            None if number.is_whole() => return (State::CommaOrEnd, rest),
            None => break,
        };
        rest = tail;
    }
    (State::Number(number), rest)
}

/// Reads on in a literal.
pub(super) fn literal(literal: Literal, mut read: u8, mut rest: &[u8]) -> (State, &[u8]) {
    while let Some(expected) = literal.byte(read) {
        match rest.split_first() {
            Some((byte, tail)) if *byte == expected => rest = tail,
            _ => return (State::Literal(literal, read), rest),
        }
        read = read.saturating_add(1);
    }
    (State::CommaOrEnd, rest)
}

/// Reads an escape, as far as it goes.
pub(super) fn escape(mut state: State, mut rest: &[u8]) -> (State, &[u8]) {
    while let Some((byte, tail)) = rest.split_first() {
        state = match (state, byte) {
            (State::SkipEscape(role), b'u') => State::SkipHex(role, 4),
            (State::SkipEscape(role), b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                State::Skip(role)
            }
            (State::SkipHex(role, 1), byte) if byte.is_ascii_hexdigit() => State::Skip(role),
            (State::SkipHex(role, left), byte) if byte.is_ascii_hexdigit() => {
                State::SkipHex(role, left.saturating_sub(1))
            }
            _ => break,
        };
        rest = tail;
    }
    (state, rest)
}

impl Role {
    pub(super) fn after(self) -> State {
        match self {
            Self::Key => State::Colon,
            Self::Value => State::CommaOrEnd,
        }
    }
}

impl Literal {
    fn byte(self, place: u8) -> Option<u8> {
        let word: &[u8] = match self {
            Self::True => b"true",
            Self::False => b"false",
            Self::Null => b"null",
        };
        word.get(usize::from(place)).copied()
    }
}
