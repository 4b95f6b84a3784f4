//! The contract between the filter and Envoy's rendered configuration: the names that both use.
//!
//! [`near`] knows which of some names a person has meant.
//!
//! The templates take every name from here (see `native/render`); a test searches the templates and
//! the other source files for names that are written out there.

pub mod capabilities;
pub mod clusters;
pub mod headers;
pub mod keys;
pub mod metrics;
pub mod near;
pub mod properties;

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
