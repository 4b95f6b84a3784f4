//! Compressed bodies: what is read is bounded, no bound changes a text, and a body that lost its last byte is refused.

use gaud::body::{DecompressError, Encoding};

/// The bounds are far apart, so that small inputs reach both.
const BOUNDS: [usize; 2] = [100, 1 << 20];

pub(crate) fn run(data: &[u8]) {
    for encoding in [Encoding::Gzip, Encoding::Deflate] {
        let [small, large] = BOUNDS.map(|bound| encoding.decompress(data, bound));
        match (small, large) {
            (Ok(small), large) => {
                assert!(small.len() <= BOUNDS[0], "{} bytes", small.len());
                assert_eq!(large, Ok(small), "{encoding:?}");
            }
            (Err(DecompressError::TooLong), large) => {
                assert!(large.is_err() || large.is_ok_and(|text| text.len() > BOUNDS[0]));
            }
            (Err(error), large) => assert_eq!(large, Err(error), "{encoding:?}"),
        }
        if encoding.decompress(data, BOUNDS[1]).is_ok() {
            let cut = encoding.decompress(&data[..data.len() - 1], BOUNDS[1]);
            assert_eq!(cut, Err(DecompressError::Cut), "{encoding:?}");
        }
    }
}
