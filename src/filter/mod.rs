//! The glue between Envoy and the core: proxy-wasm, and nothing else.
//!
//! It translates and decides nothing:
//!
//! ```text
//! Envoy ── exports ──┬─> root     the plugin: configuration, ticks, checks, discovery
//!                    ├─> stream   a client's request, by a Session
//!                    └─> attempt  what came over the hop, by an Attempt
//!                          └──────── host ──> Envoy
//! ```
//!
//! The same module stands before and behind the hop; `root_id` says where.

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
