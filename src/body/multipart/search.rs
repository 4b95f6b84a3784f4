//! Looks for the boundary in the bytes of a form.
//!
//! A boundary has no line break in it, so a line is decided at the first byte that differs from the boundary. Between two
//! chunks only the number of equal bytes is kept.

use super::problem::FormProblem;

/// How much of the current line equals a delimiter.
#[derive(Debug)]
pub(super) struct BoundarySearch {
    before: Before,
    /// How many bytes of `--boundary` the line begins with.
    matched: usize,
}

/// What comes before the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The body's start.
    Start,
    /// A part's headers.
    Headers,
    Cr,
    /// LF without CR.
    Lf,
    CrLf,
    /// The line is not a delimiter.
    Text,
}

impl BoundarySearch {
    pub(super) fn at_start() -> Self {
        Self { before: Before::Start, matched: 0 }
    }

    pub(super) fn after_headers() -> Self {
        Self { before: Before::Headers, matched: 0 }
    }

    /// Whether the line cannot be a delimiter: [`skip`] may be called.
    pub(super) fn is_idle(&self) -> bool {
        self.before == Before::Text
    }

    /// How many bytes of `--boundary` the line begins with.
    pub(super) fn matched(&self) -> usize {
        self.matched
    }

    /// How many of the last bytes may belong to a delimiter. The content ends before those bytes.
    pub(super) fn pending(&self) -> usize {
        match self.before {
            Before::CrLf => self.matched.saturating_add(2),
            Before::Cr if self.matched == 0 => 1,
            _ => 0,
        }
    }

    /// Reads one byte. Returns whether the byte completes CRLF and `--boundary`, which is `line`.
    ///
    /// # Errors
    /// The byte completes a delimiter for some parsers and not for others.
    pub(super) fn push(&mut self, byte: u8, line: &[u8]) -> Result<bool, FormProblem> {
        let before = match (byte, self.before) {
            (b'\n', Before::Cr) if self.matched == 0 => Before::CrLf,
            (b'\n', _) => Before::Lf,
            (b'\r', _) => Before::Cr,
            (_, before) if before != Before::Text && line.get(self.matched) == Some(&byte) => {
                self.matched = self.matched.saturating_add(1);
                return if self.matched == line.len() { self.found() } else { Ok(false) };
            }
            _ => Before::Text,
        };
        *self = Self { before, matched: 0 };
        Ok(false)
    }

    fn found(&self) -> Result<bool, FormProblem> {
        match self.before {
            Before::Start | Before::CrLf => Ok(true),
            Before::Headers => Err(FormProblem::BoundaryAfterHeaders),
            Before::Cr | Before::Lf => Err(FormProblem::LineEnding),
            Before::Text => Ok(false),
        }
    }
}

/// How many bytes at the start cannot belong to a delimiter, given that the byte before them does not end a line.
/// A delimiter needs a line break and a hyphen: two bytes that are rarely next to each other, in any file.
pub(super) fn skip(bytes: &[u8]) -> usize {
    const LANES: usize = 32;
    let next = bytes.get(1..).unwrap_or_default();
    let mut plain = 0_usize;
    // Whole blocks without a branch inside: the compiler makes SIMD of it.
    for (block, next) in bytes.chunks_exact(LANES).zip(next.chunks_exact(LANES)) {
        let pairs = block.iter().zip(next);
        if pairs.fold(false, |any, (byte, next)| any | is_line_start(*byte, *next)) {
            break;
        }
        plain = plain.saturating_add(LANES);
    }
    let rest = bytes.get(plain..).unwrap_or_default();
    let at = rest.windows(2).position(|pair| matches!(pair, [a, b] if is_line_start(*a, *b)));
    // The last byte may be followed by a hyphen, and the LF may be preceded by its CR.
    let at = at.unwrap_or(rest.len().saturating_sub(1));
    plain.saturating_add(at).saturating_sub(1)
}

fn is_line_start(byte: u8, next: u8) -> bool {
    ((byte == b'\r') | (byte == b'\n')) & (next == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn skip_stops_before_what_may_be_a_delimiter() {
        for length in [0, 1, 2, 30, 31, 32, 33, 63, 64, 65, 100] {
            for line in ["\r\n-", "\n-", "\r-"] {
                let bytes = ["x".repeat(length), line.into(), "y".repeat(70)].concat();
                // The byte before a CR or LF stays as well: it might be the LF's CR.
                let at = length + line.len() - 2;
                assert_eq!(skip(bytes.as_bytes()), at.saturating_sub(1), "{bytes:?}");
            }
        }
    }

    #[test]
    fn skip_leaves_the_last_two_bytes() {
        for length in [0, 1, 2, 3, 31, 32, 33, 34, 100] {
            let bytes = "\r\n".repeat(length);
            assert_eq!(skip(&bytes.as_bytes()[..length]), length.saturating_sub(2));
        }
    }
}
