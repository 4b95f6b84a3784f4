//! Bytes in, model found: the request body, read once, piece by piece, without being kept.
//!
//! ```text
//! chunk ──> utf8 (is it UTF-8?) ──> json (is it JSON? where is `model`?) ──> FoundModel ──> edit
//!                                     └ text (decodes the keys and the model, bounded)
//! ```
//!
//! A body in another format gets a file beside [`json`] and a variant beside its scanner.

pub mod edit;
pub mod error;
pub mod json;
mod number;
mod text;
mod utf8;

pub use edit::Edit;
pub use error::{Problem, ScanError};
pub use json::{FoundModel, JsonScanner};
