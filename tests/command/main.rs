//! The built command as a user starts and ends it, with the real Envoy.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

mod http;
mod program;

mod admin;
mod check;
mod example;
mod run;
mod status;
mod stop;
mod upstream;
mod welcome;

use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}
