//! What needs no Envoy: the core by its properties, the command by what it prints, the documents and the built module
//! by what they hold.
//!
//! One program for all of it: each further one would link the whole crate again. `built_module` alone needs the built filter.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod answers;
mod breaker;
mod built_module;
mod catalog;
mod command;
mod compressed;
mod docs;
mod fuzz_corpora;
mod gateways;
mod import;
mod limits;
mod scanner_blocks;
mod scanners;
mod threads;
mod usage;
