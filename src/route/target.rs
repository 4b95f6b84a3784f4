//! Where a request goes: a provider, and the model's name there.

/// A provider's place in [`crate::gateway::Gateway::providers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProviderId(usize);

impl ProviderId {
    pub(crate) fn new(index: usize) -> Self {
        Self(index)
    }

    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A provider and the model name sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target<'a> {
    /// The provider that gets the request.
    pub provider: ProviderId,
    /// The model's name there.
    pub model: &'a str,
}

/// A target of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainTarget {
    /// The provider that gets the request.
    pub provider: ProviderId,
    /// The model's name there.
    pub model: String,
    /// Another deployment of the same model follows: that one is asked in the place of this one, once this one has failed.
    pub has_sibling: bool,
}

impl ChainTarget {
    /// The same, borrowed.
    pub fn as_target(&self) -> Target<'_> {
        Target { provider: self.provider, model: &self.model }
    }
}

impl From<Target<'_>> for ChainTarget {
    fn from(target: Target<'_>) -> Self {
        Self { provider: target.provider, model: target.model.to_owned(), has_sibling: false }
    }
}
