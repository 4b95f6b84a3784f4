//! Compressed bodies are read as they were written, and nothing else is taken for them.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use gaud::body::{DecompressError, Encoding};
use proptest::collection::vec;
use proptest::prelude::*;

const MAX: usize = 1 << 20;

fn gzip(text: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Texts of all kinds: random bytes, few letters, long repetitions.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..2000),
        vec(b'a'..b'e', 0..5000),
        (vec(any::<u8>(), 1..300), 1_usize..400).prop_map(|(text, times)| text.repeat(times)),
    ]
}

proptest! {
    #[test]
    fn what_is_compressed_is_read(text in texts(), level in 0_u32..10) {
        prop_assert_eq!(Encoding::Gzip.decompress(&gzip(&text, level), MAX), Ok(text.clone()));
        prop_assert_eq!(Encoding::Deflate.decompress(&zlib(&text, level), MAX), Ok(text));
    }

    #[test]
    fn members_are_read_one_after_the_other(texts in vec(texts(), 1..4)) {
        let members: Vec<u8> = texts.iter().flat_map(|text| gzip(text, 6)).collect();
        prop_assert_eq!(Encoding::Gzip.decompress(&members, MAX), Ok(texts.concat()));
    }

    #[test]
    fn a_part_is_cut(text in texts(), level in 0_u32..10, part in 0.0..1.0) {
        let whole = gzip(&text, level);
        #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let length = (whole.len() as f64 * part) as usize;
        prop_assert_eq!(Encoding::Gzip.decompress(&whole[..length], MAX), Err(DecompressError::Cut));
    }

    /// A flag, the time and the system of the header may change, and nothing that is read.
    #[test]
    fn changed_bytes_are_refused_or_change_nothing(
        text in texts(),
        level in 0_u32..10,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = gzip(&text, level);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(plain) = Encoding::Gzip.decompress(&bytes, MAX) {
            prop_assert_eq!(plain, text);
        }
    }

    #[test]
    fn any_bytes_are_safe(bytes in vec(any::<u8>(), 0..500)) {
        let with_header = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03", &bytes[..]].concat();
        for encoding in [Encoding::Gzip, Encoding::Deflate] {
            for bytes in [&bytes, &with_header] {
                let length = encoding.decompress(bytes, 1000).map_or(0, |plain| plain.len());
                prop_assert!(length <= 1000);
            }
        }
    }
}

/// A bomb ends where the bound is, long before its text does.
#[test]
fn a_bomb_is_refused() {
    let bomb = gzip(&vec![0; 64 * MAX], 9);
    assert!(bomb.len() < MAX / 10);
    assert_eq!(Encoding::Gzip.decompress(&bomb, MAX), Err(DecompressError::TooLong));
}
