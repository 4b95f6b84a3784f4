//! Bytes in, model found: the request body, read once, piece by piece.
//!
//! ```text
//! chunk ─┬─> utf8 (is it UTF-8?) ──> json (is it JSON? where is `model`?) ─┬─> FoundModel ──> edit
//!        │                            └ text (decodes keys and model)       │
//!        └─> multipart (is it a form? where is its field `model`?) ─────────┘
//!             ├ search (finds the boundary)
//!             └ part (reads a part's headers)
//! ```
//!
//! A request that waits for its model is [`held`], within bounds; behind the model nothing is kept.
//! What knows no format works with [`scanner`]; a body in another one gets a file beside [`json`].

mod block;
pub mod edit;
pub mod error;
pub mod held;
pub mod json;
pub mod multipart;
mod number;
mod places;
pub mod scanner;
mod text;
mod utf8;

pub use edit::Edit;
pub use error::{Problem, ScanError};
pub use held::Held;
pub use json::JsonScanner;
pub use multipart::{Boundary, BoundaryProblem, FormProblem, FormScanner};
pub use scanner::{FoundModel, Scanner};
