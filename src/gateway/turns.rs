//! The targets of a request in the order in which they are asked.
//!
//! ```text
//! route, or a group's deployments as they are drawn ──> chain, with the groups that it names ──> without what has not the path
//! ```
//!
//! A request for a path that a model's provider does not have goes to the default provider, under the name that the client
//! has sent: LiteLLM serves the path by translating.

use super::Gateway;
use crate::request::model::ModelName;
use crate::route::{Decision, Draw, Group, Link, NoRoute, ProviderId, Rule, Target};

/// A target, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// The provider, and the model's name there.
    pub target: Target<'a>,
    /// Another deployment of the same model follows.
    pub has_sibling: bool,
}

/// The targets of one request.
pub(super) enum Turns<'a> {
    /// A route and a chain, as they are.
    Plain { routed: Option<Target<'a>>, first: Option<Target<'a>>, chain: std::slice::Iter<'a, Link> },
    /// With groups or paths.
    Drawn(std::vec::IntoIter<Turn<'a>>),
}

impl<'a> Iterator for Turns<'a> {
    type Item = Turn<'a>;

    #[inline]
    fn next(&mut self) -> Option<Turn<'a>> {
        match self {
            Self::Plain { routed, first, chain } => {
                let target = first.take().or_else(|| {
                    chain.map(|link| link.target.as_target()).find(|target| Some(*target) != *routed)
                })?;
                Some(Turn { target, has_sibling: false })
            }
            Self::Drawn(turns) => turns.next(),
        }
    }
}

impl Gateway {
    /// The targets of a gateway with groups or paths.
    #[inline(never)]
    pub(super) fn drawn<'a>(
        &'a self,
        model: &'a ModelName,
        path: &str,
        draw: &Draw<'_>,
    ) -> Result<Vec<Turn<'a>>, NoRoute<'a>> {
        let chain = self.chains.of(model.as_str());
        let routed = match self.routes.decide(model) {
            Ok(decision) => self.at_path(model, path, self.routed(&decision, draw)),
            Err(_) if !chain.is_empty() => Vec::new(),
            Err(none) => return Err(none),
        };
        let links = chain.iter().map(|link| {
            let group = link.group.as_ref().and_then(|name| self.routes.group(name));
            let mut targets = self.deployments(link.target.as_target(), group, draw);
            targets.retain(|target| self.has_path(target.provider, path));
            targets
        });
        let mut turns: Vec<Turn<'a>> = Vec::new();
        for targets in std::iter::once(routed).chain(links) {
            let before = turns.len();
            for target in targets {
                if turns.iter().all(|turn| turn.target != target) {
                    turns.push(Turn { target, has_sibling: true });
                }
            }
            if turns.len() > before
                && let Some(last) = turns.last_mut()
            {
                last.has_sibling = false;
            }
        }
        Ok(turns)
    }

    fn routed<'a>(&'a self, decision: &Decision<'a>, draw: &Draw<'_>) -> Vec<Target<'a>> {
        let group = match decision.rule {
            Rule::Group(name) => self.routes.group(name),
            Rule::Namespace(_) | Rule::Match(_) | Rule::Default => None,
        };
        self.deployments(decision.target, group, draw)
    }

    fn deployments<'a>(
        &'a self,
        target: Target<'a>,
        group: Option<&'a Group>,
        draw: &Draw<'_>,
    ) -> Vec<Target<'a>> {
        group.map_or_else(|| vec![target], |group| group.order(draw))
    }

    /// The targets of a route, where all have the path; else the default provider, with the model as the client named it.
    fn at_path<'a>(
        &self,
        model: &'a ModelName,
        path: &str,
        targets: Vec<Target<'a>>,
    ) -> Vec<Target<'a>> {
        let lacks = |target: &Target<'_>| !self.has_path(target.provider, path);
        match self.default_provider.filter(|_| targets.iter().any(lacks)) {
            Some(provider) => vec![Target { provider, model: model.as_str() }],
            None => targets,
        }
    }

    fn has_path(&self, provider: ProviderId, path: &str) -> bool {
        let paths = self.provider(provider).map_or(&[][..], |provider| &provider.paths);
        paths.is_empty() || paths.iter().any(|own| own.matches(path))
    }
}
