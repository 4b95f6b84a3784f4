//! What providers send: JSON documents, and server-sent events that carry documents. Both are read as their bytes come, in a
//! fixed amount of memory.
//!
//! ```text
//! bytes ─┬─> Events ── data ──┐
//!        └────────────────────┴─> Document ── places, members, values ──> Reading
//! ```
//!
//! A [`Reading`] says which places of a document matter, and keeps what it needs of their values.

mod events;
mod walk;
mod word;

pub use events::{Event, Events};
pub use walk::{Document, Reading};
pub use word::{WORD_BYTES, Word};
