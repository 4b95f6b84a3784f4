//! The breaker as it is really stored and shared: every interleaving of a bounded world, threads
//! that race, and whole requests through sessions.
//!
//! ```text
//! search ──> world ──> the real Breaker             sessions ──> envoy ──> the real Session
//!    │         └─────> history: what has happened,     races ─────────> the real shared, store
//!    │                 and what that allows                └──────────> memory: the Host
//!    ├─────> standing: what must hold at any time
//!    └─────> key: which worlds are the same
//! ```
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "breaker/envoy.rs"]
mod envoy;
#[path = "breaker/history.rs"]
mod history;
#[path = "breaker/key.rs"]
mod key;
#[path = "breaker/memory.rs"]
mod memory;
#[path = "breaker/races.rs"]
mod races;
#[path = "breaker/search.rs"]
mod search;
#[path = "breaker/sessions.rs"]
mod sessions;
#[path = "breaker/standing.rs"]
mod standing;
#[path = "breaker/world.rs"]
mod world;
