//! What must hold for any bytes: one module for each target, with a `run` that panics where it does
//! not. The fuzzer calls it, and so does a test, with what the fuzzer has found.
#![allow(
    dead_code,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod careless;
pub(crate) mod compressed;
pub(crate) mod config;
pub(crate) mod heads;
mod input;
pub(crate) mod lists;
pub(crate) mod multipart;
pub(crate) mod records;
pub(crate) mod requests;
pub(crate) mod scanner;
mod whole;

/// A target and the name of its corpus.
type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const ALL: [Target; 8] = [
    ("compressed", compressed::run),
    ("config", config::run),
    ("heads", heads::run),
    ("lists", lists::run),
    ("multipart", multipart::run),
    ("records", records::run),
    ("requests", requests::run),
    ("scanner", scanner::run),
];
