//! A compressed body (RFC 9110, section 8.4.1): whole, or refused.
//!
//! | `content-encoding` | what is read |
//! |---|---|
//! | `gzip`, `x-gzip` | one member or more (RFC 1952), each with its length and its checksum, and nothing after them |
//! | `deflate` | one stream of zlib's (RFC 1950) with its checksum, and nothing after it |
//!
//! Envoy's own decompressors hide what they leave out: the second member of a gzip, the rest of one that is cut or broken, all
//! of a body that is not gzip.

use super::inflate::{Bits, DecompressError, inflate};

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Gzip,
    Deflate,
}

impl Encoding {
    /// Reads a `content-encoding`; `None` for one that the gateway does not read.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let names: [(&[u8], Self); 3] =
            [(b"gzip", Self::Gzip), (b"x-gzip", Self::Gzip), (b"deflate", Self::Deflate)];
        let value = value.trim_ascii();
        let known = names.into_iter().find(|(name, _)| value.eq_ignore_ascii_case(name));
        known.map(|(_, encoding)| encoding)
    }

    /// The plain text, of at most `max` bytes.
    ///
    /// # Errors
    /// The bytes are not whole, not of this encoding, or have more plain text.
    pub fn decompress(self, bytes: &[u8], max: usize) -> Result<Vec<u8>, DecompressError> {
        let (mut bits, mut out) = (Bits::of(bytes), Vec::new());
        match self {
            Self::Gzip => {
                member(&mut bits, &mut out, max)?;
                while !bits.is_empty() {
                    member(&mut bits, &mut out, max)?;
                }
            }
            Self::Deflate => {
                zlib(&mut bits, &mut out, max)?;
                if !bits.is_empty() {
                    return Err(DecompressError::Broken);
                }
            }
        }
        Ok(out)
    }
}

fn ensure(holds: bool) -> Result<(), DecompressError> {
    if holds { Ok(()) } else { Err(DecompressError::Broken) }
}

fn u32_of(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// One member of a gzip: its header, a stream, the stream's checksum and length.
fn member(bits: &mut Bits<'_>, out: &mut Vec<u8>, max: usize) -> Result<(), DecompressError> {
    let (checksum_of_header, extra, name, comment, reserved) = (2_u8, 4, 8, 16, 0xe0);
    let &[first, second, method, flags, ..] = bits.bytes(10)? else {
        return Err(DecompressError::Broken);
    };
    ensure(first == 0x1f && second == 0x8b && method == 8 && flags & reserved == 0)?;
    let has = |flag: u8| flags & flag != 0;
    if has(extra) {
        let length = bits.bytes(2)?.iter().rev().fold(0_usize, |length, byte| {
            length.saturating_mul(256).saturating_add(usize::from(*byte))
        });
        bits.bytes(length)?;
    }
    for _ in [name, comment].into_iter().filter(|flag| has(*flag)) {
        bits.skip_text()?;
    }
    if has(checksum_of_header) {
        bits.bytes(2)?;
    }
    let start = out.len();
    inflate(bits, out, max)?;
    let text = out.get(start..).unwrap_or_default();
    let length = u32::try_from(text.len()).ok();
    ensure(u32_of(bits.bytes(4)?) == Some(crc32(text)))?;
    ensure(u32_of(bits.bytes(4)?) == length)
}

/// A stream of zlib's, with the checksum Adler-32.
fn zlib(bits: &mut Bits<'_>, out: &mut Vec<u8>, max: usize) -> Result<(), DecompressError> {
    let &[method, flags] = bits.bytes(2)? else { return Err(DecompressError::Broken) };
    let has_dictionary = flags & 0x20 != 0;
    ensure(u16::from_be_bytes([method, flags]) % 31 == 0 && method & 15 == 8 && !has_dictionary)?;
    inflate(bits, out, max)?;
    let checksum = bits.bytes(4)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    ensure(checksum == Some(adler32(out)))
}

/// The CRC of RFC 1952, section 8, of four bits alone.
const CRC_OF_BITS: [u32; 16] = [
    0x0000_0000,
    0x1db7_1064,
    0x3b6e_20c8,
    0x26d9_30ac,
    0x76dc_4190,
    0x6b6b_51f4,
    0x4db2_6158,
    0x5005_713c,
    0xedb8_8320,
    0xf00f_9344,
    0xd6d6_a3e8,
    0xcb61_b38c,
    0x9b64_c2b0,
    0x86d3_d2d4,
    0xa00a_e278,
    0xbdbd_f21c,
];

fn crc32(text: &[u8]) -> u32 {
    let of_bits = |crc: u32| {
        let place = usize::try_from(crc & 15).unwrap_or_default();
        CRC_OF_BITS.get(place).copied().unwrap_or_default() ^ crc.wrapping_shr(4)
    };
    !text.iter().fold(u32::MAX, |crc, byte| of_bits(of_bits(crc ^ u32::from(*byte))))
}

/// The checksum of RFC 1950, section 9.
fn adler32(text: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (mut one, mut two) = (1_u32, 0_u32);
    // So many sums fit into 32 bits.
    for piece in text.chunks(5552) {
        for byte in piece {
            one = one.wrapping_add(u32::from(*byte));
            two = two.wrapping_add(one);
        }
        (one, two) = (one % PRIME, two % PRIME);
    }
    two.wrapping_shl(16) | one
}

#[cfg(test)]
mod tests;
