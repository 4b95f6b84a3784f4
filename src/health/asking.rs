//! A request that asks the breakers of a provider.

use crate::breaker::{Arrival, Ask, ClientNumber};
use crate::host::Host;

/// How far a request has come, and where its client is known from.
#[derive(Debug, Clone, Copy)]
pub enum Asking {
    /// The client's own stream, whose address Envoy knows.
    Directly(Arrival),
    /// An attempt over the hop, which has brought with it who sends the request.
    Crossed(Ask),
}

impl Asking {
    /// What a breaker is to know of the request. Envoy is asked for the address here: only where a breaker is not closed.
    pub(super) fn ask(self, host: &dyn Host) -> Ask {
        match self {
            Self::Directly(arrival) => Ask { arrival, asker: ClientNumber::of(host.client()) },
            Self::Crossed(ask) => ask,
        }
    }
}
