//! How the providers and their models are: what their breakers have seen, and what active checks say.
//!
//! ```text
//! request ──> admission ──> shared_breaker ──> breaker          may the request go?
//! response ─> details ──> outcome ──> admission ──> breaker     what does the attempt say?
//! timer ────> check ──────────────────────────────> breaker     does the provider answer at all?
//! GET /health ──> page
//! ```

pub mod admission;
pub mod asking;
pub mod check;
pub mod details;
pub mod known_models;
pub mod last_error;
pub mod model_labels;
pub mod outcome;
pub mod page;
pub mod shared_breaker;
pub mod shortage;
