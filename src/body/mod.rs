//! Bytes in, model found: the request body, read once, piece by piece.
//!
//! ```text
//! chunk ──> utf8 (is it UTF-8?) ──> json (is it JSON? where is `model`?) ──> FoundModel ──> edit
//!                                     └ text (decodes the keys and the model, bounded)
//! ```
//!
//! A request that waits for its model is [`held`], within bounds; behind the model nothing is kept. A
//! body in another format gets a file beside [`json`].

pub mod edit;
pub mod error;
pub mod held;
pub mod json;
mod number;
mod text;
mod utf8;

pub use edit::Edit;
pub use error::{Problem, ScanError};
pub use held::Held;
pub use json::{FoundModel, JsonScanner};
