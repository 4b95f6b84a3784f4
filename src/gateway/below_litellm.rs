//! Requests below [`BASE_PATH`]: clients who have asked LiteLLM alone.

use super::litellm::{BASE_PATH, NAME};
use super::{Gateway, Provider};
use crate::route::{NoRoute, ProviderId};

/// The provider that gets what no rule claims below [`BASE_PATH`].
pub(super) fn provider(base_paths: &[String], providers: &[Provider]) -> Option<ProviderId> {
    base_paths.iter().find(|path| *path == BASE_PATH)?;
    providers.iter().position(|provider| provider.name == NAME).map(ProviderId::new)
}

impl Gateway {
    /// LiteLLM, where a client has sent this path below [`BASE_PATH`].
    pub fn litellm_of(&self, sent: &str) -> Option<ProviderId> {
        let is_below = sent.strip_prefix(BASE_PATH).is_some_and(|rest| rest.starts_with('/'));
        self.litellm.filter(|_| is_below)
    }

    /// The provider of a request that nothing gives another provider.
    #[inline]
    pub fn default_of(&self, sent: &str) -> Option<ProviderId> {
        self.default_provider.or_else(|| self.litellm_of(sent))
    }

    /// The namespace by which a model is routed that was asked for at this path: LiteLLM's below [`BASE_PATH`], where nothing
    /// claims the model; else none.
    #[inline]
    pub fn namespace_of(&self, sent: &str, asked: &str) -> &str {
        match self.default_provider {
            None => self.litellm_of(sent).map_or("", |own| self.namespace_below(own, asked)),
            Some(_) => "",
        }
    }

    #[cold]
    fn namespace_below(&self, litellm: ProviderId, asked: &str) -> &str {
        let is_unclaimed = self.chains.of(asked).is_empty()
            && matches!(self.routes.decide_str(asked), Err(NoRoute::NotFound(_)));
        let provider = self.provider(litellm).filter(|_| is_unclaimed);
        provider.and_then(|own| own.namespaces.first()).map_or("", String::as_str)
    }
}
