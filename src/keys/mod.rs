//! Client keys: who may ask for what, and how the filter learns of changes.
//!
//! ```text
//! control server ── page ──> feed, one worker at a time ──> shared data ──> check, in every worker
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | [`key`] | the grammar of a key, and its hash |
//! | [`policy`] | what a key may do, and the bytes of that |
//! | [`models`] | which names of models a list allows |
//! | [`page`] | an answer of the control server: policies that have changed |
//! | [`state`] | how far the policies in shared data have come |
//! | `records` | how a worker reads these in shared data: by its copies |
//! | [`feed`] | which worker asks the control server, and what becomes of the answer |
//! | [`mod@check`] | the decision on a request's key |
//! | [`prices`] | what models cost, where any key or user has a budget |
//! | [`shared`] | what a request takes of the limits that gateways share |
//! | [`grant`] | what a request takes of the limits of its key and user, and gives back |
//!
//! The filter never sees a secret but those that clients send: a policy is found by the hash of the key.

pub mod check;
pub mod feed;
pub mod grant;
pub mod key;
pub mod models;
pub mod page;
pub mod policy;
pub mod prices;
mod records;
pub mod shared;
pub mod state;

pub use check::{AllTerms, Allowed, Refusal, check, find};
pub use grant::{Asked, Charges, Grant, Owner, Refused, Share, spent_nanos};
pub use key::{KeyHash, id_of};
pub use models::{Models, first_that_fits};
pub use page::{Page, PriceList};
pub use policy::{Policy, Standing};
