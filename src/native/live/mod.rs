//! The configuration of a running Envoy: written into watched files, acknowledged by Envoy, taken back where Envoy refuses.
//!
//! ```text
//! gaud.toml ── watch ──> settings, render ──> steps ──> files ──> Envoy ──> acknowledgement ──> the next step
//!                                                                   └─ refused ──> the documents before, as a new version
//! ```

mod acknowledgement;
mod apply;
mod files;
mod steps;
mod watch;

pub use apply::{Applied, Live, Refusal};
pub use files::Files;
pub use watch::{Snapshot, Watch};
