//! The edits of a body: only the model's bytes change, and a request for the usage comes in; every other byte arrives as it was
//! sent.

use super::found::FoundModel;

/// Replaces the bytes `start..end` of the body by `with`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where the replaced bytes begin, counted from the body's first byte.
    pub start: u64,
    /// Where the replaced bytes end.
    pub end: u64,
    /// The bytes that take their place.
    pub with: Vec<u8>,
}

/// What an edit does to a piece of a body: the bytes from `keep` to `end` are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut<'a> {
    /// The number of bytes before the replaced ones.
    pub keep: usize,
    /// Where the replaced bytes end.
    pub end: usize,
    /// The bytes that take their place.
    pub with: &'a [u8],
}

impl Edit {
    /// Replaces the model that was found by `name`, escaped for JSON. The quotes stay.
    pub fn json_model(found: &FoundModel, name: &str) -> Self {
        let quoted = serde_json::to_string(name).unwrap_or_default();
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Self {
            start: found.start,
            end: found.end,
            with: inner.unwrap_or_default().as_bytes().to_vec(),
        }
    }

    /// Replaces the model that was found by `name`. A form has no escapes.
    pub fn form_model(found: &FoundModel, name: &str) -> Self {
        Self { start: found.start, end: found.end, with: name.as_bytes().to_vec() }
    }

    /// How the edit changes a piece of `size` bytes at `offset`; `None` where it does not.
    pub fn cut(&self, offset: u64, size: usize) -> Option<Cut<'_>> {
        let place = |at: u64| usize::try_from(at.saturating_sub(offset)).ok();
        let (start, end) = (place(self.start)?, place(self.end)?.min(size));
        let begins_here = self.start >= offset;
        let is_here = start < size && (end > 0 || begins_here);
        is_here.then(|| Cut {
            keep: if begins_here { start } else { 0 },
            end,
            with: if begins_here { &self.with } else { &[] },
        })
    }

    /// Applies the edit to a body, or to as much of it as the edit needs.
    pub fn apply(&self, mut body: Vec<u8>) -> Vec<u8> {
        let length = body.len();
        let place = |offset: u64| usize::try_from(offset).unwrap_or(length).min(length);
        let tail = body.split_off(place(self.end));
        body.truncate(place(self.start));
        body.extend_from_slice(&self.with);
        body.extend(tail);
        body
    }

    /// The body's length after the edit.
    pub fn resized(&self, length: u64) -> u64 {
        let removed = self.end.saturating_sub(self.start);
        length.saturating_sub(removed).saturating_add(self.with.len() as u64)
    }
}

/// The edits of one body, at most two, in the order of their places. The places do not overlap.
#[derive(Debug, Clone, Copy, Default)]
pub struct Edits<'a>([Option<&'a Edit>; 2]);

impl<'a> Edits<'a> {
    pub fn of(one: Option<&'a Edit>, other: Option<&'a Edit>) -> Self {
        match (one, other) {
            (Some(first), Some(second)) if first.start > second.start => Self([other, one]),
            _ => Self([one, other]),
        }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a Edit> {
        self.0.into_iter().flatten()
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Where the last one ends; `None` without an edit.
    pub fn end(&self) -> Option<u64> {
        self.iter().next_back().map(|edit| edit.end)
    }

    /// The body's length after the edits.
    pub fn resized(&self, length: u64) -> u64 {
        self.iter().fold(length, |length, edit| edit.resized(length))
    }

    /// How the edits change a piece of `size` bytes at `offset`: how many bytes at its start are replaced, and what takes their
    /// place. `read` reads the first bytes of the piece.
    pub fn of_piece(
        &self,
        offset: u64,
        size: usize,
        read: impl FnOnce(usize) -> Vec<u8>,
    ) -> Option<(usize, Vec<u8>)> {
        let cuts = || self.iter().filter_map(|edit| edit.cut(offset, size));
        let replaced = cuts().next_back()?.end;
        let (old, mut new, mut done) = (read(replaced), Vec::new(), 0);
        for Cut { keep, end, with } in cuts() {
            new.extend_from_slice(old.get(done..keep).unwrap_or_default());
            new.extend_from_slice(with);
            done = end;
        }
        Some((replaced, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn two_edits_change_a_body_in_pieces_of_every_size() {
        let body = b"abcdefghij";
        let edit = |start, end, with: &str| Edit { start, end, with: with.into() };
        for (one, other, expected) in [
            (edit(1, 1, "123"), edit(4, 6, "X"), &b"a123bcdXghij"[..]),
            (edit(4, 6, "X"), edit(1, 1, "123"), b"a123bcdXghij"),
            (edit(2, 4, ""), edit(4, 4, "Y"), b"abYefghij"),
            (edit(0, 3, "X"), edit(9, 10, "Y"), b"XdefghiY"),
        ] {
            let edits = Edits::of(Some(&one), Some(&other));
            assert_eq!(edits.resized(10), expected.len() as u64);
            for size in 1..=body.len() {
                let (mut seen, mut offset) = (Vec::new(), 0);
                for piece in body.chunks(size) {
                    let read = |size: usize| piece[..size].to_vec();
                    let change = edits.of_piece(offset, piece.len(), read);
                    let (replaced, new) = change.unwrap_or_default();
                    seen.extend(new);
                    seen.extend(&piece[replaced..]);
                    offset += piece.len() as u64;
                }
                assert_eq!(seen, expected, "in pieces of {size}");
            }
        }
        assert_eq!(Edits::of(None, None).of_piece(0, 5, |_| Vec::new()), None);
    }

    #[test]
    fn changes_only_the_replaced_bytes() {
        let edit = |start, end, with: &str| Edit { start, end, with: with.into() };
        for (edit, body, expected) in [
            (edit(1, 3, "xyz"), "abcde", "axyzde"),
            (edit(0, 5, ""), "abcde", ""),
            (edit(2, 2, "-"), "abcde", "ab-cde"),
            (edit(3, 5, "x"), "abcde", "abcx"),
        ] {
            assert_eq!(edit.apply(body.into()), expected.as_bytes());
            assert_eq!(edit.resized(body.len() as u64), expected.len() as u64);
        }
    }
}
