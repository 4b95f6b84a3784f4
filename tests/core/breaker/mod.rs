//! The breaker as it is really stored and shared: every interleaving of a bounded world, threads
//! that race, and whole requests through sessions.
//!
//! ```text
//! search ──> world ──> the real Breaker             sessions ──> envoy ──> the real Session
//!    │         └─────> history: what has happened,     races ─────────> the real shared, store
//!    │                 and what that allows                └──────────> host::memory: the Host
//!    ├─────> standing: what must hold at any time
//!    ├─────> key: which worlds are the same
//!    └─────> two_levels: a provider and two models
//!
//! copies: a worker's copies of the record, in every order of steps
//! ```

mod copies;
mod envoy;
mod history;
mod key;
mod races;
mod search;
mod sessions;
mod standing;
mod two_levels;
mod world;

use gaud::config::File;
use gaud::gateway::Gateway;

/// Compiles the filter's JSON.
fn gateway(json: &str) -> Gateway {
    Gateway::compile(&File::from_json(json.as_bytes()).unwrap(), &|_| None).unwrap()
}
