//! The control server: settings, client keys and users, and the state of the gateway, for callers with an admin key.
//!
//! ```text
//! client ──8400──> Envoy ── /admin, /ui ──> socket of the control server ── settings ──> gaud.toml ──> the running Envoy
//!                                             │    └─ keys, users, audit ──> SQLite, in the folder `[control] data`
//! gaud status, models ──> socket of the owner ┘ without a key, and to read only
//! filter ──────────── Envoy ── /internal/keys ──> the same socket: what has changed of the keys
//! ```
//!
//! Envoy serves requests whether the control server is there or not.

mod alerts;
mod api;
mod auth;
mod change;
mod data;
mod error;
mod issued_key;
mod keys;
mod litellm;
mod metrics;
mod router;
mod secrets;
pub mod settings;
mod state;
mod store;
mod ui;
mod usage;
mod whole;

pub use alerts::watch as watch_budgets;
pub use api::{Apply, Beside, Change, Control, Following, RefusedChange, now_secs};
pub use auth::Throttle;
pub use data::{DataFolder, DataProblem, OWNER_LINK};
pub use issued_key::{IssuedKey, token};
pub use keys::{
    Calibrated, Feed, LimitFields, ModelLimitFields, RATE_MAX, check_models, check_name,
    check_user, key_state, limits_document, model_limits, model_limits_document, owned_by_litellm,
    owner_word, parse_duration,
};
pub(crate) use litellm::{ModelBudget, budget_window, hash_of_hex};
pub(crate) use router::hear;
pub use router::{serve, serve_alone};
pub(crate) use store::schema as store_schema;
pub use store::{
    AdminKeyRow, Audit, Carried, Done, KeyChange, KeyFilter, KeyRow, LimitsChange, LitellmKey,
    ModelLimits, NewKey, Store, Taken, Taking, UserChange, UserRow,
};
pub use ui::Sessions;
