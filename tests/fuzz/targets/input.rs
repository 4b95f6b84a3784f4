//! Takes an input apart: what is to be read, and how it is cut.

use gaud::body::{Edit, ScanError, Scanner};

/// What a scan comes to: the model and its place, or what is wrong.
pub(crate) type Verdict = Result<Option<(String, u64, u64)>, ScanError>;

/// Bytes with places at which they are cut.
///
/// An input begins with a byte that says how many cuts there are, fewer than eight, and two bytes
/// for each.
pub(crate) struct Input<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) cuts: Vec<usize>,
}

impl<'a> Input<'a> {
    pub(crate) fn parse(data: &'a [u8]) -> Option<Self> {
        let (count, mut bytes) = data.split_first()?;
        let mut places = Vec::new();
        for _ in 0..count % 8 {
            let (place, rest) = bytes.split_first_chunk()?;
            places.push(usize::from(u16::from_le_bytes(*place)));
            bytes = rest;
        }
        let mut cuts: Vec<_> = places.iter().map(|place| place % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        Some(Self { bytes, cuts })
    }

    /// The pieces between the cuts; some may be empty.
    pub(crate) fn pieces(&self) -> Vec<&'a [u8]> {
        let ends = self.cuts.iter().copied().chain([self.bytes.len()]);
        let starts = [0].into_iter().chain(self.cuts.iter().copied());
        starts.zip(ends).map(|(start, end)| &self.bytes[start..end]).collect()
    }
}

/// Feeds the pieces to a new scanner; the scanner, and what the scan comes to.
pub(crate) fn scan<'a>(
    mut scanner: Scanner,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Scanner, Verdict) {
    let fed = pieces.into_iter().try_for_each(|piece| scanner.feed(piece));
    let verdict = fed.and_then(|()| scanner.finish());
    let model = scanner.model().map(|found| (found.value.clone(), found.start, found.end));
    (scanner, verdict.map(|()| model))
}

/// Scans whole, as the input says, and byte by byte: the verdict is the same.
pub(crate) fn scan_every_way(input: &Input<'_>, begin: impl Fn() -> Scanner) -> (Scanner, Verdict) {
    let (scanner, whole) = scan(begin(), [input.bytes]);
    let (_, cut) = scan(begin(), input.pieces());
    assert_eq!(cut, whole, "cut at {:?}", input.cuts);
    if input.bytes.len() <= 4096 {
        let (_, single) = scan(begin(), input.bytes.chunks(1));
        assert_eq!(single, whole, "byte by byte");
    }
    (scanner, whole)
}

/// An edit replaces its bytes and no other, at once and piece by piece.
pub(crate) fn check_edit(input: &Input<'_>, edit: &Edit) -> Vec<u8> {
    let (start, end) = (edit.start as usize, edit.end as usize);
    let expected = [&input.bytes[..start], &edit.with, &input.bytes[end..]].concat();
    assert_eq!(edit.apply(input.bytes.to_vec()), expected);
    assert_eq!(edit.resized(input.bytes.len() as u64), expected.len() as u64);
    // Nothing is replaced in an empty place: the pieces have none of its bytes.
    if start < end {
        assert_eq!(by_pieces(input, edit), expected, "cut at {:?}", input.cuts);
    }
    expected
}

fn by_pieces(input: &Input<'_>, edit: &Edit) -> Vec<u8> {
    let (mut offset, mut edited) = (0, Vec::new());
    for piece in input.pieces() {
        match edit.cut(offset as u64, piece.len()) {
            Some(cut) => {
                edited.extend_from_slice(&piece[..cut.keep]);
                edited.extend_from_slice(cut.with);
                edited.extend_from_slice(&piece[cut.end..]);
            }
            None => edited.extend_from_slice(piece),
        }
        offset += piece.len();
    }
    edited
}
