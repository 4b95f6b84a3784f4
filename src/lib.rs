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
//! The rooms, in the order in which a request meets them:
//!
//! | room | what it knows |
//! |---|---|
//! | [`request`] | what a client asks for: head, path, endpoint, credentials |
//! | [`body`] | where the body names the model, while its bytes pass |
//! | [`document`] | JSON and events of providers, while their bytes pass |
//! | [`route`] | which provider gets the model, and which targets follow |
//! | [`breaker`] | when a failing provider gets no traffic: the pure state machine |
//! | [`limits`] | how much a key, a user or a provider may use: the pure state machine |
//! | [`keys`] | who may ask for what: client keys, and how the filter learns of changes |
//! | [`health`] | what attempts and checks say of the providers, told to their breakers |
//! | [`session`] | a client's request, from its head to its answer; its order is known only here |
//! | [`failover`] | a request that takes several attempts, after the hop |
//! | [`usage`] | what an attempt has used, and how the journal says so |
//! | [`pricing`] | what an attempt costs, and at most can cost |
//! | [`reply`] | what the gateway answers in a provider's place |
//! | `filter` | the glue between Envoy and all of this; built for wasm32-wasip1 alone |
//!
//! And the life of a configuration:
//!
//! | room | what it knows |
//! |---|---|
//! | [`config`] | what a person writes |
//! | [`gateway`] | what the configuration compiles to |
//! | [`names`] | what the filter and Envoy's configuration call each other |
//! | [`models`] | which models the providers have |
//! | [`poll`] | when the gateway itself asks providers |
//! | [`host`] | what the core asks of the world: clock, shared data, metrics |
//! | [`record`] | how a record in shared data is written as bytes |
//! | [`room`] | how many bytes all requests of a worker may have, and who goes when that is full |
//! | `native` | the command: settings, rendering, running Envoy |
//!
//! A room imports only from rooms on lower lines:
//!
//! ```text
//! filter  native
//! failover  poll
//! session
//! health
//! keys  models
//! host
//! gateway
//! reply  route
//! pricing
//! usage
//! body  document
//! request
//! names
//! breaker  config
//! limits
//! record  room
//! ```

pub mod body;
pub mod breaker;
pub mod config;
pub mod document;
pub mod failover;
pub mod gateway;
pub mod health;
pub mod host;
pub mod keys;
pub mod limits;
pub mod models;
pub mod names;
pub mod poll;
pub mod pricing;
pub mod record;
pub mod reply;
pub mod request;
pub mod room;
pub mod route;
pub mod session;
pub mod usage;

#[cfg(all(target_os = "wasi", not(test)))]
mod filter;

#[cfg(not(target_family = "wasm"))]
pub mod native;

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
