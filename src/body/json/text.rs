//! The strings that are read: top-level keys, and the model.

use std::ops::Range;

use super::super::error::{Problem, ScanError};
use super::super::text::Pushed;
use super::{FoundModel, JsonScanner, KEY_BYTES_MAX, Next, State};
use crate::request::model::MODEL_BYTES_MAX;

impl JsonScanner {
    /// `rest` is what follows the opening quote.
    pub(super) fn begin_text(&mut self, state: State, rest: &[u8]) -> State {
        self.text.clear();
        self.text_start = self.offset_of(rest);
        state
    }

    /// The model is the `text` of `rest`.
    pub(super) fn found_model(&mut self, rest: &[u8], text: Range<usize>) -> Result<(), ScanError> {
        let quote = rest.get(text.end..).unwrap_or_default();
        self.begin_text(State::Model, rest.get(text.start..).unwrap_or_default());
        self.end_text(State::Model, rest.get(text).unwrap_or_default(), quote)?;
        Ok(())
    }

    /// Reads on in a top-level key or in the model: all of it at once, if it has no escapes and is
    /// in one piece.
    pub(super) fn text<'a>(&mut self, state: State, rest: &'a [u8]) -> Next<'a> {
        let bytes_max = match state {
            State::Model => MODEL_BYTES_MAX,
            _ => KEY_BYTES_MAX,
        };
        if self.text_start == self.offset_of(rest) {
            let near = rest.get(..=bytes_max).unwrap_or(rest);
            if let Some((text, quote)) = plain_text(near, rest) {
                let state = self.end_text(state, text, quote)?;
                return Ok((state, quote.get(1..).unwrap_or_default()));
            }
        }
        self.text_by_bytes(state, rest, bytes_max)
    }

    #[inline(never)]
    fn text_by_bytes<'a>(
        &mut self,
        state: State,
        mut rest: &'a [u8],
        bytes_max: usize,
    ) -> Next<'a> {
        while let Some((byte, tail)) = rest.split_first() {
            match self.text.push(*byte) {
                Ok(Pushed::End) => {
                    let text = std::mem::take(&mut self.text);
                    let state = match state {
                        State::Model if text.is_broken() => {
                            Err(self.error(Problem::ModelNotUnicode, rest))
                        }
                        _ => self.end_text(state, text.bytes(), rest),
                    };
                    self.text = text;
                    return Ok((state?, tail));
                }
                Ok(Pushed::More) if self.text.is_longer_than(bytes_max) => {
                    return Err(self.error(too_long(state), rest));
                }
                Ok(Pushed::More) => rest = tail,
                Err(problem) => return Err(self.error(problem, rest)),
            }
        }
        Ok((state, rest))
    }

    /// The text is complete: `rest` begins with its closing quote.
    fn end_text(&mut self, state: State, text: &[u8], rest: &[u8]) -> Result<State, ScanError> {
        let next = match state {
            State::Model => self.end_model(text, rest),
            _ => self.end_top_key(text),
        };
        next.map_err(|problem| self.error(problem, rest))
    }

    fn end_top_key(&mut self, key: &[u8]) -> Result<State, Problem> {
        self.at_model = key == b"model";
        match (self.at_model, self.has_model_key()) {
            (true, true) => Err(Problem::DuplicateModel),
            // Go's decoder, among others, takes such a key for `model`.
            (false, _) if key.eq_ignore_ascii_case(b"model") => Err(Problem::ModelInOtherCase),
            _ => Ok(State::Colon),
        }
    }

    fn end_model(&mut self, text: &[u8], rest: &[u8]) -> Result<State, Problem> {
        let Ok(value) = String::from_utf8(text.to_vec()) else {
            return Err(Problem::ModelNotUnicode);
        };
        let (start, end) = (self.text_start, self.offset_of(rest));
        self.model = Some(FoundModel { value, start, end });
        Ok(State::CommaOrEnd)
    }
}

fn too_long(state: State) -> Problem {
    match state {
        State::Model => Problem::ModelTooLong,
        _ => Problem::KeyTooLong,
    }
}

/// A text without escapes at the start of `near`, and what follows it in `rest`: its closing quote.
fn plain_text<'a>(near: &[u8], rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let (text, quote) = rest.split_at_checked(near.iter().position(is_special)?)?;
    (quote.first() == Some(&b'"')).then_some((text, quote))
}
