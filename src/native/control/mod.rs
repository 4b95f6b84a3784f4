//! The control server: settings, and the state of the gateway, for callers with an admin key.
//!
//! ```text
//! client ──8400──> Envoy ── /admin, /ui ──> socket of the control server ── settings ──> gaud.toml ──> the running Envoy
//!                                                  └─ admin keys, audit ──> SQLite, in the folder `[control] data`
//! ```
//!
//! Envoy serves requests whether the control server is there or not.

mod admin_key;
mod api;
mod auth;
mod change;
mod data;
mod error;
mod secrets;
pub mod settings;
mod store;
mod usage;

pub use admin_key::{AdminKey, KeyHash};
pub use api::{Apply, Change, Control, Following, now_secs, serve};
pub use auth::Throttle;
pub use data::{DataFolder, DataProblem};
pub use store::{AdminKeyRow, Audit, Store, StoreError};
