//! The gateway's answers in a provider's place: errors in the shape of the client's API.
//!
//! [`Code`] lists the errors, [`Reject`] has the reasons and the words, and `document` the shapes of the APIs.

mod code;
mod document;
mod reject;

use std::rc::Rc;

use serde::Serialize;

use crate::names::properties::DETAILS_PREFIX;

pub use code::Code;
pub use reject::{LimitKind, OverLimit, Reject, Whose, too_large};

/// An answer of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u32,
    /// A JSON document.
    pub body: Rc<str>,
    /// The header `retry-after`.
    pub retry_after_secs: Option<u64>,
    /// Further headers, by name and value.
    pub headers: Vec<(&'static str, String)>,
    /// For Envoy's `%RESPONSE_CODE_DETAILS%`: `gaud_` and the error's code.
    pub details: String,
}

impl Reply {
    /// An answer that is not an error.
    pub fn document(status: u32, document: &impl Serialize) -> Self {
        Self::of(status, json(document))
    }

    /// The same of a document that is written already.
    pub fn of(status: u32, body: Rc<str>) -> Self {
        Self {
            status,
            body,
            details: format!("{DETAILS_PREFIX}local"),
            retry_after_secs: None,
            headers: Vec::new(),
        }
    }
}

/// These documents are made of strings and numbers, which cannot fail.
fn json(document: &impl Serialize) -> Rc<str> {
    serde_json::to_string(document).unwrap_or_default().into()
}
