//! What an attempt says, and what that means to the breakers of its provider and of its model.
//!
//! | when a response begins, or does not | the provider hears | the model hears |
//! |---|---|---|
//! | an answer | success | success if it is a probe, else nothing yet |
//! | another protocol (101) | success; neutral of a probe | neutral |
//! | the model failed: a 5xx | neutral; failure, if the request probes the provider and not the model | failure |
//! | unreachable: no connection, no address, no response in time | failure | neutral |
//! | nothing, a shortage of the gateway's, or no token for the provider | neutral | neutral |
//!
//! | when an answer ends | the provider hears | the model hears |
//! |---|---|---|
//! | whole | neutral | success |
//! | broken off | neutral | failure |
//! | unreachable: the answer was Envoy's own | failure | neutral |
//! | nothing | neutral | neutral |
//!
//! A success is forgotten failures. A model's answer counts at its end: if it counted at its beginning, a model whose streams
//! all break off would never fail several times in a row. A probe's answer counts at its beginning: a stream may take minutes.
//!
//! A probe of the provider for a model that is a probe as well says nothing about the provider if the model fails: else
//! models that stay broken would keep the provider from closing.

use std::fmt;

use super::{Outcome, Outcomes, Tickets};

/// What an attempt says about its provider and its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The provider answers: a status below 500.
    Answered,
    /// The provider speaks another protocol now (101): whatever ends that says nothing.
    Switched,
    /// The provider answers, but not for this model: a 5xx, an error inside a 200, or a response that breaks off.
    ModelFailed(Reason),
    /// The provider does not answer.
    Unreachable(Reason),
    /// Nothing: Envoy had no file descriptor, port or memory for a connection.
    Shortage,
    /// Nothing about the provider: the gateway has no token for it.
    NoCredential,
    /// Nothing: the client left, or the gateway or Envoy is at fault.
    Nothing,
}

/// Why an attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The text of each is in its `Display`.
pub enum Reason {
    Status(u32),
    BrokeOff,
    ErrorInAnswer,
    Stalled,
    Refused,
    Closed,
    NoAddress,
    Certificate,
    Tls,
    Timeout,
    Check,
    NoCredential,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status(status) => return write!(f, "status {status}"),
            Self::BrokeOff => "the response broke off",
            Self::ErrorInAnswer => "an error inside a 200",
            Self::Stalled => "the response stalled",
            Self::Refused => "the connection was refused or reset, or the response was not HTTP",
            Self::Closed => "the connection was closed before the response",
            Self::NoAddress => "the host name does not resolve",
            Self::Certificate => "the certificate does not verify",
            Self::Tls => "TLS failed",
            Self::Timeout => "no response in time",
            Self::Check => "an active check failed",
            Self::NoCredential => "the gateway has no credential for the provider",
        })
    }
}

impl Evidence {
    /// The outcome of the attempt, for metrics.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Answered => Outcome::Success,
            Self::ModelFailed(_) | Self::Unreachable(_) => Outcome::Failure,
            Self::Switched | Self::Shortage | Self::NoCredential | Self::Nothing => {
                Outcome::Neutral
            }
        }
    }

    /// Why the attempt has failed, if it has.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::ModelFailed(reason) | Self::Unreachable(reason) => Some(reason),
            Self::NoCredential => Some(Reason::NoCredential),
            Self::Answered | Self::Switched | Self::Shortage | Self::Nothing => None,
        }
    }

    /// By the first table.
    pub fn at_head(self, tickets: &Tickets) -> Outcomes {
        use Outcome::{Failure, Neutral, Success};
        let (provider, model) = match self {
            Self::Answered if tickets.probes_model() => (Success, Success),
            Self::Answered => (Success, Neutral),
            Self::Switched if tickets.is_probe() => (Neutral, Neutral),
            Self::Switched => (Success, Neutral),
            Self::ModelFailed(_) if tickets.probes_provider() && !tickets.probes_model() => {
                (Failure, Failure)
            }
            Self::ModelFailed(_) => (Neutral, Failure),
            Self::Unreachable(_) => (Failure, Neutral),
            Self::Shortage | Self::NoCredential | Self::Nothing => (Neutral, Neutral),
        };
        Outcomes { provider, model }
    }

    /// By the second table.
    pub fn at_end(self) -> Outcomes {
        use Outcome::{Failure, Neutral, Success};
        let (provider, model) = match self {
            Self::Answered => (Neutral, Success),
            Self::ModelFailed(_) => (Neutral, Failure),
            Self::Unreachable(_) => (Failure, Neutral),
            Self::Switched | Self::Shortage | Self::NoCredential | Self::Nothing => {
                (Neutral, Neutral)
            }
        };
        Outcomes { provider, model }
    }
}
