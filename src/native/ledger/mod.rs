//! The ledger: what every attempt has used and cost, in a database of its own, made from the journal alone.
//!
//! ```text
//! Envoy's log, a file ── follow ──┬─ other lines ──> standard error
//!                                 └─ records ── intake ──> attempts, days, offset: one transaction
//! gaud usage, /admin/usage, pages <── report, requests ──┘
//! ```
//!
//! A record that comes twice counts once. Each attempt is kept for some days, the sums of each day for ever.

mod csv;
mod day;
mod durations;
mod follow;
mod intake;
mod lease_spent;
mod report;
mod requests;
mod schema;
mod spend;

pub(in crate::native) use csv::csv;
pub use day::Day;
pub use durations::Percentiles;
pub use follow::{Folder, Follower};
pub use intake::{Batch, Counted};
pub use report::{Column, Group, Query, Row};
pub(in crate::native) use report::{Report, dollars, since};
pub use requests::{AttemptRow, Attempts, Cursor, Recent, Wanted};
pub use schema::Ledger;
pub(crate) use schema::schema;
pub use spend::{Answers, AttemptFilter, DaySpend};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::native) use tests::many as fill;
