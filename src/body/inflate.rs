//! DEFLATE (RFC 1951), whole: a body in, its plain text out, or the reason why not.
//!
//! Nothing is streamed: who reads a part of a compressed body cannot know whether the rest is whole. What comes out is
//! bounded, and so is the work: a symbol costs at most 15 steps.

use std::iter::repeat_n;

/// Why a body cannot be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecompressError {
    /// The bytes end too early.
    Cut,
    /// The bytes are something else, or were changed on their way.
    Broken,
    /// The plain text has more bytes than are allowed.
    TooLong,
}

use DecompressError::{Broken, Cut, TooLong};

/// The longest code.
const CODE_BITS_MAX: u8 = 15;

/// The symbol that ends a block.
const END: u16 = 256;

/// The order in which a block sends the lengths of the codes for lengths.
const LENGTHS_ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The least length of each symbol from 257 on, and how many more bits say how much longer the copy is.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// Bytes, and the bits of those that were begun.
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    buffer: u32,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, buffer: 0, count: 0 }
    }

    /// The next `count` bits, at most 16, the lowest first.
    #[inline(never)]
    fn take(&mut self, count: u32) -> Result<u32, DecompressError> {
        while self.count < count {
            let (byte, rest) = self.rest.split_first().ok_or(Cut)?;
            self.rest = rest;
            self.buffer |= u32::from(*byte).wrapping_shl(self.count);
            self.count = self.count.wrapping_add(8);
        }
        let value = self.buffer & 1_u32.wrapping_shl(count).wrapping_sub(1);
        self.buffer = self.buffer.wrapping_shr(count);
        self.count = self.count.wrapping_sub(count);
        Ok(value)
    }

    /// A number of this many bits, at least `least`.
    fn number(&mut self, count: u32, least: usize) -> Result<usize, DecompressError> {
        let more = usize::try_from(self.take(count)?).map_err(|_| Broken)?;
        Ok(more.saturating_add(least))
    }

    /// The next whole bytes; what is left of a byte is skipped. At most 16 bits are ever in the buffer, of one byte that was
    /// begun.
    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecompressError> {
        (self.buffer, self.count) = (0, 0);
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Cut)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Skips a text that ends with a zero.
    pub(super) fn skip_text(&mut self) -> Result<(), DecompressError> {
        while self.bytes(1)? != b"\0" {}
        Ok(())
    }
}

/// A canonical Huffman code: how many codes have each length, and their symbols in order.
struct Code {
    counts: Vec<u16>,
    symbols: Vec<u16>,
}

impl Code {
    /// The code of symbols with these lengths, 0 for a symbol that is not used.
    #[inline(never)]
    fn of(lengths: &[u8]) -> Result<Self, DecompressError> {
        let mut code = Self { counts: Vec::new(), symbols: Vec::new() };
        // Each sequence of bits has one meaning; only a code of a single symbol may leave some without.
        let mut left = 1_usize;
        for bits in 1..=CODE_BITS_MAX {
            let before = code.symbols.len();
            let own = (0_u16..).zip(lengths).filter(|(_, length)| **length == bits);
            code.symbols.extend(own.map(|(symbol, _)| symbol));
            let count = code.symbols.len().saturating_sub(before);
            left = left.saturating_mul(2).checked_sub(count).ok_or(Broken)?;
            code.counts.push(u16::try_from(count).map_err(|_| Broken)?);
        }
        let used = code.symbols.len();
        let is_single = used <= 1 && code.counts.first().is_some_and(|n| usize::from(*n) == used);
        if left == 0 || is_single { Ok(code) } else { Err(Broken) }
    }

    /// The next symbol.
    fn read(&self, bits: &mut Bits<'_>) -> Result<u16, DecompressError> {
        let (mut code, mut first, mut index) = (0_u32, 0_u32, 0_u32);
        for count in &self.counts {
            code |= bits.take(1)?;
            let count = u32::from(*count);
            let within = code.wrapping_sub(first);
            if within < count {
                let place = usize::try_from(index.wrapping_add(within)).map_err(|_| Broken)?;
                return self.symbols.get(place).copied().ok_or(Broken);
            }
            index = index.wrapping_add(count);
            first = first.wrapping_add(count).wrapping_shl(1);
            code = code.wrapping_shl(1);
        }
        Err(Broken)
    }
}

/// Appends the plain text of one stream to `out`, which may have at most `max` bytes then.
pub(super) fn inflate(
    bits: &mut Bits<'_>,
    out: &mut Vec<u8>,
    max: usize,
) -> Result<(), DecompressError> {
    let start = out.len();
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(bits, out, max)?,
            1 => block(bits, out, (start, max), &fixed()?)?,
            2 => {
                let codes = dynamic(bits)?;
                block(bits, out, (start, max), &codes)?;
            }
            _ => return Err(Broken),
        }
        if is_last {
            return Ok(());
        }
    }
}

fn stored(bits: &mut Bits<'_>, out: &mut Vec<u8>, max: usize) -> Result<(), DecompressError> {
    let &[low, high, not_low, not_high] = bits.bytes(4)? else { return Err(Broken) };
    let length = u16::from_le_bytes([low, high]);
    if u16::from_le_bytes([not_low, not_high]) != !length {
        return Err(Broken);
    }
    let length = usize::from(length);
    room(out, length, max)?;
    out.extend_from_slice(bits.bytes(length)?);
    Ok(())
}

fn room(out: &[u8], more: usize, max: usize) -> Result<(), DecompressError> {
    if out.len().saturating_add(more) > max { Err(TooLong) } else { Ok(()) }
}

/// The codes for literals and lengths, and for distances.
type Codes = (Code, Code);

fn fixed() -> Result<Codes, DecompressError> {
    let lengths = [(8_u8, 144), (9, 112), (7, 24), (8, 8)];
    let lengths: Vec<u8> =
        lengths.into_iter().flat_map(|(own, count)| repeat_n(own, count)).collect();
    Ok((Code::of(&lengths)?, Code::of(&[5; 32])?))
}

fn dynamic(bits: &mut Bits<'_>) -> Result<Codes, DecompressError> {
    let (literals, distances, of_lengths) =
        (bits.number(5, 257)?, bits.number(5, 1)?, bits.number(4, 4)?);
    if literals > 286 || distances > 30 {
        return Err(Broken);
    }
    let mut own = [0_u8; 19];
    for place in LENGTHS_ORDER.iter().take(of_lengths) {
        let length = u8::try_from(bits.take(3)?).map_err(|_| Broken)?;
        *own.get_mut(usize::from(*place)).ok_or(Broken)? = length;
    }
    let own = Code::of(&own)?;
    let all = literals.saturating_add(distances);
    let mut lengths = Vec::with_capacity(all);
    while lengths.len() < all {
        let (length, times) = match own.read(bits)? {
            length @ 0..=15 => (u8::try_from(length).map_err(|_| Broken)?, 1),
            16 => (*lengths.last().ok_or(Broken)?, bits.number(2, 3)?),
            17 => (0, bits.number(3, 3)?),
            _ => (0, bits.number(7, 11)?),
        };
        lengths.extend(repeat_n(length, times));
    }
    let (of_literals, of_distances) = lengths.split_at_checked(literals).ok_or(Broken)?;
    let has_end = of_literals.get(usize::from(END)).is_some_and(|length| *length > 0);
    if lengths.len() > all || !has_end {
        return Err(Broken);
    }
    Ok((Code::of(of_literals)?, Code::of(of_distances)?))
}

/// Reads a block. The stream's text begins at `start`: no copy reaches further back.
fn block(
    bits: &mut Bits<'_>,
    out: &mut Vec<u8>,
    (start, max): (usize, usize),
    (literals, distances): &Codes,
) -> Result<(), DecompressError> {
    loop {
        let symbol = literals.read(bits)?;
        if let Ok(literal) = u8::try_from(symbol) {
            room(out, 1, max)?;
            out.push(literal);
            continue;
        }
        if symbol == END {
            return Ok(());
        }
        let place = usize::from(symbol.saturating_sub(END)).saturating_sub(1);
        let (least, more) = LENGTHS.get(place).ok_or(Broken)?;
        let length = bits.number(u32::from(*more), usize::from(*least))?;
        let symbol = distances.read(bits)?;
        let distance = distance(bits, symbol)?;
        room(out, length, max)?;
        copy(out, start, distance, length)?;
    }
}

/// Two symbols have as many further bits, one more than the two before.
fn distance(bits: &mut Bits<'_>, symbol: u16) -> Result<usize, DecompressError> {
    let least = usize::from(symbol);
    match symbol {
        0..4 => Ok(least.saturating_add(1)),
        4..30 => {
            let more = u32::from(symbol / 2).saturating_sub(1);
            bits.number(more, (least % 2).saturating_add(2).wrapping_shl(more).saturating_add(1))
        }
        _ => Err(Broken),
    }
}

/// Appends `length` bytes from `distance` bytes before the end; what is appended may be copied itself.
fn copy(
    out: &mut Vec<u8>,
    start: usize,
    distance: usize,
    length: usize,
) -> Result<(), DecompressError> {
    let from = out.len().checked_sub(distance).filter(|from| *from >= start).ok_or(Broken)?;
    let mut left = length;
    while left > 0 {
        let there = out.len().saturating_sub(from).min(left);
        out.extend_from_within(from..from.saturating_add(there));
        left = left.saturating_sub(there);
    }
    Ok(())
}
