//! Amazon's event streams (`application/vnd.amazon.eventstream`), read as their bytes come, in a fixed amount of memory.
//!
//! | bytes of a frame | what |
//! |--:|---|
//! | 4 | the length of the frame, big endian |
//! | 4 | the length of its headers |
//! | 4 | a checksum |
//! | | headers, and the payload: a document, or `{"bytes":"…"}` with a document in base64 |
//! | 4 | a checksum |
//!
//! No checksum is checked: the client checks them.

use super::walk::{Document, Reading};

const PRELUDE_BYTES: usize = 12;
const END_BYTES: usize = 4;

/// How a payload with a document in base64 begins.
const WRAPPED: &[u8] = b"{\"bytes\":\"";

/// A stream of frames of which some bytes have come.
#[derive(Debug, Default)]
pub struct Frames<R: Reading> {
    /// How many bytes of the frame have come.
    at: usize,
    length: usize,
    headers: usize,
    payload: Payload,
    document: Document<R>,
    is_broken: bool,
}

#[derive(Debug, Clone, Copy)]
enum Payload {
    /// The number of bytes that have come and are those of [`WRAPPED`].
    Begin(usize),
    Plain,
    /// The bits of a byte that has not come whole, after a 1.
    Wrapped(u32),
}

impl Default for Payload {
    fn default() -> Self {
        Self::Begin(0)
    }
}

impl<R: Reading> Frames<R> {
    /// Reads the next piece; `heard` is called for each frame that ends in the piece.
    pub fn feed(&mut self, bytes: &[u8], mut heard: impl FnMut(&R)) {
        let mut rest = bytes;
        while let (Some((byte, after)), false) = (rest.split_first(), self.is_broken) {
            let number = |old: usize| (old << 8) | usize::from(*byte);
            match self.at {
                0..4 => self.length = number(self.length),
                4..8 => self.headers = number(self.headers),
                _ => {}
            }
            if self.at < PRELUDE_BYTES {
                self.at = self.at.saturating_add(1);
                rest = after;
                let least = self.headers.saturating_add(PRELUDE_BYTES + END_BYTES);
                self.is_broken = self.at == PRELUDE_BYTES && self.length < least;
                continue;
            }
            let payload = self.headers.saturating_add(PRELUDE_BYTES);
            let end = self.length.saturating_sub(END_BYTES);
            let part = [payload, end, self.length].into_iter().find(|end| *end > self.at);
            let wanted = part.unwrap_or(self.at).saturating_sub(self.at);
            let (piece, after) = rest.split_at(wanted.min(rest.len()));
            if self.at >= payload && self.at < end {
                self.pay(piece);
            }
            self.at = self.at.saturating_add(piece.len());
            rest = after;
            if self.at >= self.length {
                heard(self.document.facts());
                *self = Self::default();
            }
        }
    }

    fn pay(&mut self, piece: &[u8]) {
        for (place, byte) in piece.iter().enumerate() {
            match self.payload {
                Payload::Begin(known) if WRAPPED.get(known) == Some(byte) => {
                    let known = known.saturating_add(1);
                    let is_wrapped = known == WRAPPED.len();
                    self.payload =
                        if is_wrapped { Payload::Wrapped(1) } else { Payload::Begin(known) };
                }
                Payload::Begin(known) => {
                    self.document.feed(WRAPPED.get(..known).unwrap_or_default());
                    self.payload = Payload::Plain;
                    return self.document.feed(piece.get(place..).unwrap_or_default());
                }
                Payload::Plain => {
                    return self.document.feed(piece.get(place..).unwrap_or_default());
                }
                Payload::Wrapped(bits) => self.unwrap(bits, *byte),
            }
        }
    }

    /// A letter of base64 (RFC 4648, section 4). The letters end with a quote.
    fn unwrap(&mut self, bits: u32, letter: u8) {
        let value = match letter {
            b'A'..=b'Z' => letter.wrapping_sub(b'A'),
            b'a'..=b'z' => letter.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => letter.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            b'"' => return self.payload = Payload::Plain,
            _ => return,
        };
        let bits = (bits << 6) | u32::from(value);
        // The 1 in front says how many bits there are: 6, 8, 10 or 12.
        let open = bits.ilog2() % 8;
        if open < 6 {
            self.document.feed(&[(bits >> open) as u8]);
        }
        let left = bits & (1_u32 << open).wrapping_sub(1);
        self.payload = Payload::Wrapped(if open < 6 { left | (1 << open) } else { bits });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Word;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Keeps the number at `n`.
    #[derive(Debug, Default)]
    struct Numbers(u64);

    impl Reading for Numbers {
        type Place = bool;
        type Member = bool;
        const DEEP: bool = false;

        fn inner(_: bool, _: bool, _: bool) -> bool {
            true
        }

        fn is_object(_: bool) -> bool {
            true
        }

        fn is_last(_: bool, depth: usize) -> bool {
            depth == 0
        }

        fn member(_: bool, name: &[u8]) -> bool {
            name == b"n"
        }

        fn value(&mut self, _: bool, member: bool, word: &Word, _: bool) {
            let text = std::str::from_utf8(word.as_bytes()).unwrap();
            self.0 = if member { text.parse().unwrap() } else { self.0 };
        }
    }

    fn frame(headers: &[u8], payload: &[u8]) -> Vec<u8> {
        let length = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes();
        let total = [headers.len(), payload.len(), PRELUDE_BYTES, END_BYTES].iter().sum();
        let parts: [&[u8]; 6] =
            [&length(total), &length(headers.len()), &[9; 4], headers, payload, &[9; 4]];
        parts.concat()
    }

    #[test]
    fn each_frame_has_a_document_however_its_bytes_are_cut() {
        let frames = [
            frame(b"{\"n\":1}", br#"{"n":7,"p":"ab"}"#),
            frame(b"", b""),
            frame(b"h", br#"{"by":1,"n":8}"#),
            // {"n":12}, {"n":123}, {"n":1234}
            frame(b"h", br#"{"bytes":"eyJuIjoxMn0=","p":"abcd"}"#),
            frame(b"h", br#"{"bytes":"eyJuIjoxMjN9"}"#),
            frame(b"h", br#"{"bytes":"eyJuIjoxMjM0fQ==","n":5}"#),
        ];
        let bytes = frames.concat();
        for size in 1..bytes.len() {
            let (mut frames, mut heard) = (Frames::<Numbers>::default(), Vec::new());
            for piece in bytes.chunks(size) {
                frames.feed(piece, |own| heard.push(own.0));
            }
            assert_eq!(heard, [7, 0, 8, 12, 123, 1234], "pieces of {size}");
        }
    }

    #[test]
    fn bytes_that_are_not_a_frame_are_not_read() {
        let mut frames = Frames::<Numbers>::default();
        let short = [&[0, 0, 0, 15, 0, 0, 0, 0, 9, 9, 9, 9], &frame(b"", br#"{"n":7}"#)[..]];
        frames.feed(&short.concat(), |_| panic!("a frame"));
        frames.feed(&[255; 64], |_| panic!("a frame"));
    }
}
