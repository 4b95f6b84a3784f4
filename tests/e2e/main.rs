//! The gateway as its users run it: the real Envoy with the built filter, between real sockets.
//!
//! `kit` has the tools: it starts and ends Envoy, answers in the providers' place, and speaks HTTP/1.1
//! byte by byte and HTTP/2 frame by frame. Every other module is a folder of suites, named after what
//! they prove. `tests/README.md` maps them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod kit;

mod bodies;
mod breaker;
mod credentials;
mod deployments;
mod edge;
mod failover;
mod gateways;
mod hostile;
mod keys;
mod limits;
mod live;
mod long;
mod models;
mod providers;
mod routing;
mod telemetry;
mod usage;
