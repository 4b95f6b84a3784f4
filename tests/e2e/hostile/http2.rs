//! HTTP/2 (RFC 9113) frame by frame, as no library would send it.

use super::attacks::{Outcome, PATIENCE};
use super::case::BODY;
use super::frames::*;
use crate::kit::harness::wait::LIMIT;
use crate::kit::random::Random;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// What may come back; nothing named: anything but a failure.
const ANY: &[&str] = &[];
const GOOD: &[&str] = &["2xx"];
const REFUSED: &[&str] = &["closed", "goaway", "reset", "4xx", "4xx reset"];

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Sends a random connection and reads to its end.
pub(super) fn exchange(addr: SocketAddr, random: &mut Random) -> Outcome {
    let (frames, allowed) = frames(random);
    let bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frames].concat();
    let mut stream = open(addr);
    let mut writer = stream.try_clone().expect("a second handle");
    let _ = writer.write_all(&bytes);
    // The answer to a ping says that all before it was read; further answers may still come.
    let _ = writer.write_all(&frame(PING, 0, 0, b"the end!"));
    let (answer, has_closed) = read_until(&mut stream, has_ended);
    let _ = writer.shutdown(Shutdown::Write);
    let (mut got, mut verdict) = check(&answer);
    if got.is_empty() {
        got = if has_closed { "closed" } else { "silence" }.to_owned();
    }
    if verdict.is_ok() && !allowed.is_empty() && !allowed.contains(&got.as_str()) {
        verdict = Err(format!("{got} in place of {allowed:?}"));
    }
    Outcome { sent: bytes, got, verdict }
}

fn open(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&addr, LIMIT).expect("a listening gateway");
    stream.set_nodelay(true).expect("no delay");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream
}

/// Reads until that holds of what came, until the other side closes, or until nothing comes; and
/// whether it has closed.
fn read_until(stream: &mut TcpStream, ended: impl Fn(&[u8]) -> bool) -> (Vec<u8>, bool) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 * 1024]);
    loop {
        match stream.read(&mut piece) {
            Ok(read @ 1..) => bytes.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return (bytes, false);
            }
            Ok(_) | Err(_) => return (bytes, true),
        }
        if ended(&bytes) {
            return (bytes, false);
        }
    }
}

/// Whether a stream or the connection has come to its end.
fn has_ended(answer: &[u8]) -> bool {
    let ends = |(kind, flags, _): (u8, u8, &[u8])| match kind {
        GOAWAY | RST_STREAM => true,
        HEADERS | DATA => flags & END_STREAM != 0,
        _ => false,
    };
    read_frames(answer).into_iter().any(ends)
}

/// The gateway may answer, reset the stream or close the connection; what it must not is fail. What
/// it did is said by the frames that count.
fn check(answer: &[u8]) -> (String, Result<(), String>) {
    let (mut got, mut verdict) = (BTreeSet::new(), Ok(()));
    for (kind, _, payload) in read_frames(answer) {
        // INTERNAL_ERROR (section 7).
        if kind == GOAWAY && payload.get(4..8) == Some(&[0, 0, 0, 2]) {
            verdict = Err("an internal error ended the connection".to_owned());
        }
        if kind == HEADERS && status(payload) == b'5' {
            verdict = Err(format!("a status of 500 or above: {}", payload.escape_ascii()));
        }
        match kind {
            HEADERS => got.insert(format!("{}xx", char::from(status(payload)))),
            RST_STREAM => got.insert("reset".to_owned()),
            GOAWAY => got.insert("goaway".to_owned()),
            _ => false,
        };
    }
    (got.into_iter().collect::<Vec<_>>().join(" "), verdict)
}

fn frames(random: &mut Random) -> (Vec<u8>, &'static [&'static str]) {
    let good = head(&[]);
    let open = frame(HEADERS, END_HEADERS, 1, &good);
    let body = frame(DATA, END_STREAM, 1, BODY);
    let begun = frame(HEADERS, 0, 1, &good[..9]);
    let many = 1 + random.below(3000);
    match random.below(16) {
        0 => ([open, frame(DATA, 0, 1, b"").repeat(many), body].concat(), ANY),
        1 => ([begun, frame(CONTINUATION, 0, 1, b"").repeat(many)].concat(), ANY),
        2 => (flood(random, &good), ANY),
        3 => ([begun, frame(DATA, 0, 1, BODY)].concat(), REFUSED),
        4 => {
            let most = frame(WINDOW_UPDATE, 0, 1, &[0x7f, 0xff, 0xff, 0xff]);
            ([open, most.repeat(3), body].concat(), REFUSED)
        }
        5 => ([frame(WINDOW_UPDATE, 0, 0, &[0; 4]), open, body].concat(), REFUSED),
        6 => {
            // SETTINGS_INITIAL_WINDOW_SIZE: too small for the answer's body.
            let small = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, random.below(3) as u8]);
            ([small, open, body].concat(), GOOD)
        }
        7 => (frame(SETTINGS, 0, 0, &random.bytes(6).repeat(1 + many / 20)), ANY),
        8 => {
            let trailers = literal("x-gaud-cluster", b"two");
            ([open, frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers)].concat(), REFUSED)
        }
        9 => ([frame(HEADERS, END_HEADERS, 1, &head(bad(random))), body].concat(), ANY),
        10 => ([frame(HEADERS, END_HEADERS, 2 * (many % 3) as u32, &good), body].concat(), REFUSED),
        11 => ([open, frame(DATA, 8 | END_STREAM, 1, &[255, b'{'])].concat(), REFUSED),
        12 => ([frame(PING, 0, 0, b"12345678").repeat(many), open, body].concat(), ANY),
        13 => {
            let (kind, flags) = (random.below(256) as u8, random.below(256) as u8);
            ([open, frame(kind, flags, many as u32 % 4, &random.bytes(20))].concat(), ANY)
        }
        14 => (random.bytes(200), ANY),
        _ => (mutated(random, &[open, body].concat()), ANY),
    }
}

/// Streams that are opened and reset at once (CVE-2023-44487).
fn flood(random: &mut Random, head: &[u8]) -> Vec<u8> {
    let one = |index: usize| {
        let stream = 2 * index as u32 + 1;
        [frame(HEADERS, END_HEADERS, stream, head), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])]
            .concat()
    };
    (0..1 + random.below(400)).flat_map(one).collect()
}

fn mutated(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    random.mutate(&mut bytes, b"\0\x01\x04\x05\x08\x80\xff:/");
    bytes
}

/// Headers that RFC 9113, section 8.2 and 8.3, forbids.
fn bad(random: &mut Random) -> &'static [(&'static str, &'static [u8])] {
    const ALL: [&[(&str, &[u8])]; 9] = [
        &[("X-UPPER", b"1")],
        &[("connection", b"close")],
        &[("transfer-encoding", b"chunked")],
        &[(":path", b"/v1/other")],
        &[(":unknown", b"1")],
        &[("x-note", b"a\r\nx-evil: 1")],
        &[("x-note", b"a\0b")],
        &[("content-length", b"999")],
        &[("te", b"gzip"), ("host", b"b")],
    ];
    random.pick::<&[(&str, &[u8])]>(&ALL)
}
