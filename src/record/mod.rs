//! The bytes of a record in shared data: numbers of fixed size, little-endian, one after the other. A record begins with
//! its version, so that the bytes of another version are not misread.

/// Reads a record from its beginning. `None` where the record is shorter than that.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The same, after a version. `None` for another version, and for no bytes at all.
    pub fn of_version(bytes: Option<&'a [u8]>, version: u8) -> Option<Self> {
        let mut reader = Self(bytes?);
        (reader.u8()? == version).then_some(reader)
    }

    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// The next number of four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next number of eight bytes.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// The next text: its length in four bytes, and the text.
    #[inline(never)]
    pub fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    /// What was not read.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

/// Writes a record.
#[derive(Debug, Clone, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// A record of this version; `capacity` bytes are set aside.
    pub fn of_version(version: u8, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.push(version);
        Self(bytes)
    }

    /// Adds bytes.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds one byte.
    pub fn u8(self, number: u8) -> Self {
        self.bytes(&[number])
    }

    /// Adds a number of four bytes.
    pub fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// Adds a number of eight bytes.
    pub fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// Adds a text, with its length before it.
    #[inline(never)]
    pub fn text(self, text: &str) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.u32(length).bytes(text.as_bytes())
    }

    /// The record.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// How much later than a worker's own the clock of another worker may be: a worker looks at the clock before it loads a
/// record, and in between another worker may look at the clock and store the record.
pub const LATER_MS: u64 = 1000;

/// How long until a time in a record, which is `most_ms` ahead at most when it is set. 0 when the time has passed, and when
/// the time is so far ahead that it was set before the clock was set back, or by other settings.
pub fn left_ms(until_ms: u64, now_ms: u64, most_ms: u64) -> u64 {
    match until_ms.saturating_sub(now_ms) {
        left_ms if left_ms > most_ms.saturating_add(LATER_MS) => 0,
        left_ms => left_ms.min(most_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let bytes = Writer::of_version(7, 20).u8(1).u32(u32::MAX).u64(2).bytes(b"end").finish();
        assert_eq!(bytes, b"\x07\x01\xff\xff\xff\xff\x02\0\0\0\0\0\0\0end");
        let mut reader = Reader::of_version(Some(&bytes), 7).unwrap();
        assert_eq!((reader.u8(), reader.u32(), reader.u64()), (Some(1), Some(u32::MAX), Some(2)));
        assert_eq!(reader.rest(), b"end");
        assert_eq!((reader.u32(), reader.array()), (None, Some(*b"end")));
        assert_eq!(reader.u8(), None);
    }

    #[test]
    fn a_text_has_its_length_before_it() {
        let bytes = Writer::default().text("é").text("").finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.text(), reader.text(), reader.text()), (Some("é"), Some(""), None));
        assert_eq!(Reader::new(&bytes[..5]).text(), None, "cut");
        assert_eq!(Reader::new(b"\x01\0\0\0\xff").text(), None, "not UTF-8");
    }

    #[test]
    fn a_time_that_another_worker_set_is_ahead() {
        let left = |until_ms| left_ms(until_ms, 10_000, 500);
        assert_eq!([0, 9999, 10_000, 10_001].map(left), [0, 0, 0, 1], "passed, or about to");
        assert_eq!(
            [10_500, 10_501, 11_500].map(left),
            [500; 3],
            "set by a clock that was read later"
        );
        assert_eq!([11_501, u64::MAX].map(left), [0; 2], "the clock was set back");
        assert_eq!(left_ms(u64::MAX, 0, u64::MAX), u64::MAX);
    }

    #[test]
    fn another_version_is_not_read() {
        assert!(Reader::of_version(Some(&[1]), 2).is_none());
        assert!(Reader::of_version(Some(&[]), 2).is_none());
        assert!(Reader::of_version(None, 2).is_none());
    }
}
