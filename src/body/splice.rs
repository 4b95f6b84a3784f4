//! How held bytes go back into Envoy's buffer, with the edits applied.
//!
//! ```text
//! held by the filter      Envoy's buffer
//! [piece][piece]          [........|...............]
//!                    edit ────^    ^── `replaced` ends: the bytes after it stay as they are
//! ```
//!
//! Envoy can replace the start of a buffer, and nothing in its middle. So an edit in the buffer means that all bytes
//! before the edit's end are written again.

use super::edit::{Edit, Edits};

/// A replacement of the start of Envoy's buffer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Splice {
    /// How many bytes at the buffer's start are replaced.
    pub replaced: usize,
    /// The bytes that take their place, in order.
    pub pieces: Vec<Vec<u8>>,
}

impl Splice {
    /// Puts `held` before the buffer's bytes, and applies `edits`, whose offsets count from the first held byte. `read`
    /// are copies of the buffer's first bytes, at least up to the end of the last edit.
    pub fn of(held: Vec<Vec<u8>>, read: Vec<Vec<u8>>, edits: Edits<'_>) -> Self {
        let Some(end) = edits.end() else { return Self { replaced: 0, pieces: held } };
        let held_bytes: usize = held.iter().map(Vec::len).sum();
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        let replaced = end.saturating_sub(held_bytes);
        let mut pieces = held;
        let mut missing = replaced;
        for mut piece in read {
            if missing == 0 {
                break;
            }
            piece.truncate(missing);
            missing = missing.saturating_sub(piece.len());
            pieces.push(piece);
        }
        // From the last one to the first: an edit moves what follows.
        Self { replaced, pieces: edits.iter().rev().fold(pieces, edited) }
    }
}

/// Applies the edit to the piece that contains the edit, so that the other pieces are not copied. Where the edit lies
/// across two pieces, all pieces become one.
fn edited(mut pieces: Vec<Vec<u8>>, edit: &Edit) -> Vec<Vec<u8>> {
    let mut start = 0_u64;
    for piece in &mut pieces {
        let end = start.saturating_add(piece.len() as u64);
        if start <= edit.start && edit.end <= end {
            let within = Edit {
                start: edit.start.saturating_sub(start),
                end: edit.end.saturating_sub(start),
                with: edit.with.clone(),
            };
            *piece = within.apply(std::mem::take(piece));
            return pieces;
        }
        start = end;
    }
    vec![edit.apply(pieces.concat())]
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The body that a provider gets when `held` was taken out of Envoy's buffer and `buffer` is in it.
    fn forwarded(
        held: &[&str],
        buffer: &str,
        edit: Option<&Edit>,
        other: Option<&Edit>,
    ) -> Vec<u8> {
        let held = held.iter().map(|piece| piece.as_bytes().to_vec()).collect();
        let read = buffer.as_bytes().chunks(3).map(<[u8]>::to_vec).collect();
        let Splice { replaced, pieces } = Splice::of(held, read, Edits::of(edit, other));
        [pieces.concat(), buffer.as_bytes()[replaced..].to_vec()].concat()
    }

    #[test]
    fn an_edit_at_every_place_gives_the_edited_body() {
        let body = "abcdefghij";
        for start in 0..body.len() {
            for end in start..=body.len() {
                let edit = Edit { start: start as u64, end: end as u64, with: b"XY".to_vec() };
                let expected = edit.apply(body.into());
                for cut in 0..=body.len() {
                    let (held, buffer) = body.split_at(cut);
                    let (one, two) = held.split_at(held.len() / 2);
                    assert_eq!(forwarded(&[one, two], buffer, Some(&edit), None), expected);
                    // With an insertion before or after.
                    for at in (0..=start as u64).chain(end as u64..body.len() as u64) {
                        let other = Edit { start: at, end: at, with: b"+".to_vec() };
                        let mut expected = expected.clone();
                        let moved = if at < edit.end { at } else { at + 2 - (end - start) as u64 };
                        expected.insert(if at <= edit.start { at } else { moved } as usize, b'+');
                        if at != edit.start {
                            let seen = forwarded(&[one, two], buffer, Some(&edit), Some(&other));
                            assert_eq!(seen, expected, "{edit:?} {at} {cut}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn without_an_edit_the_buffer_does_not_change() {
        assert_eq!(forwarded(&["ab", "c"], "def", None, None), b"abcdef");
        let nothing = Splice { replaced: 0, pieces: Vec::new() };
        assert_eq!(Splice::of(Vec::new(), vec![b"def".to_vec()], Edits::default()), nothing);
    }
}
