//! Header values and numbers of headers.

use super::case::{BODY, CHAINED, CHAT, Case, Expected, JSON, post};
use crate::kit::random::Random;
use Expected::{Code, Good, Status, StatusOrClose};

const NAMES: [&str; 16] = [
    "x-note",
    "user-agent",
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "accept",
    "x-request-id",
    "traceparent",
    "x-forwarded-for",
    "anthropic-version",
    "sec-websocket-protocol",
    "x-litellm-api-key",
    "proxy-authorization",
    "ocp-apim-subscription-key",
];

/// Headers of the gateway and of Envoy: a client that sends them changes nothing.
const GATEWAYS: [&str; 18] = [
    "x-gaud-cluster",
    "x-gaud-run",
    "x-gaud-provider",
    "x-gaud-key",
    "x-gaud-",
    "X-GAUD-CLUSTER",
    "x-envoy-retry-on",
    "x-envoy-max-retries",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-original-path",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-decorator-operation",
    "x-envoy-force-trace",
    "x-envoy-ip-tags",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-internal",
    "X-Envoy-Expected-Rq-Timeout-Ms",
];

const TYPES: [&[u8]; 14] = [
    b"application/json",
    b"application/json; charset=utf-16",
    b"text/plain",
    b"",
    b"\xff\xfe",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data",
    b"multipart/form-data; boundary=",
    b"multipart/form-data; boundary=\"",
    b"multipart/form-data; boundary=b; boundary=c",
    b"multipart/form-data; boundary=b\r\ncontent-type: application/json",
    b"multipart/form-data\r\ncontent-type: multipart/form-data",
    b"application/json\r\ncontent-type: text/plain",
    b"MULTIPART/FORM-DATA; BOUNDARY=b",
];

/// A random one.
pub(super) fn case(random: &mut Random) -> Case {
    match random.below(7) {
        0 => {
            let count = 1 + random.below(30);
            let value = plain(random.bytes(count));
            let value = [random.pick(&NAMES).as_bytes(), b": ", &value].concat();
            lines(value, Good)
        }
        1 => {
            let control = [*random.pick(b"\0\x01\x08\x0b\x0c\x1b\x7f"), b'x'];
            lines([b"x-note: a", &control[..]].concat(), StatusOrClose(&[200, 400]))
        }
        2 => gateways(random),
        3 => {
            let line = format!("x-long: {}", "x".repeat(50_000 + random.below(150_000)));
            lines(line.into_bytes(), StatusOrClose(&[200, 431]))
        }
        4 => {
            let count = [90, 240, 300, 10_000][random.below(4)];
            let many: String = (0..count).map(|index| format!("x-{index}: 1\r\n")).collect();
            let expected = if count < 250 { Good } else { StatusOrClose(&[431]) };
            lines(many.trim_end().as_bytes().to_vec(), expected)
        }
        5 => {
            let line = [b"content-type: ", *random.pick(&TYPES)].concat();
            let path = *random.pick(&[CHAT, "/v1/audio/transcriptions", "/v1/realtime/calls"]);
            let bytes = post(path, "", BODY);
            Case::new(insert(&bytes, &line), Status(&[200, 400, 415]))
        }
        _ => encoding(random),
    }
}

/// Visible, and the rest as it comes: what RFC 9110 calls obs-text.
fn plain(mut value: Vec<u8>) -> Vec<u8> {
    value.iter_mut().filter(|byte| byte.is_ascii_control()).for_each(|byte| *byte |= 0x40);
    value.iter_mut().filter(|byte| **byte == 0x7f).for_each(|byte| *byte = b'x');
    value.push(b'x');
    value
}

fn gateways(random: &mut Random) -> Case {
    let values =
        ["two", "", "5xx", "1", "gaud_attempts", "0;m;json;0;9", "a,b", "one\" two", "\u{e9}"];
    let mut text = String::from("connection: x-gaud-cluster, authorization\r\n");
    for _ in 0..=random.below(8) {
        text += &format!("{}: {}\r\n", random.pick(&GATEWAYS), random.pick(&values));
    }
    lines(text.trim_end().as_bytes().to_vec(), Good)
}

fn encoding(random: &mut Random) -> Case {
    let encoding = *random.pick(&["br", "zstd", "deflate", "gzip", "x", "\u{e9}", "identity, br"]);
    let line = format!("content-encoding: {encoding}");
    lines(line.into_bytes(), Code(&["unsupported_content_encoding", "invalid_compression"]))
}

/// A good request with further lines in its head.
fn lines(lines: Vec<u8>, expected: Expected) -> Case {
    // Each as often by the hop: by the length, which the caller has drawn.
    let body = if lines.len().is_multiple_of(2) { BODY } else { CHAINED };
    Case::new(insert(&post(CHAT, JSON, body), &lines), expected)
}

/// Puts lines after the first.
fn insert(request: &[u8], lines: &[u8]) -> Vec<u8> {
    let at = request.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    [&request[..at], lines, b"\r\n", &request[at..]].concat()
}
