//! LiteLLM's virtual keys, from the PostgreSQL of LiteLLM, which is read and never written.
//!
//! ```text
//! PostgreSQL ── source ──> token ── carry ──> what Gaud's key is to have ── take ──> the store ──> the filter
//! ```
//!
//! A key is known by its SHA-256, which both programs store. A restriction that Gaud cannot keep blocks the key here: who
//! could not do something at LiteLLM cannot do it here.

mod carry;
mod follow;
mod shared;
mod source;
mod take;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use follow::follow;
pub(crate) use shared::SharedSource;
pub(crate) use take::{Report, take_over};
