//! Gaud: an LLM gateway inside Envoy.
//!
//! ```text
//! head ──── endpoint ─────────────────────────────────┐              (held)
//! body ──── body::json ── model ── route ── body::edit ┴──> Envoy's router ──> provider
//!             └ goes on scanning while the rest streams
//! ```
//!
//! The modules, as a request meets them: [`head`] and [`endpoint`] say what it asks for, [`body`]
//! finds its [`model`], [`route`] picks the provider by the [`config`], [`reply`] is what a client
//! gets in a provider's place. [`breaker`]
//! and [`outcome`] leave failing providers alone, with the help of [`store`] and [`health`];
//! [`status`] and [`metrics`] show how they are, and [`catalog`] what models they have.
//! [`session`] alone knows their order; the `filter` translates between it and Envoy, and is built
//! for wasm32-wasip1 only.

pub mod admission;
pub mod attempt;
pub mod body;
pub mod breaker;
pub mod capabilities;
pub mod catalog;
mod client_path;
pub mod config;
pub mod discovery;
pub mod endpoint;
pub mod head;
pub mod health;
pub mod host;
pub mod metrics;
pub mod model;
pub mod outcome;
pub mod path;
pub mod relay;
pub mod reply;
pub mod response;
pub mod retry;
pub mod route;
pub mod run;
pub mod session;
pub mod status;
pub mod store;

#[cfg(all(target_os = "wasi", not(test)))]
mod filter;
