//! Sixty-four bytes of a body at once.
//!
//! A question about a block is answered in the top bit of each byte, 1 for yes. `places` makes a
//! set of the answers, a bit for each byte, the lowest for the first: sets are added, shifted and
//! compared in one instruction, whatever is in them.

#[cfg(not(target_feature = "simd128"))]
mod portable;
#[cfg(target_feature = "simd128")]
mod simd128;

#[cfg(not(target_feature = "simd128"))]
pub(super) use portable::Block;
#[cfg(target_feature = "simd128")]
pub(super) use simd128::Block;

/// How many bytes a block has.
pub(super) const WIDTH: usize = 64;

/// Fewer bytes than this are read one by one.
pub(super) const WIDTH_MIN: usize = 16;

impl Block {
    /// The first bytes; where there are fewer than a block has, letters follow, as if the last token
    /// went on. `None` for fewer than [`WIDTH_MIN`].
    #[inline(always)]
    pub(super) fn load_first(bytes: &[u8]) -> Option<Self> {
        match bytes.first_chunk() {
            Some(block) => Some(Self::load(block)),
            None => padded(bytes).map(|block| Self::load(&block)),
        }
    }

    /// Whether any byte is one that ends a string, escapes, or may not be in a string.
    #[inline(always)]
    pub(super) fn has_special(self) -> bool {
        // A quote with its second bit flipped is the first byte after the controls.
        self.with_flipped(b'"' ^ b' ').any_below(b' ' + 1) | self.any_is(b'\\')
    }

    #[inline(always)]
    pub(super) fn has_escape_or_control(self) -> bool {
        self.any_below(b' ') | self.any_is(b'\\')
    }

    #[inline(always)]
    pub(super) fn bytes(self, byte: u8) -> u64 {
        self.is(byte).places()
    }

    #[inline(always)]
    pub(super) fn quotes_and_controls(self) -> u64 {
        self.with_flipped(b'"' ^ b' ').is_below(b' ' + 1).places()
    }

    #[inline(always)]
    pub(super) fn controls(self) -> u64 {
        self.is_below(b' ').places()
    }

    /// The controls that are white space.
    #[inline(always)]
    pub(super) fn line_breaks(self) -> u64 {
        self.is(b'\n').or(self.is(b'\r')).or(self.is(b'\t')).places()
    }

    /// Spaces and zeros, which differ in one bit.
    #[inline(always)]
    pub(super) fn spaces_and_zeros(self) -> u64 {
        self.with_bits(b' ' ^ b'0').is(b'0').places()
    }

    /// `{` and `}`, and other bytes that are not brackets.
    #[inline(always)]
    pub(super) fn curly(self) -> u64 {
        self.with_bits(b'{' ^ b'}').is(b'{' | b'}').places()
    }

    /// `[` and `{`, which differ in one bit.
    #[inline(always)]
    pub(super) fn openings(self) -> u64 {
        self.with_bits(b'[' ^ b'{').is(b'{').places()
    }

    /// `]` and `}`, which differ in one bit.
    #[inline(always)]
    pub(super) fn closings(self) -> u64 {
        self.with_bits(b']' ^ b'}').is(b'}').places()
    }

    #[inline(always)]
    pub(super) fn digits(self) -> u64 {
        self.is_within(b'0', 10).places()
    }

    #[inline(always)]
    pub(super) fn hex_digits(self) -> u64 {
        let letters = self.with_bits(b'A' ^ b'a').is_within(b'a', 6);
        self.is_within(b'0', 10).or(letters).places()
    }

    /// `e` and `E`.
    #[inline(always)]
    pub(super) fn exponents(self) -> u64 {
        self.with_bits(b'E' ^ b'e').is(b'e').places()
    }

    /// What may follow a backslash.
    #[inline(always)]
    pub(super) fn escapable(self) -> u64 {
        // The low bits of `r` and `"` are those of `b`. At a place where nothing is listed is a byte with other low bits.
        const LIST: [u8; 16] = *b"\x01\0b\0tuf\0\0\0\0\0\\\0n/";
        self.is_listed(&LIST).or(self.is(b'r')).or(self.is(b'"')).places()
    }
}

/// Copied in pieces of a register each, of which the last two may overlap.
fn padded(bytes: &[u8]) -> Option<[u8; WIDTH]> {
    let mut padded = [b'x'; WIDTH];
    let (to, _) = padded.as_chunks_mut::<WIDTH_MIN>();
    let (from, _) = bytes.as_chunks::<WIDTH_MIN>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    *padded.get_mut(..bytes.len())?.last_chunk_mut::<WIDTH_MIN>()? = *bytes.last_chunk()?;
    Some(padded)
}

/// How many bytes at the start are ASCII: all of them, or whole blocks.
#[inline(never)]
pub(super) fn run_of_ascii(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<WIDTH>();
    let ascii = blocks.iter().take_while(|block| Block::load(block).is_ascii()).count();
    let is_rest = || Block::load_first(rest).map_or_else(|| rest.is_ascii(), Block::is_ascii);
    match ascii == blocks.len() && is_rest() {
        true => bytes.len(),
        false => ascii.saturating_mul(WIDTH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    type Question = (fn(Block) -> u64, fn(u8) -> bool);

    const QUESTIONS: [Question; 13] = [
        (|block| block.bytes(b'x'), |byte| byte == b'x'),
        (Block::quotes_and_controls, |byte| byte == b'"' || byte < b' '),
        (Block::controls, |byte| byte < b' '),
        (Block::line_breaks, |byte| b"\n\r\t".contains(&byte)),
        (Block::spaces_and_zeros, |byte| b" 0".contains(&byte)),
        (Block::openings, |byte| b"[{".contains(&byte)),
        (Block::closings, |byte| b"]}".contains(&byte)),
        (Block::digits, |byte| byte.is_ascii_digit()),
        (Block::hex_digits, |byte| byte.is_ascii_hexdigit()),
        (Block::exponents, |byte| b"eE".contains(&byte)),
        (Block::escapable, |byte| b"\"\\/bfnrtu".contains(&byte)),
        (
            |block| u64::from(block.has_special()),
            |byte| byte < b' ' || byte == b'"' || byte == b'\\',
        ),
        (|block| u64::from(block.has_escape_or_control()), |byte| byte < b' ' || byte == b'\\'),
    ];

    #[test]
    fn every_question_is_answered_for_every_byte() {
        for (number, (places, expected)) in QUESTIONS.iter().enumerate() {
            for byte in 0..=u8::MAX {
                // Of the other bytes no question is true.
                let mut bytes = [b'!'; WIDTH];
                bytes[37] = byte;
                let found = places(Block::load(&bytes)) != 0;
                assert_eq!(found, expected(byte), "question {number} of {byte:#x}");
            }
        }
        for place in 0..WIDTH {
            let mut bytes = [b'!'; WIDTH];
            bytes[place] = b'x';
            assert_eq!(Block::load(&bytes).bytes(b'x'), 1 << place);
        }
    }

    #[test]
    fn a_short_block_ends_in_letters() {
        for length in 0..WIDTH {
            let bytes = vec![b'7'; length];
            let digits = Block::load_first(&bytes).map(Block::digits);
            let expected = (length >= WIDTH_MIN).then(|| (1 << length) - 1);
            assert_eq!(digits, expected, "{length}");
        }
    }

    #[test]
    fn ascii_is_counted_in_blocks() {
        for length in [0, 1, 15, 16, 63, 64, 65, 130] {
            let mut bytes = vec![b'a'; length];
            assert_eq!(run_of_ascii(&bytes), length);
            for place in 0..length {
                bytes[place] = 0x80;
                assert!(run_of_ascii(&bytes) <= place, "{length} {place}");
                bytes[place] = b'a';
            }
        }
    }
}
