//! What the buckets of one counter must have, in whole requests and tokens: a world's clock moves by the minute in which a bucket
//! fills.

use gaud::limits::{Demand, Limits, Refusal, View};

use super::world::Broken;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Buckets {
    limits: Limits,
    requests: u64,
    /// Below 0 where more was used than was there.
    tokens: i64,
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Buckets {
    pub(crate) fn full(limits: Limits) -> Self {
        let (requests, tokens) = (limits.rpm.unwrap_or_default(), limits.tpm.unwrap_or_default());
        Self { limits, requests, tokens: whole(tokens) }
    }

    /// A minute has passed.
    pub(crate) fn fill(&mut self) {
        self.requests = self.limits.rpm.unwrap_or_default();
        let tpm = whole(self.limits.tpm.unwrap_or_default());
        self.tokens = tpm.min(self.tokens.saturating_add(tpm));
    }

    /// As many tokens as a request has money; none where tokens are not limited, for fewer worlds.
    pub(crate) fn tokens(&self, nanos: u64) -> u64 {
        self.limits.tpm.map_or(0, |_| nanos)
    }

    /// An admitted request takes from the buckets what is there.
    pub(crate) fn take(&mut self, demand: Demand, view: View) -> Result<(), Broken> {
        if self.limits.rpm.is_some() && self.requests == 0 {
            return Err("a request more than the minute allows".to_owned());
        }
        if self.lacks_tokens(demand) {
            return Err(format!("{} tokens for {demand:?}", self.tokens));
        }
        self.requests = self.requests.saturating_sub(1);
        self.tokens -= whole(demand.tokens);
        self.is_told(view)
    }

    /// Clients are told what the buckets have.
    pub(crate) fn is_told(&self, view: View) -> Result<(), Broken> {
        let requests = view.requests.map(|fill| fill.remaining);
        let tokens = view.tokens.map(|fill| fill.remaining);
        let left = u64::try_from(self.tokens).unwrap_or_default();
        let expected = (self.limits.rpm.map(|_| self.requests), self.limits.tpm.map(|_| left));
        match (requests, tokens) == expected {
            true => Ok(()),
            false => Err(format!("{requests:?} and {tokens:?} are told, not {expected:?}")),
        }
    }

    /// A refusal by a bucket needs a bucket that lacks something.
    pub(crate) fn is_right(&self, refusal: Refusal, demand: Demand) -> Result<(), Broken> {
        let is_right = match refusal {
            Refusal::Requests { .. } => self.requests == 0,
            Refusal::Tokens { .. } => self.lacks_tokens(demand),
            _ => true,
        };
        if is_right { Ok(()) } else { Err(format!("a wrong {refusal:?}")) }
    }

    fn lacks_tokens(&self, demand: Demand) -> bool {
        self.limits.tpm.is_some_and(|tpm| self.tokens < whole(demand.tokens.clamp(1, tpm)))
    }

    /// The estimate of a request comes back, and what was used is taken.
    pub(crate) fn give(&mut self, estimate: u64, used: u64) {
        let tpm = whole(self.limits.tpm.unwrap_or_default());
        self.tokens = tpm.min(self.tokens + whole(estimate)) - whole(used);
    }

    /// The request of another counter's refusal comes back.
    pub(crate) fn give_request(&mut self) {
        self.requests = self.limits.rpm.unwrap_or_default().min(self.requests + 1);
    }
}
