//! By which names a list shows the models of a provider.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::Listed;
use crate::config::ListNames;
use crate::gateway::{Gateway, Provider};
use crate::request::model::ModelName;
use crate::route::{ProviderId, RouteTable, Target};

/// Which names a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// As the configuration says.
    Configured,
    /// Every name, so that a wrong name can be compared with all of them.
    All,
    /// For clients who have asked this LiteLLM alone: its models by its own names, and the rest by short names.
    OfLitellm(ProviderId),
}

/// The names of a list, ready to be asked for those of each model.
pub(super) struct Naming<'a> {
    routes: &'a RouteTable,
    list_names: ListNames,
    litellm: Option<(ProviderId, &'a Provider)>,
    /// LiteLLM's own names, which no other model of the list has.
    own: HashMap<&'a str, Option<&'a Listed>>,
}

impl<'a> Naming<'a> {
    pub(super) fn of(gateway: &'a Gateway, discovered: &'a [Vec<Listed>], names: Names) -> Self {
        let (list_names, litellm) = match names {
            Names::Configured => (gateway.list_names, None),
            Names::All => (ListNames::Both, None),
            Names::OfLitellm(id) => (ListNames::Short, Some(id)),
        };
        let own = litellm.and_then(|id| discovered.get(id.index()));
        Self {
            routes: &gateway.routes,
            list_names,
            litellm: litellm.and_then(|id| Some((id, gateway.provider(id)?))),
            own: by_id(own.map(Vec::as_slice).unwrap_or_default()),
        }
    }

    /// The names of a model, in the order in which the list has them.
    pub(super) fn names_of(
        &self,
        provider: &Provider,
        target: Target<'a>,
    ) -> [Option<Cow<'a, str>>; 2] {
        let is_litellms = self.litellm.is_some_and(|(id, _)| id == target.provider);
        let is_bare = is_litellms || reaches(self.routes, target.model, target);
        let bare = is_bare.then_some(Cow::Borrowed(target.model));
        match self.list_names {
            ListNames::Short if is_bare && (is_litellms || !self.has_own(target.model)) => {
                [bare, None]
            }
            _ => {
                let full = namespaced(self.routes, provider, target, &|_| true);
                match self.list_names {
                    ListNames::Both => [bare, full],
                    ListNames::Namespaced if full.is_none() => [bare, None],
                    ListNames::Namespaced | ListNames::Short => [full, None],
                }
            }
        }
    }

    fn has_own(&self, model: &str) -> bool {
        let is_written = |(_, own): (_, &Provider)| own.models.iter().any(|own| own == model);
        self.own.contains_key(model) || self.litellm.is_some_and(is_written)
    }
}

/// A provider's list, by the names that the provider gives its models.
pub(super) fn by_id(found: &[Listed]) -> HashMap<&str, Option<&Listed>> {
    found.iter().map(|listed| (listed.id.as_str(), Some(listed))).collect()
}

/// Whether a client can ask for a target by any name.
pub(super) fn has_name(routes: &RouteTable, provider: &Provider, target: Target<'_>) -> bool {
    reaches(routes, target.model, target)
        || namespaced(routes, provider, target, &|_| true).is_some()
}

/// The first name with a namespace of the provider that `is_meant` accepts, and that reaches `target`.
#[inline(never)]
pub(super) fn namespaced(
    routes: &RouteTable,
    provider: &Provider,
    target: Target<'_>,
    is_meant: &dyn Fn(&str) -> bool,
) -> Option<Cow<'static, str>> {
    provider.namespaces.iter().find_map(|namespace| {
        let name = format!("{namespace}{}", target.model);
        let is_name = is_meant(&name) && ModelName::check(&name).is_ok();
        (is_name && reaches(routes, &name, target)).then_some(Cow::Owned(name))
    })
}

fn reaches(routes: &RouteTable, name: &str, target: Target<'_>) -> bool {
    routes.decide_str(name).is_ok_and(|decision| decision.target == target)
}
