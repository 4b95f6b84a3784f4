//! Any processor: the same operation for each byte of an array, of which the compiler makes the
//! SIMD of the processor.

use super::WIDTH;

#[derive(Clone, Copy)]
pub(in crate::body) struct Block([u8; WIDTH]);

impl Block {
    #[inline(always)]
    pub(in crate::body) fn load(bytes: &[u8; WIDTH]) -> Self {
        Self(*bytes)
    }

    #[inline(always)]
    pub(in crate::body) fn is(self, byte: u8) -> Self {
        self.ask(|each| each == byte)
    }

    #[inline(always)]
    pub(in crate::body) fn is_below(self, bound: u8) -> Self {
        self.ask(|each| each < bound)
    }

    /// Any of `count` bytes from `first` on.
    #[inline(always)]
    pub(in crate::body) fn is_within(self, first: u8, count: u8) -> Self {
        self.ask(|each| each.wrapping_sub(first) < count)
    }

    /// Any byte of `list`, in which the place of each is its low four bits.
    #[inline(always)]
    pub(in crate::body) fn is_listed(self, list: &[u8; 16]) -> Self {
        let listed = (0..).zip(list).filter(|(place, byte)| *place == **byte & 0xf);
        listed.fold(Self([0; WIDTH]), |any, (_, byte)| any.or(self.is(*byte)))
    }

    #[inline(always)]
    pub(in crate::body) fn with_bits(self, bits: u8) -> Self {
        self.each(|each| each | bits)
    }

    #[inline(always)]
    pub(in crate::body) fn with_flipped(self, bits: u8) -> Self {
        self.each(|each| each ^ bits)
    }

    #[inline(always)]
    pub(in crate::body) fn or(mut self, other: Self) -> Self {
        for (each, other) in self.0.iter_mut().zip(&other.0) {
            *each |= other;
        }
        self
    }

    #[inline(always)]
    pub(in crate::body) fn any_below(self, bound: u8) -> bool {
        self.0.iter().fold(false, |any, each| any | (*each < bound))
    }

    #[inline(always)]
    pub(in crate::body) fn any_is(self, byte: u8) -> bool {
        self.0.iter().fold(false, |any, each| any | (*each == byte))
    }

    #[inline(always)]
    pub(in crate::body) fn is_ascii(self) -> bool {
        self.0.iter().fold(0, |all, each| all | each) < 0x80
    }

    /// The places whose answer is yes. A multiplication moves the top bits of eight bytes next to
    /// each other.
    #[inline(always)]
    pub(in crate::body) fn places(self) -> u64 {
        let (eights, _) = self.0.as_chunks::<8>();
        eights.iter().rev().fold(0, |places, eight| {
            let answers = (u64::from_le_bytes(*eight) >> 7) & 0x0101_0101_0101_0101;
            places << 8 | answers.wrapping_mul(0x0102_0408_1020_4080) >> 56
        })
    }

    #[inline(always)]
    fn ask(self, question: impl Fn(u8) -> bool) -> Self {
        self.each(|each| if question(each) { 0xff } else { 0 })
    }

    #[inline(always)]
    fn each(mut self, of: impl Fn(u8) -> u8) -> Self {
        for each in &mut self.0 {
            *each = of(*each);
        }
        self
    }
}
