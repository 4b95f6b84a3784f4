//! The tools of the suites.
//!
//! `harness` starts and ends Envoy, `upstream` stands in for the providers and records what reaches
//! them, `client` sends requests, `load` lets many clients send them. `proving` shows on an Envoy
//! without the filter that these tools tell the truth.

pub(crate) mod client;
pub(crate) mod configs;
pub(crate) mod harness;
pub(crate) mod issuer;
pub(crate) mod load;
pub(crate) mod observe;
pub(crate) mod otlp;
pub(crate) mod pair;
#[path = "../../postgres/mod.rs"]
pub(crate) mod postgres;
mod proving;
pub(crate) mod random;
pub(crate) mod rate_limits;
pub(crate) mod refusal;
pub(crate) mod samples;
pub(crate) mod strict;
pub(crate) mod upstream;
