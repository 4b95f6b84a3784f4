//! The glue between Envoy and the core: proxy-wasm, and nothing else.
//!
//! It translates and decides nothing: callbacks in ([`exports`]), the steps of a
//! [`crate::session::Session`] or a [`crate::attempt::Attempt`] out ([`host`]).

mod attempt;
mod envoy;
mod exports;
mod host;
mod log;
mod root;
mod stream;
#[cfg(feature = "trap")]
mod trap;

/// An HTTP status as a header has it.
fn status(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
