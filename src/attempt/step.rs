//! What Envoy is to do with an attempt's response.

use crate::reply::Reply;

/// What a response's head gets on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Send the request again, after so many seconds where that is said.
    pub again: Option<Option<u32>>,
    /// How many attempts there were; for the client.
    pub attempts: u32,
    /// All was tried: the client need not.
    pub is_hopeless: bool,
}

/// What Envoy is to do with a piece of a response.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Let it pass.
    Pass,
    /// Keep it, and wait for more.
    Hold,
    /// Mark the head, and let go what was kept.
    Release(Marks),
    /// The same, with this behind the response's end.
    ReleaseWith(Marks, String),
    /// Let it pass, with this behind its end.
    Append(String),
}

/// The gateway's answer in the provider's place; in the middle of a response, its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Instead {
    /// The answer.
    pub reply: Reply,
    /// What its head gets.
    pub marks: Marks,
}
