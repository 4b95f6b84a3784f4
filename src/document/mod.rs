//! What providers send: JSON documents, and server-sent events or Amazon's frames that carry documents. All are read as their
//! bytes come, in a fixed amount of memory.
//!
//! ```text
//! bytes ─┬─> Events ── data ──┐
//!        ├─> Frames ── data ──┤
//!        └────────────────────┴─> Document ── places, members, values ──> Reading
//! ```
//!
//! A [`Reading`] says which places of a document matter, and keeps what it needs of their values.

mod events;
mod frames;
mod walk;
mod word;

pub use events::{Event, Events};
pub use frames::Frames;
pub use walk::{Document, Reading};
pub use word::{WORD_BYTES, Word};
