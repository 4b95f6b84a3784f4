//! The gateway as its users run it: the real Envoy with the built filter, between real sockets.
//!
//! `harness` starts and ends Envoy, `upstream` stands for the providers and records what reaches
//! them, `client` speaks HTTP/1.1 byte by byte and HTTP/2 frame by frame. `proving` shows on an
//! Envoy without the filter that these tools tell the truth; every other module is a suite.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod client;
mod harness;
mod lean;
mod pair;
mod refusal;
mod samples;
mod upstream;

mod proving;

mod body;
mod breaker;
mod chaos;
mod credentials;
mod cutting;
mod endpoints;
mod errors;
mod failing;
mod failover;
mod hostile;
mod late;
mod lists;
mod mesh;
mod multipart;
mod mutants;
mod own;
mod paths;
mod reaching;
mod routing;
mod secrets;
mod soak;
mod storm;
mod streaming;
mod trap;
mod upload;
