//! The native side: everything around the filter that needs a file, a socket or a process.

#![allow(clippy::arithmetic_side_effects)] // no VM to trap: overflow checks of a debug build show a fault

pub(crate) mod certificates;
pub mod cli;
pub mod control;
pub(crate) mod database;
pub mod envoy;
pub(crate) mod gateway_id;
pub(crate) mod http;
pub mod import;
pub mod leases;
pub mod ledger;
pub mod live;
pub(crate) mod lock;
pub(crate) mod migrate;
pub(crate) mod os_error;
pub mod prices;
pub(crate) mod private_file;
pub mod refresh;
pub mod render;
pub mod run;
pub mod serve;
pub mod settings;
pub(crate) mod span;
pub mod standin;
pub(crate) mod virtual_keys;
pub(crate) mod webhook;
