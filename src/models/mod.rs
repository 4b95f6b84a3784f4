//! The models that providers have: asked for, kept, and listed for clients.
//!
//! ```text
//! GET /v1/models of a provider ── discovery ── list ── stored ──> shared data
//!                                                                    │
//! configuration ──> catalog <────────────────────────────────────────┘
//!                      └──> document ──> client
//! ```

pub mod catalog;
pub(crate) mod context_window;
pub mod date;
pub mod discovery;
mod document;
pub mod list;
mod names;
pub mod pages;
mod stored;

pub use catalog::{Catalog, Entry};
pub use document::Page;
pub use list::{ListError, Listed, MODELS_MAX, parse};
pub use names::Names;
pub use pages::Pages;
pub use stored::{from_bytes, to_bytes};
