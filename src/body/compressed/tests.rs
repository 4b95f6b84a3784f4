use super::*;
use DecompressError::{Broken, Cut, TooLong};
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const MAX: usize = 1 << 20;

const TEXT: &[u8] = br#"{"model":"one:m","messages":[{"role":"user","content":"the quick brown fox, the quick brown dog, the lazy fox"}]}"#;

/// The text as `gzip -9` writes it: a block with codes of its own.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x5d\xca\x4b\x0e\x80\x20\x0c\x00\xd1\xab\x90\xae\x39\x01\x57\x31\x2e\x10\x2a\x1a\x81\x46\x0a\xf1\x43\xb8\xbb\x18\x77\x6e\xdf\x4c\x85\x40\x16\x3d\x28\xa0\x88\x2a\x80\x84\x80\xcc\xda\x21\x83\x1a\x2a\x24\xf2\xd8\x5b\x61\x4c\x3d\x19\x8a\x19\x63\xee\x90\x17\x14\x7b\x59\xcd\x26\xa6\x44\x47\x14\x33\x9d\x52\xfc\xd1\x92\xfb\xd0\xeb\xfb\x7a\x17\x68\x63\x7b\x00\x39\x2e\xfd\xbb\x71\x00\x00\x00";

/// The same as a stream of zlib's.
const ZLIB: &[u8] = b"\x78\xda\x5d\xca\x4b\x0e\x80\x20\x0c\x00\xd1\xab\x90\xae\x39\x01\x57\x31\x2e\x10\x2a\x1a\x81\x46\x0a\xf1\x43\xb8\xbb\x18\x77\x6e\xdf\x4c\x85\x40\x16\x3d\x28\xa0\x88\x2a\x80\x84\x80\xcc\xda\x21\x83\x1a\x2a\x24\xf2\xd8\x5b\x61\x4c\x3d\x19\x8a\x19\x63\xee\x90\x17\x14\x7b\x59\xcd\x26\xa6\x44\x47\x14\x33\x9d\x52\xfc\xd1\x92\xfb\xd0\xeb\xfb\x7a\x17\x68\x63\x7b\x00\x81\x0e\x26\xfc";

/// `first`, a line, in a block with the fixed codes.
const LINE: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xcb\x2c\x2a\x2e\xe1\x02\x00\x2a\xb3\x4a\xc7\x06\x00\x00\x00";

const EMPTY: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00";

/// 3,000 times `x`.
const XS: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xda\x8b\x6f\x0d\x0f\xa0\x00\x00\x80\x77\x03\xe7\x17\xee\x98\xb8\x0b\x00\x00";

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, DecompressError> {
    Encoding::Gzip.decompress(bytes, MAX)
}

#[test]
fn whole_bodies_are_read() {
    assert_eq!(gunzip(GZIP).as_deref(), Ok(TEXT));
    assert_eq!(Encoding::Deflate.decompress(ZLIB, MAX).as_deref(), Ok(TEXT));
    assert_eq!(gunzip(LINE).as_deref(), Ok(&b"first\n"[..]));
    assert_eq!(gunzip(EMPTY).as_deref(), Ok(&b""[..]));
    assert_eq!(gunzip(XS).as_deref(), Ok(&[b'x'; 3000][..]));
}

#[test]
fn every_member_is_read() {
    let expected = [&b"first\n"[..], TEXT, b"first\n"].concat();
    assert_eq!(gunzip(&[LINE, GZIP, EMPTY, LINE].concat()), Ok(expected));
    // A copy does not reach into another member.
    assert_eq!(gunzip(&[LINE, b"no member"].concat()), Err(Cut));
    assert_eq!(gunzip(&[LINE, b"no member, but long enough"].concat()), Err(Broken));
    assert_eq!(gunzip(&[LINE, &[0; 20]].concat()), Err(Broken));
}

#[test]
fn a_header_may_have_more_fields() {
    let all: &[u8] =
        b"\x1f\x8b\x08\x1f\0\0\0\0\0\x03\x03\0abcname\0comment\0\x77\xe1\x4b\xcb\x2c\x2a\x2e\xe1\x02\x00\x2a\xb3\x4a\xc7\x06\0\0\0";
    assert_eq!(gunzip(all).as_deref(), Ok(&b"first\n"[..]));
    for length in 0..all.len() {
        assert_eq!(gunzip(&all[..length]), Err(Cut), "{length}");
    }
    let mut of_another = all.to_vec();
    of_another[4] = 1; // the time is part of the header's checksum
    assert_eq!(gunzip(&of_another), Err(Broken));
}

#[test]
fn a_part_is_refused() {
    for (encoding, whole) in
        [(Encoding::Gzip, GZIP), (Encoding::Gzip, XS), (Encoding::Deflate, ZLIB)]
    {
        for length in 0..whole.len() {
            assert_eq!(encoding.decompress(&whole[..length], MAX), Err(Cut), "{length}");
        }
    }
}

#[test]
fn other_bytes_are_refused() {
    for bytes in [&b"no gzip at all"[..], br#"{"model":"one:m"}"#, ZLIB] {
        assert_eq!(gunzip(bytes), Err(Broken));
    }
    assert_eq!(Encoding::Deflate.decompress(GZIP, MAX), Err(Broken));
    assert_eq!(Encoding::Deflate.decompress(&[ZLIB, b"x"].concat(), MAX), Err(Broken));
    // Without zlib's header, as some clients send it.
    assert_eq!(Encoding::Deflate.decompress(&ZLIB[2..ZLIB.len() - 4], MAX), Err(Broken));
}

#[test]
fn a_changed_byte_is_refused() {
    // A flag, the time and the operating system change nothing.
    for place in (0..3).chain(10..GZIP.len()) {
        for bit in 0..8 {
            let mut changed = GZIP.to_vec();
            changed[place] ^= 1 << bit;
            let text = gunzip(&changed);
            let is_harmless = text.as_deref() == Ok(TEXT); // the last byte of the stream has unused bits
            assert!(text.is_err() || is_harmless, "{place} {bit}");
        }
    }
}

#[test]
fn the_text_is_bounded() {
    for (bytes, length) in [(GZIP, TEXT.len()), (XS, 3000), (LINE, 6)] {
        assert!(Encoding::Gzip.decompress(bytes, length).is_ok());
        assert_eq!(Encoding::Gzip.decompress(bytes, length - 1), Err(TooLong));
        assert_eq!(Encoding::Gzip.decompress(&[bytes, bytes].concat(), length), Err(TooLong));
    }
}

#[test]
fn encodings_are_known_by_their_names() {
    for (value, expected) in [
        ("gzip", Some(Encoding::Gzip)),
        (" GZip ", Some(Encoding::Gzip)),
        ("x-gzip", Some(Encoding::Gzip)),
        ("deflate", Some(Encoding::Deflate)),
        ("zstd", None),
        ("br", None),
        ("gzip, gzip", None),
        ("compress", None),
    ] {
        assert_eq!(Encoding::parse(value.as_bytes()), expected, "{value}");
    }
}
