//! A client that asks for much and reads nothing.

/// The frames of a connection (RFC 9113) that sends `count` times `GET path`, and grants no bytes of any answer.
pub(crate) fn without_a_window(path: &str, headers: &[(&str, &str)], count: u32) -> Vec<u8> {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const END_STREAM_AND_HEADERS: u8 = 5;
    const INITIAL_WINDOW_SIZE: u8 = 4;
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let literal = |name: &str, value: &str| {
        let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    let pseudo =
        [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "gateway")];
    let fields = pseudo.iter().chain(headers);
    let block: Vec<u8> = fields.flat_map(|(name, value)| literal(name, value)).collect();
    let settings = frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0]);
    let asked = (0..count)
        .flat_map(|number| frame(HEADERS, END_STREAM_AND_HEADERS, 2 * number + 1, &block));
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), settings, asked.collect()].concat()
}
