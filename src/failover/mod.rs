//! A request that may take several attempts, after the hop.
//!
//! ```text
//! begin ──> history: which target is next? ──> attempt ──> provider
//!                      ^                          │
//!                      └── retry <── answer <─────┘  reader: does the body begin with an error, and has it its end?
//! ```

pub mod answer;
pub mod attempt;
pub mod document;
pub mod events;
pub mod fault;
pub mod history;
pub mod reader;
pub mod retry_after;
pub mod stream_end;
pub mod too_long;
