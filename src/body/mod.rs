//! Bytes in, model found: the request body, read once, piece by piece.
//!
//! ```text
//! chunk ─┬─> utf8 (is it UTF-8?) ──> json (is it JSON? where is `model`?) ─┬─> FoundModel ──> edit
//!        │                            ├ block (64 bytes at once)          │
//!        │                            └ text (decodes keys and model)       │
//!        └─> multipart (is it a form? where is its field `model`?) ─────────┘
//!             ├ search (finds the boundary)
//!             └ part (reads a part's headers)
//! ```
//!
//! A body that is [`compressed`] is held until it is whole, and read as its plain text.
//!
//! A request that waits for its model is [`held`], within bounds. After the model nothing is kept.
//! [`scanner`] hides the format from all other rooms; a further format gets a file next to [`json`].

mod block;
pub mod compressed;
pub mod edit;
pub mod error;
mod found;
pub mod held;
pub mod json;
pub mod limits;
pub mod multipart;
mod nested;
mod number;
mod places;
pub mod scanner;
mod splice;
mod stream_options;
mod text;
mod utf8;

pub use compressed::{DecompressError, Encoding};
pub use edit::{Edit, Edits};
pub use error::{Problem, ScanError};
pub use found::FoundModel;
pub use held::Held;
pub use json::JsonScanner;
pub use multipart::{Boundary, BoundaryProblem, FormProblem, FormScanner};
pub use nested::NestedModels;
pub use scanner::Scanner;
pub use splice::Splice;
pub use stream_options::{StreamOptions, UsageQuestion};
