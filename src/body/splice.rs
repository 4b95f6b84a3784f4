//! How a held body goes back to Envoy, with the model's new name in it.
//!
//! The filter takes held bytes out of Envoy's buffer. Envoy can replace a buffer's start and nothing in
//! its middle: so the bytes before the edit's end that are still in the buffer are written again.

use super::Edit;

/// What Envoy's buffer gets at its start.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Splice {
    /// How many bytes at the buffer's start give way.
    pub replaced: usize,
    /// The bytes that take their place, in order.
    pub pieces: Vec<Vec<u8>>,
}

impl Splice {
    /// Gives `held` back before the buffer's bytes, of which `read` are the first, with `edit` applied.
    pub fn of(held: Vec<Vec<u8>>, read: Vec<Vec<u8>>, edit: Option<&Edit>) -> Self {
        let held_bytes: usize = held.iter().map(Vec::len).sum();
        let end = edit.and_then(|edit| usize::try_from(edit.end).ok()).unwrap_or(0);
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
        if let Some(edit) = edit {
            pieces = edited(pieces, edit);
        }
        Self { replaced, pieces }
    }
}

/// Writes the piece with the edit anew. Where the edit lies across two pieces, all pieces become one.
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
    fn forwarded(held: &[&str], buffer: &str, edit: Option<&Edit>) -> Vec<u8> {
        let held = held.iter().map(|piece| piece.as_bytes().to_vec()).collect();
        let read = buffer.as_bytes().chunks(3).map(<[u8]>::to_vec).collect();
        let Splice { replaced, pieces } = Splice::of(held, read, edit);
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
                    assert_eq!(forwarded(&[one, two], buffer, Some(&edit)), expected);
                }
            }
        }
    }

    #[test]
    fn without_an_edit_the_buffer_stays() {
        assert_eq!(forwarded(&["ab", "c"], "def", None), b"abcdef");
        let nothing = Splice { replaced: 0, pieces: Vec::new() };
        assert_eq!(Splice::of(Vec::new(), vec![b"def".to_vec()], None), nothing);
    }
}
