//! How a request's end is told, and its first line, in ways that servers read differently.

use super::case::{BODY, CHAT, Case, Expected, JSON};
use crate::kit::random::Random;
use Expected::StatusOrClose;

/// Hides in the bodies here: a provider that sees this request was fooled.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";

/// Size lines of chunks that are invalid.
const SIZES: [&str; 12] = [
    "g",
    "-1",
    "0x5",
    "ffffffffffffffffff",
    " 5",
    "5 5",
    "5\n",
    "+5",
    "5;a=\n",
    "\r\n5",
    "",
    "5,5",
];

/// Header lines that contradict each other, or themselves.
const LENGTHS: [&str; 16] = [
    "content-length: 5\r\ntransfer-encoding: chunked\r\n",
    "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
    "content-length: 5\r\ncontent-length: 6\r\n",
    "content-length: 5, 6\r\n",
    "content-length: -1\r\n",
    "content-length: +5\r\n",
    "content-length: 0x5\r\n",
    "content-length: 5 5\r\n",
    "content-length: 99999999999999999999\r\n",
    "content-length:\r\n",
    "transfer-encoding: chunked, identity\r\n",
    "transfer-encoding: identity, chunked\r\n",
    "transfer-encoding: xchunked\r\n",
    "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
    "transfer-encoding: \x0bchunked\r\n",
    "content-length: 5\r\ntransfer-encoding : chunked\r\n",
];

const LINES: [&str; 20] = [
    "GET /",
    "GET / HTTP/0.9",
    "GET / HTTP/1.0",
    "GET / HTTP/1.2",
    "GET / HTTP/2.0",
    "GET / HTTP/3",
    "GET  /  HTTP/1.1",
    "GET\t/\tHTTP/1.1",
    "GET / HTTP/1.1 x",
    " GET / HTTP/1.1",
    "G@T / HTTP/1.1",
    "\0 / HTTP/1.1",
    "GET",
    "/ HTTP/1.1",
    "GET / http/1.1",
    "GET / HTTP/11",
    "GET / HTTP/1.1\r",
    "GET http:// HTTP/1.1",
    "CONNECT / HTTP/1.1",
    "PRI * HTTP/2.0",
];

/// Heads with line ends and names that are not RFC 9112's.
const HEADS: [&str; 10] = [
    "host: a\n",
    "host: a\r\nx: a\r\n b\r\n",
    "host: a\r\n x: b\r\n",
    "host: a\r\nx : b\r\n",
    "host: a\r\n: b\r\n",
    "host: a\r\nx\r\n",
    "host: a\r\nx: a\rb\r\n",
    "host: a\r\nx: a\0b\r\n",
    "host: a\r\nx\u{e9}: b\r\n",
    "host: a\r\nhost: b\r\n",
];

/// A random one.
pub(super) fn case(random: &mut Random) -> Case {
    match random.below(5) {
        0 => {
            let head =
                format!("POST {CHAT} HTTP/1.1\r\nhost: a\r\n{JSON}{}\r\n", random.pick(&LENGTHS));
            Case::new(format!("{head}{{}}   {HIDDEN}"), StatusOrClose(&[400, 501]))
        }
        1 => chunks(random),
        2 => {
            let line = random.pick(&LINES);
            let allowed = &[200, 400, 403, 404, 405, 426, 501, 505];
            Case::new(format!("{line}\r\nhost: a\r\n\r\n"), StatusOrClose(allowed))
        }
        3 => {
            let head = format!("POST {CHAT} HTTP/1.1\r\n{}{JSON}", random.pick(&HEADS));
            let head = format!("{head}content-length: {}\r\n\r\n", BODY.len());
            let bytes = [head.as_bytes(), BODY].concat();
            Case::new(bytes, StatusOrClose(&[200, 400]))
        }
        _ => mutated(random),
    }
}

fn chunks(random: &mut Random) -> Case {
    let head =
        format!("POST {CHAT} HTTP/1.1\r\nhost: a\r\n{JSON}transfer-encoding: chunked\r\n\r\n");
    let body = String::from_utf8_lossy(BODY);
    let text = match random.below(4) {
        0 => format!("{}\r\n{body}\r\n0\r\n\r\n", random.pick(&SIZES)),
        1 => format!("{:x}\r\n{body}{HIDDEN}\r\n0\r\n\r\n", BODY.len()),
        2 => format!("{:x}\r\n{body}\r\n0\r\nx-gaud-cluster: two\r\n: x\r\n\r\n", BODY.len()),
        _ => format!(
            "{:x}\r\n{body}\r\n{}\r\n",
            BODY.len() + 1 + random.below(9),
            random.pick(&SIZES)
        ),
    };
    Case::new(head + &text, StatusOrClose(&[400]))
}

/// A good request with some of its head's bytes changed.
fn mutated(random: &mut Random) -> Case {
    let mut head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: a\r\n{JSON}x-note: 1\r\nauthorization: Bearer c\r\n\
         content-length: {}",
        BODY.len()
    )
    .into_bytes();
    random.mutate(&mut head, b"\r\n\0 :,;\t/\\%?#HTP01x-\x7f\xff\xc3\"");
    let bytes = [&head[..], b"\r\n\r\n", BODY].concat();
    let allowed = &[200, 400, 403, 404, 405, 411, 413, 415, 417, 426, 431, 501, 505];
    Case::new(bytes, StatusOrClose(allowed))
}
