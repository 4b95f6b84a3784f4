//! A request that may take several attempts, after the hop.
//!
//! ```text
//! begin ──> history: which target is next? ──> attempt ──> provider
//!                      ^                          │
//!                      └── retry <── answer <─────┘  stream_end: does the stream have its last event?
//! ```

pub mod answer;
pub mod attempt;
pub mod history;
pub mod stream_end;
pub mod too_long;
