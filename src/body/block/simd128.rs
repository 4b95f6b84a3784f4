//! WebAssembly's 128-bit SIMD, by functions that are safe: they take no pointers.

use std::arch::wasm32::{
    i8x16_lt, i8x16_splat, i8x16_swizzle, u8x16_bitmask, u8x16_eq, u8x16_min, u8x16_splat,
    u8x16_sub, u64x2, v128, v128_and, v128_andnot, v128_or, v128_xor,
};

use super::WIDTH;

/// Four registers. V8 makes one or two instructions of x86 of each function but `is_listed`.
#[derive(Clone, Copy)]
pub(in crate::body) struct Block([v128; 4]);

impl Block {
    #[inline(always)]
    pub(in crate::body) fn load(bytes: &[u8; WIDTH]) -> Self {
        let (quarters, _) = bytes.as_chunks::<16>();
        match quarters {
            [a, b, c, d] => Self([load(a), load(b), load(c), load(d)]),
            _ => Self([u8x16_splat(0); 4]),
        }
    }

    #[inline(always)]
    pub(in crate::body) fn is(self, byte: u8) -> Self {
        self.each(|lane| u8x16_eq(lane, u8x16_splat(byte)))
    }

    /// For bounds up to 0x80. x86 has no instruction that compares unsigned bytes. A byte that is
    /// negative as a signed one is not below: the answer is its top bit.
    #[inline(always)]
    pub(in crate::body) fn is_below(self, bound: u8) -> Self {
        self.each(|lane| is_below(lane, bound))
    }

    /// Any of `count` bytes from `first` on, which are moved to the least of the signed bytes.
    #[inline(always)]
    pub(in crate::body) fn is_within(self, first: u8, count: u8) -> Self {
        let (distance, bound) = (first.wrapping_sub(0x80), count.wrapping_sub(0x80));
        self.each(|lane| {
            i8x16_lt(u8x16_sub(lane, u8x16_splat(distance)), i8x16_splat(bound.cast_signed()))
        })
    }

    /// Any byte of `list`, in which the place of each is its low four bits.
    #[inline(always)]
    pub(in crate::body) fn is_listed(self, list: &[u8; 16]) -> Self {
        let list = load(list);
        self.each(|lane| u8x16_eq(i8x16_swizzle(list, v128_and(lane, u8x16_splat(0xf))), lane))
    }

    #[inline(always)]
    pub(in crate::body) fn with_bits(self, bits: u8) -> Self {
        self.each(|lane| v128_or(lane, u8x16_splat(bits)))
    }

    #[inline(always)]
    pub(in crate::body) fn with_flipped(self, bits: u8) -> Self {
        self.each(|lane| v128_xor(lane, u8x16_splat(bits)))
    }

    #[inline(always)]
    pub(in crate::body) fn or(self, other: Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        Self([v128_or(a, e), v128_or(b, f), v128_or(c, g), v128_or(d, h)])
    }

    #[inline(always)]
    pub(in crate::body) fn any_below(self, bound: u8) -> bool {
        u8x16_bitmask(is_below(self.least(), bound)) != 0
    }

    #[inline(always)]
    pub(in crate::body) fn any_is(self, byte: u8) -> bool {
        u8x16_bitmask(u8x16_eq(self.with_flipped(byte).least(), u8x16_splat(0))) != 0
    }

    #[inline(always)]
    pub(in crate::body) fn is_ascii(self) -> bool {
        let Self([a, b, c, d]) = self;
        u8x16_bitmask(v128_or(v128_or(a, b), v128_or(c, d))) == 0
    }

    /// The places whose answer is yes.
    #[inline(always)]
    pub(in crate::body) fn places(self) -> u64 {
        let Self([a, b, c, d]) = self;
        let bits = |lane| u64::from(u8x16_bitmask(lane));
        bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48
    }

    /// One question less than to ask each lane.
    #[inline(always)]
    fn least(self) -> v128 {
        let Self([a, b, c, d]) = self;
        u8x16_min(u8x16_min(a, b), u8x16_min(c, d))
    }

    #[inline(always)]
    fn each(self, of: impl Fn(v128) -> v128) -> Self {
        let Self([a, b, c, d]) = self;
        Self([of(a), of(b), of(c), of(d)])
    }
}

#[inline(always)]
fn is_below(lane: v128, bound: u8) -> v128 {
    v128_andnot(i8x16_lt(lane, i8x16_splat(bound.cast_signed())), lane)
}

/// Two halves, of which the compiler makes one load.
#[inline(always)]
fn load(bytes: &[u8; 16]) -> v128 {
    let bytes = u128::from_le_bytes(*bytes);
    u64x2(bytes as u64, (bytes >> 64) as u64)
}
