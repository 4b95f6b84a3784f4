//! The models of all providers in one list, each by a name that a client can send.
//!
//! ```text
//! GET /v1/models of a provider ── parse ──> [Listed] ── to_bytes ──> shared data
//! the file's models, aliases ──┐                                       │
//! one list per provider ───────┴──> Catalog ──> documents   <── from_bytes
//! ```

use std::borrow::Cow;

use super::names::{self, Names, Naming};
use super::{Listed, context_window};
use crate::gateway::{Gateway, Provider};
use crate::names::near::nearest;
use crate::request::model::ModelName;
use crate::route::{Decision, Rule, Target};

/// A model by a name that a client can send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// A name that a client can send.
    pub name: Cow<'a, str>,
    /// The provider, and the model's name there.
    pub target: Target<'a>,
    pub provider: &'a Provider,
    listed: Option<&'a Listed>,
    /// Whether the name is an alias of a model with another name.
    alias: bool,
}

/// The models of all providers, in the providers' order, and then the aliases and the groups.
#[derive(Debug)]
pub struct Catalog<'a> {
    entries: Vec<Entry<'a>>,
    gateway: &'a Gateway,
    discovered: &'a [Vec<Listed>],
}

impl<'a> Catalog<'a> {
    /// Merges what the configuration lists with what was discovered: one list per provider, in
    /// the order of [`Gateway::providers`]. A missing list counts as empty.
    #[inline(never)]
    pub fn of(gateway: &'a Gateway, discovered: &'a [Vec<Listed>], names: Names) -> Self {
        let naming = Naming::of(gateway, discovered, names);
        let mut catalog = Self { entries: Vec::new(), gateway, discovered };
        for (id, provider) in gateway.ids().zip(gateway.providers()) {
            let found = discovered.get(id.index()).map(Vec::as_slice).unwrap_or_default();
            let mut rest = names::by_id(found);
            for model in &provider.models {
                let listed = rest.get_mut(model.as_str()).and_then(Option::take);
                catalog.add(&naming, provider, Target { provider: id, model }, listed);
            }
            for listed in found {
                if rest.get(listed.id.as_str()).is_some_and(Option::is_some) {
                    let target = Target { provider: id, model: &listed.id };
                    catalog.add(&naming, provider, target, Some(listed));
                }
            }
        }
        catalog.add_aliases();
        catalog
    }

    /// All entries. No two entries have the same name.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The entry of the model that `id` reaches, under the name `id`: a name of the list, or any other name that reaches
    /// the same model. A model that is listed, and that nothing claims without a namespace, is found without one too.
    pub fn find<'s>(&'s self, id: &'s str) -> Option<Entry<'s>> {
        find(self.gateway, self.discovered, id)
    }

    /// The name that was probably meant by `asked`, which no entry has.
    pub fn nearest(&self, asked: &str) -> Option<String> {
        nearest_of(self.gateway, self.entries.iter().map(|entry| entry.name.as_ref()), asked)
    }

    /// The entries with a name that `allows` accepts: their own, or the name with a namespace of the provider.
    pub(super) fn allowed(mut self, allows: &dyn Fn(&str) -> bool) -> Self {
        let gateway = self.gateway;
        let name_of = |entry: &Entry<'a>| {
            let provider = gateway.provider(entry.target.provider)?;
            names::namespaced(&gateway.routes, provider, entry.target, allows)
        };
        self.entries.retain_mut(|entry| {
            if allows(&entry.name) {
                return true;
            }
            match name_of(entry).filter(|_| !entry.alias) {
                Some(name) => entry.name = name,
                None => return false,
            }
            true
        });
        // A model that has two names in the list may have become twice the same name.
        self.entries.dedup_by(|one, other| one.name == other.name);
        self
    }

    /// Adds a model by its names, unless no name reaches the model.
    fn add(
        &mut self,
        naming: &Naming<'a>,
        provider: &'a Provider,
        target: Target<'a>,
        listed: Option<&'a Listed>,
    ) {
        for name in naming.names_of(provider, target).into_iter().flatten() {
            self.entries.push(Entry { name, target, provider, listed, alias: false });
        }
    }

    /// Adds the aliases and the groups, but those whose name a model has, each with what is listed of its model.
    fn add_aliases(&mut self) {
        for alias in self.gateway.aliases.iter().chain(&self.gateway.groups) {
            if self.entries.iter().all(|entry| entry.name != alias.as_str()) {
                self.entries.extend(find(self.gateway, self.discovered, alias));
            }
        }
    }
}

/// As [`Catalog::find`], without a catalog.
#[inline(never)]
pub(super) fn find<'s>(
    gateway: &'s Gateway,
    discovered: &'s [Vec<Listed>],
    id: &'s str,
) -> Option<Entry<'s>> {
    ModelName::check(id).ok()?;
    let Some(found) = resolve(gateway, id) else { return unclaimed(gateway, discovered, id) };
    let target = found.target;
    let provider = gateway.provider(target.provider)?;
    let (listed, is_listed) = look_up(provider, discovered, target);
    let is_shown = is_listed && names::has_name(&gateway.routes, provider, target);
    let is_meant =
        |alias: &String| resolve(gateway, alias).is_some_and(|other| other.target == target);
    let mut named = gateway.aliases.iter().chain(&gateway.groups);
    (is_shown || named.any(is_meant)).then_some(Entry { listed, ..found })
}

/// What is discovered of a model, and whether the model is listed at all.
fn look_up<'s>(
    provider: &Provider,
    discovered: &'s [Vec<Listed>],
    target: Target<'_>,
) -> (Option<&'s Listed>, bool) {
    let list = discovered.get(target.provider.index()).map(Vec::as_slice).unwrap_or_default();
    let listed = list.iter().find(|listed| listed.id == target.model);
    (listed, listed.is_some() || provider.models.iter().any(|model| model == target.model))
}

/// The entry of the first provider that lists `id`, under a name with a namespace.
fn unclaimed<'s>(
    gateway: &'s Gateway,
    discovered: &'s [Vec<Listed>],
    id: &'s str,
) -> Option<Entry<'s>> {
    gateway.ids().zip(gateway.providers()).find_map(|(own, provider)| {
        let target = Target { provider: own, model: id };
        let (listed, is_listed) = look_up(provider, discovered, target);
        let find = || names::namespaced(&gateway.routes, provider, target, &|_| true);
        let name = is_listed.then(find)??;
        Some(Entry { name, target, provider, listed, alias: false })
    })
}

/// As [`Catalog::nearest`], among these names.
pub(super) fn nearest_of<'n>(
    gateway: &Gateway,
    names: impl Iterator<Item = &'n str>,
    asked: &str,
) -> Option<String> {
    let known = nearest(asked, names).map(str::to_owned);
    known.or_else(|| {
        // The slip may be in the namespace of a model that no list has.
        let (namespace, model) = asked.split_once(':').filter(|(_, model)| !model.is_empty())?;
        let providers = gateway.providers().iter();
        let namespaces = providers.flat_map(|provider| &provider.namespaces);
        let near = nearest(namespace, namespaces.filter_map(|known| known.strip_suffix(':')));
        let near = near.filter(|near| *near != namespace)?;
        Some(format!("{near}:{model}"))
    })
}

/// The entry that `name` reaches, without what is listed of its model.
fn resolve<'s>(gateway: &'s Gateway, name: &'s str) -> Option<Entry<'s>> {
    let Decision { target, alias, rule } = gateway.routes.decide_str(name).ok()?;
    let provider = gateway.provider(target.provider)?;
    let is_group = matches!(rule, Rule::Group(_));
    let alias = (alias.is_some() || is_group) && name != target.model;
    Some(Entry { name: Cow::Borrowed(name), target, provider, listed: None, alias })
}

impl Entry<'_> {
    /// The most tokens that the model reads: the provider's value, else the window of the model's family.
    pub fn context_window(&self) -> Option<u64> {
        let listed = self.listed.and_then(|listed| listed.context_window);
        listed.or_else(|| context_window::of(self.target.model, self.provider.windows.as_deref()?))
    }

    pub(super) fn created_secs(&self) -> u64 {
        self.listed.and_then(|listed| listed.created_secs).unwrap_or_default()
    }

    /// An alias is shown by its name, and not by the name of its model.
    pub(super) fn display_name(&self) -> &str {
        let listed = self.listed.filter(|_| !self.alias);
        listed.and_then(|listed| listed.display_name.as_deref()).unwrap_or(&self.name)
    }
}

#[cfg(test)]
mod tests;
