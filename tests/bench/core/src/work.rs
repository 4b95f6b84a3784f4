//! What is done with a body.

use std::cell::RefCell;
use std::hint::black_box;

use gaud::body::JsonScanner;
use serde::de::IgnoredAny;

/// Envoy reads a connection in pieces of this size.
const PIECE_BYTES: usize = 16 * 1024;

type Work = fn(&[u8]);

/// By name, in the table's order: done with each kind of content.
pub(crate) const WORKS: [(&str, Work); 3] = [
    ("scanner", scan_whole),
    ("scanner, pieces of 16 KiB", |body| scan(body.chunks(PIECE_BYTES))),
    ("serde_json IgnoredAny", |body| {
        black_box(serde_json::from_slice::<IgnoredAny>(body).expect("it is JSON"));
    }),
];

/// What takes the same time whatever the content: done with the first kind alone.
pub(crate) const BLIND_WORKS: [(&str, Work); 3] = [
    ("memchr, a byte that is not there", |body| assert_eq!(memchr::memchr(0, body), None)),
    ("std::str::from_utf8", |body| {
        black_box(std::str::from_utf8(body).expect("it is UTF-8"));
    }),
    ("memcpy", copy),
];

/// Into memory that is there already: the first touch of new memory costs more than the copy.
fn copy(body: &[u8]) {
    thread_local! {
        static COPY: RefCell<Vec<u8>> = RefCell::default();
    }
    COPY.with_borrow_mut(|copy| {
        copy.clear();
        copy.extend_from_slice(body);
        black_box(copy);
    });
}

pub(crate) fn scan_whole(body: &[u8]) {
    scan(body.chunks(body.len()));
}

fn scan<'a>(pieces: impl Iterator<Item = &'a [u8]>) {
    let mut scanner = JsonScanner::default();
    for piece in pieces {
        scanner.feed(piece).expect("it is JSON");
    }
    scanner.finish().expect("it is whole");
    let model = scanner.model().expect("it has a model");
    assert_eq!(black_box(model).value, "gpt-4o");
}
