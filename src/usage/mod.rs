//! What an attempt has used: read from the provider's answer, and written to the journal.
//!
//! ```text
//! request leaves ──> Meter ── A ──> journal
//! answer ──────────> Meter: AnswerUsage ── facts ──> raw ──> Usage
//! last bytes, or the end of the stream ──> Meter ── S ──> journal ──> (the command) ledger
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | [`amounts`] | the one normal form of usage |
//! | [`facts`], [`raw`] | the providers' forms |
//! | [`reader`] | when an answer has said all |
//! | [`record`], [`journal`] | what is written, and how |
//! | [`meter`] | when it is written |
//! | [`shown`] | what spans and the access log show of it |
//! | [`extra_event`] | how the usage that the gateway has asked for stays out of the client's stream |

pub mod amounts;
pub mod extra_event;
pub mod facts;
pub mod journal;
pub mod meter;
pub mod operation;
pub mod raw;
pub mod reader;
pub mod record;
pub mod shown;

pub use amounts::Usage;
pub use meter::{AnswerStart, HELD_BYTES_MAX, Meter};
pub use operation::Operation;
pub use record::{Admission, Basis, Record, Settlement, Tier};

#[cfg(test)]
mod tests;
