//! UTF-8 validation of a stream: what [`std::str::from_utf8`] says of the whole, chunk by chunk.

use super::block::run_of_ascii;

/// Remembers at most the three bytes of a character that a chunk boundary has cut.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    cut: [u8; 4],
    cut_len: usize,
}

impl Utf8 {
    /// Reads the next chunk. `Err` is where the first invalid sequence begins, relative to the
    /// chunk's start: negative when it began in an earlier chunk.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Result<(), i64> {
        let rest = self.complete_cut(chunk)?;
        if self.cut_len > 0 {
            return Ok(());
        }
        // Most bodies are ASCII, which is checked in a fifth of the time.
        let (_, rest) = rest.split_at_checked(run_of_ascii(rest)).unwrap_or((&[], rest));
        if rest.is_empty() {
            return Ok(());
        }
        let skipped = chunk.len().saturating_sub(rest.len());
        let (whole, tail) = split_cut(rest);
        if simdutf8::basic::from_utf8(whole).is_ok() {
            self.push_cut(tail);
            return Ok(());
        }
        let Err(error) = std::str::from_utf8(rest) else { return Ok(()) };
        let (_, tail) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
        match error.error_len() {
            Some(_) => Err(skipped.saturating_add(error.valid_up_to()).cast_signed() as i64),
            None => {
                self.push_cut(tail);
                Ok(())
            }
        }
    }

    /// Gives the cut character its missing bytes and returns what follows it.
    fn complete_cut<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8], i64> {
        let mut rest = chunk;
        while self.cut_len > 0 {
            let Some((byte, tail)) = rest.split_first() else { break };
            let began = 0_i64.saturating_sub(self.cut_len as i64);
            let consumed = chunk.len().saturating_sub(rest.len()) as i64;
            self.push_cut(&[*byte]);
            rest = tail;
            match std::str::from_utf8(self.cut.get(..self.cut_len).unwrap_or_default()) {
                Ok(_) => self.cut_len = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(began.saturating_add(consumed)),
            }
        }
        Ok(rest)
    }

    fn push_cut(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(slot) = self.cut.get_mut(self.cut_len) {
                *slot = *byte;
                self.cut_len = self.cut_len.saturating_add(1);
            }
        }
    }
}

/// Divides off the bytes at the end that begin a character and are not all of it.
fn split_cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let is_cut = |tail: &[u8]| {
        std::str::from_utf8(tail)
            .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=3)
        .filter_map(|length| bytes.split_at_checked(bytes.len().checked_sub(length)?))
        .find(|(_, tail)| is_cut(tail))
        .unwrap_or((bytes, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn agrees_with_from_utf8_at_every_split() {
        let rows: [&[u8]; 9] = [
            b"plain",
            "h\u{e9}llo \u{20ac} \u{1f600}".as_bytes(),
            b"\xff",
            b"ab\xc3",
            b"a\xe2\x82b",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc0\xaf",
            b"a\xf0\x9f\x98",
        ];
        for row in rows {
            let expected = match std::str::from_utf8(row) {
                Err(error) if error.error_len().is_some() => Err(error.valid_up_to() as i64),
                _ => Ok(()),
            };
            for first in 0..=row.len() {
                for second in first..=row.len() {
                    let mut utf8 = Utf8::default();
                    let mut got = Ok(());
                    let mut base = 0;
                    for piece in [&row[..first], &row[first..second], &row[second..]] {
                        got = got.and_then(|()| utf8.feed(piece).map_err(|at| at + base));
                        base += piece.len() as i64;
                    }
                    assert_eq!(got, expected, "{row:?} split at {first} and {second}");
                }
            }
        }
    }
}
