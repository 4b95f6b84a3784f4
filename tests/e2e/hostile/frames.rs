//! Frames of HTTP/2 (RFC 9113) as bytes, and headers that are not compressed (RFC 7541).

use super::case::CHAT;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// Frame types.
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// The whole frames of what came: type, flags, payload.
pub(super) fn read_frames(mut bytes: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let mut frames = Vec::new();
    while let Some((head, after)) = bytes.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, after)) = after.split_at_checked(length) else { break };
        frames.push((head[3], head[4], payload));
        bytes = after;
    }
    frames
}

/// The first digit of `:status`, which comes first (RFC 7541): indexed, or a literal that may be
/// Huffman-coded; trailers have none.
pub(super) fn status(block: &[u8]) -> u8 {
    let block = &block[block.iter().take_while(|byte| **byte & 0xe0 == 0x20).count()..];
    match block {
        [0x88..=0x8a, ..] => b'2',
        [0x8b, ..] => b'3',
        [0x8c | 0x8d, ..] => b'4',
        [0x8e, ..] => b'5',
        [0x48 | 0x08, length, first, ..] if length & 0x80 != 0 => match first >> 2 {
            0b01_1001 => b'3',
            0b01_1010 => b'4',
            0b01_1011 => b'5',
            _ => b'2',
        },
        [0x48 | 0x08, _, first, ..] => *first,
        _ => b'?',
    }
}

/// A request's header block, nothing indexed.
pub(super) fn head(further: &[(&str, &[u8])]) -> Vec<u8> {
    let usual: [(&str, &[u8]); 5] = [
        (":method", b"POST"),
        (":scheme", b"http"),
        (":authority", b"a"),
        (":path", CHAT.as_bytes()),
        ("content-type", b"application/json"),
    ];
    usual.iter().chain(further).flat_map(|(name, value)| literal(name, value)).collect()
}

pub(super) fn literal(name: &str, value: &[u8]) -> Vec<u8> {
    let text = |text: &[u8]| [&[text.len() as u8], text].concat();
    [vec![0], text(name.as_bytes()), text(value)].concat()
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}
