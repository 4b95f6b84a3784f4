//! The way through a string that nobody needs: most of a body.

/// How many bytes at the start of a string's rest need no state: plain ones, and escapes of two
/// characters. Most of a body is such a stretch, with an escaped line break now and then.
pub(super) fn skip(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((block, _)) = rest.split_first_chunk::<{ special::LANES }>() {
        let mut places = special::places(block);
        let mut end = special::LANES;
        while places != 0 {
            let place = places.trailing_zeros();
            let behind = rest.get(place as usize..).unwrap_or_default();
            if !begins_with_escape(behind) {
                return bytes.len().saturating_sub(behind.len());
            }
            // The escaped character is none of its own, and may lie behind the block.
            places &= u64::MAX.checked_shl(place.saturating_add(2)).unwrap_or(0);
            end = end.max((place as usize).saturating_add(2));
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    while let Some(place) = rest.iter().position(|byte| is_special(*byte)) {
        rest = rest.get(place..).unwrap_or_default();
        match begins_with_escape(rest) {
            true => rest = rest.get(2..).unwrap_or_default(),
            false => return bytes.len().saturating_sub(rest.len()),
        }
    }
    bytes.len()
}

fn begins_with_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..])
}

/// Where the special bytes of a block stand.
#[cfg(target_feature = "simd128")]
mod special {
    use std::arch::wasm32::{
        u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128, v128_any_true, v128_or,
    };

    pub(super) const LANES: usize = 64;

    /// A bit for each special byte, the lowest for the first.
    #[inline(always)]
    pub(super) fn places(block: &[u8; LANES]) -> u64 {
        let (blocks, _) = block.as_chunks::<16>();
        let [a, b, c, d] = blocks else { return u64::MAX };
        let [a, b, c, d] = [specials(a), specials(b), specials(c), specials(d)];
        if !v128_any_true(v128_or(v128_or(a, b), v128_or(c, d))) {
            return 0;
        }
        u64::from(u8x16_bitmask(a))
            | u64::from(u8x16_bitmask(b)) << 16
            | u64::from(u8x16_bitmask(c)) << 32
            | u64::from(u8x16_bitmask(d)) << 48
    }

    #[inline(always)]
    fn specials(block: &[u8; 16]) -> v128 {
        let block = u128::from_le_bytes(*block);
        let block = u64x2(block as u64, (block >> 64) as u64);
        let quote = u8x16_eq(block, u8x16_splat(b'"'));
        let backslash = u8x16_eq(block, u8x16_splat(b'\\'));
        v128_or(u8x16_lt(block, u8x16_splat(0x20)), v128_or(quote, backslash))
    }
}

/// Where the special bytes of a block stand.
#[cfg(not(target_feature = "simd128"))]
mod special {
    pub(super) const LANES: usize = 64;

    /// A bit for each special byte, the lowest for the first. The compiler makes SIMD of it.
    #[inline(always)]
    pub(super) fn places(block: &[u8; LANES]) -> u64 {
        if !block.iter().fold(false, |any, byte| any | super::is_special(*byte)) {
            return 0;
        }
        let bit = |place: usize, byte: u8| u64::from(super::is_special(byte)) << place;
        block.iter().enumerate().fold(0, |places, (place, byte)| places | bit(place, *byte))
    }
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn skip_is_what_a_search_finds() {
        fn searched(bytes: &[u8]) -> usize {
            let mut place = 0;
            loop {
                match &bytes[place..] {
                    [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => {
                        place += 2
                    }
                    [byte, ..] if !is_special(*byte) => place += 1,
                    _ => return place,
                }
            }
        }
        let ends = [
            "\"",
            "\\",
            "\u{1f}",
            "\0",
            "\\u0065",
            "\\x",
            "\\\"",
            "\\\\",
            "\\n",
            "\\n\\n\\\\\\\"\"",
            "",
        ];
        for length in 0..140 {
            for end in ends {
                let bytes =
                    format!("{}{end}{}", "x".repeat(length), "y\u{80}".repeat(40)).into_bytes();
                for bytes in [&bytes[..], &bytes[..length + end.len()]] {
                    assert_eq!(skip(bytes), searched(bytes), "{length} and {end:?}");
                }
            }
        }
    }
}
