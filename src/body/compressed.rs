//! A compressed body (RFC 9110, section 8.4.1): whole, or refused.
//!
//! | `content-encoding` | what is read |
//! |---|---|
//! | `gzip`, `x-gzip` | one member or more (RFC 1952), each with its length and its checksum, and nothing after them |
//! | `deflate` | one stream of zlib's (RFC 1950) with its checksum, and nothing after it |
//!
//! Envoy's own decompressors hide what they leave out: the second member of a gzip, the rest of one that is cut or broken, all
//! of a body that is not gzip.

use std::io::{ErrorKind, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

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
        match self {
            Self::Gzip => read(&mut MultiGzDecoder::new(bytes), max),
            Self::Deflate => {
                let mut decoder = ZlibDecoder::new(bytes);
                let text = read(&mut decoder, max)?;
                // One stream, and nothing after it.
                if decoder.into_inner().is_empty() {
                    Ok(text)
                } else {
                    Err(DecompressError::Broken)
                }
            }
        }
    }
}

/// Reads all, or one byte more than `max`: then the rest is not decompressed.
fn read(decoder: &mut impl Read, max: usize) -> Result<Vec<u8>, DecompressError> {
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Vec::new();
    match decoder.take(bound).read_to_end(&mut text) {
        Ok(_) if text.len() > max => Err(DecompressError::TooLong),
        Ok(_) => Ok(text),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(DecompressError::Cut),
        Err(_) => Err(DecompressError::Broken),
    }
}

#[cfg(test)]
mod tests;
