//! The glue between Envoy and the core: proxy-wasm, and nothing else.
//!
//! The glue translates, and decides nothing:
//!
//! ```text
//! Envoy ── exports ──> context ──┬─> root     the plugin: configuration, ticks, polls
//!                                ├─> stream   a client's request, by a Session
//!                                └─> attempt  a request that came over the hop, by an Attempt
//!                                      └──────── host, abi ──> Envoy
//! ```
//!
//! The same module runs before and after the hop; the plugin's `root_id` tells which.

mod abi;
mod attempt;
mod clock;
mod context;
mod exports;
mod host;
mod log;
mod reply;
mod root;
mod status;
mod stream;
mod ticks;
#[cfg(feature = "trap")]
mod trap;
mod usage;
