//! The escapes in a block: where they are, and which of them are wrong (RFC 8259, section 7).

use super::super::block::Block;

/// Escapes of a block whose first byte is not escaped.
pub(super) struct Escapes {
    /// Backslashes that begin an escape.
    begins: u64,
    /// The bytes that follow them.
    pub(super) escaped: u64,
}

impl Escapes {
    /// Of backslashes in a row every second one is escaped. The subtraction carries through each
    /// row, and leaves behind whether it began at an odd place: simdjson's way.
    #[inline(always)]
    pub(super) fn of(backslashes: u64) -> Self {
        const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        let begins_and_ends = ((backslashes << 1) | ODD).wrapping_sub(backslashes) ^ ODD;
        Self { begins: begins_and_ends & backslashes, escaped: begins_and_ends ^ backslashes }
    }

    /// The backslashes whose escape is invalid, or goes on outside of the block.
    #[inline(always)]
    pub(super) fn faults(&self, block: Block) -> u64 {
        let mut valid = self.escaped & block.escapable();
        let unicode = self.escaped & block.bytes(b'u');
        if unicode != 0 {
            let hex = block.hex_digits();
            let digits = (hex >> 1) & (hex >> 2) & (hex >> 3) & (hex >> 4);
            valid &= !unicode | digits;
        }
        self.begins & !(valid >> 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_second_backslash_is_escaped() {
        for low in 0..1_u64 << 12 {
            // At the start of a block, and at its end.
            for backslashes in [low, low << 7, low << 52] {
                let escapes = Escapes::of(backslashes);
                let (mut begins, mut escaped, mut is_escaped) = (0, 0, false);
                for place in 0..64 {
                    let is_backslash = backslashes >> place & 1 == 1;
                    escaped |= u64::from(is_escaped) << place;
                    is_escaped = is_backslash && !is_escaped;
                    begins |= u64::from(is_escaped) << place;
                }
                assert_eq!((escapes.begins, escapes.escaped), (begins, escaped), "{backslashes:b}");
            }
        }
    }
}
