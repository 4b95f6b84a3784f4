//! What the journal says of an attempt: one record when it leaves for its provider, one when it is over.

use super::amounts::Usage;
use super::operation::Operation;

/// A record of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The request has left for its provider.
    Begun(Admission),
    /// The attempt is over.
    Ended(Settlement),
}

/// An attempt, when its request leaves for the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The name of the request, which no other request of any gateway has.
    pub request: String,
    /// The attempt's number within the request, from 1.
    pub attempt: u32,
    /// Milliseconds since 1970.
    pub begun_ms: u64,
    /// The public id of the client's key; empty without a key of Gaud's.
    pub key: String,
    /// Who owns the key; empty without one.
    pub user: String,
    pub provider: String,
    /// The model that the provider is sent.
    pub model: String,
    /// The model that the client asked for.
    pub asked: String,
    pub operation: Operation,
    /// How many bytes of the request have come.
    pub request_bytes: u64,
}

/// An attempt that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub admission: Admission,
    /// The status of the answer; 0 without one.
    pub status: u32,
    pub basis: Basis,
    pub tier: Tier,
    pub usage: Usage,
    /// From the admission to the end.
    pub duration_ms: u64,
    /// From the admission to the first byte of the answer's body; `None` without one.
    pub first_ms: Option<u64>,
}

/// How usage is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The provider has said so.
    Counted,
    /// The answer told no usage: input and output by their bytes.
    Estimated,
    /// The answer was cut off: what was said, and the rest by its bytes.
    Partial,
    /// The attempt gave no answer, and costs nothing.
    Failed,
    /// The gateway went away before the end: an estimate.
    Lost,
}

impl Basis {
    pub const ALL: [Self; 5] =
        [Self::Counted, Self::Estimated, Self::Partial, Self::Failed, Self::Lost];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Estimated => "estimated",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.as_str() == text)
    }
}

/// The price list of the provider that applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tier {
    #[default]
    Standard,
    Priority,
    Flex,
    Batch,
}

impl Tier {
    pub const ALL: [Self; 4] = [Self::Standard, Self::Priority, Self::Flex, Self::Batch];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Priority => "priority",
            Self::Flex => "flex",
            Self::Batch => "batch",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text)
    }

    /// By the `service_tier` of an answer; a tier without prices of its own is the standard.
    pub fn of_answer(text: &[u8]) -> Self {
        std::str::from_utf8(text).ok().and_then(Self::parse).unwrap_or_default()
    }
}
