//! Budgets across gateways: each gateway may use what was written down for it in the database before.
//!
//! ```text
//! journal ── ledger ── spent by this gateway ──┐
//! database: leases of all gateways ── Rest ── extend ──> granted ── policy of the key ──> filter
//! ```
//!
//! A gateway is known by a number in its data folder. What it holds counts as spent for the others until the gateway has ended
//! and its journal is read: no crash makes a budget larger.

mod holder;
mod rule;
mod table;

pub(crate) use holder::Leaseholder;
pub use rule::{Lease, Rest};
pub(crate) use table::Owner;
