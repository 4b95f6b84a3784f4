//! Gaud: an LLM gateway inside Envoy.
//!
//! ```text
//! head ──── endpoint ─────────────────────────────────────┐             (held)
//! body ──── body::json ── model ── route ── body::edit ───┴─> Envoy's router ──> provider
//!        or body::multipart            │                                 ^
//!             └ goes on scanning while the rest streams                  │
//!                                      │ several attempts may be needed  │
//!                                      └─────> hop ──> attempt ──────────┘
//! ```
//!
//! The modules, as a request meets them: [`head`], [`path`] and [`endpoint`] say what it asks for,
//! [`body`] finds its [`model`], [`route`] picks the targets by the [`config`], [`admission`] asks
//! the first one's [`breaker`], [`release`] is how the request leaves, and [`reply`] what a client gets in a provider's place.
//! [`session`] alone knows their order.
//!
//! A request that may take several attempts goes over the [`hop`]: [`attempt`] alone knows the
//! order behind the hop. [`run`] remembers the attempts before, [`response`] reads what came of one,
//! and [`retry`] decides what comes next.
//!
//! Beside the requests: [`outcome`] says what an attempt means to a [`breaker`], [`health`] checks
//! providers and [`discovery`] asks them for their models, all with the help of [`store`];
//! [`status`] and [`metrics`] show how they are, and [`catalog`] what models they have. [`host`] is
//! what all of it asks of the world, and [`capabilities`] what the module asks of Envoy.
//!
//! The `filter` translates between this and Envoy, and is built for wasm32-wasip1 only.

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
pub mod hop;
pub mod host;
pub mod metrics;
pub mod model;
pub mod outcome;
pub mod path;
pub mod release;
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
