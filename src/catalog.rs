//! The models of all providers in one list, each by a name that a client can send.
//!
//! ```text
//! GET /v1/models of a provider ── parse ──> [Listed] ── to_bytes ──> shared data
//! the file's models, aliases ──┐                                       │
//! one list per provider ───────┴──> Catalog ──> documents   <── from_bytes
//! ```

mod context_window;
mod date;
mod document;
mod parse;
mod stored;

use std::borrow::Cow;

use crate::config::{Gateway, Provider};
use crate::model::ModelName;
use crate::route::{RouteTable, Target};

pub use document::{AnthropicList, AnthropicModel, ChatList, OpenAiList, OpenAiModel};
pub use parse::{ListError, MODELS_MAX, parse};
pub use stored::{from_bytes, to_bytes};

/// A model as its provider lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its name there: a valid [`ModelName`].
    pub id: String,
    /// When it was made, in seconds since 1970.
    pub created_secs: Option<u64>,
    /// The most tokens that it reads.
    pub context_window: Option<u64>,
    /// Its name for people: as long as a [`ModelName`] at most, and without control characters.
    pub display_name: Option<String>,
}

/// A model by a name that a client can send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name.
    pub name: Cow<'a, str>,
    /// Where it goes.
    pub target: Target<'a>,
    /// The provider's name.
    pub provider: &'a str,
    listed: Option<&'a Listed>,
    /// Whether the name stands for a model that has another name.
    alias: bool,
}

/// The models of all providers, in the providers' order, and then the aliases.
#[derive(Debug)]
pub struct Catalog<'a> {
    entries: Vec<Entry<'a>>,
    routes: &'a RouteTable,
}

impl<'a> Catalog<'a> {
    /// Merges what the configuration lists with what was discovered: one list per provider, in
    /// the order of [`Gateway::providers`]; those that are not there count as empty.
    pub fn of(gateway: &'a Gateway, discovered: &'a [Vec<Listed>]) -> Self {
        let mut entries = Vec::new();
        for (id, provider) in gateway.ids().zip(gateway.providers()) {
            let found = discovered.get(id.index()).map(Vec::as_slice).unwrap_or_default();
            entries.extend(models(provider, found).filter_map(|(model, listed)| {
                let target = Target { provider: id, model };
                let name = name(&gateway.routes, provider, target)?;
                Some(Entry { name, target, provider: &provider.name, listed, alias: false })
            }));
        }
        for alias in &gateway.aliases {
            let entry = resolve(gateway, &entries, alias);
            entries.extend(entry);
        }
        Self { entries, routes: &gateway.routes }
    }

    /// All entries; no name stands there twice.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The model that `id` stands for, under that name: a name of the list, or any other that
    /// goes to the same model.
    pub fn find<'s>(&'s self, id: &'s str) -> Option<Entry<'s>> {
        ModelName::check(id).ok()?;
        let decision = self.routes.decide_str(id).ok()?;
        let known = self.entries.iter().find(|entry| entry.target == decision.target)?;
        let alias = decision.alias.is_some() && id != known.target.model;
        let Entry { target, provider, listed, .. } = *known;
        Some(Entry { name: Cow::Borrowed(id), target, provider, listed, alias })
    }
}

impl Entry<'_> {
    /// The most tokens that the model reads: as the provider says, else as its family is known.
    pub fn context_window(&self) -> Option<u64> {
        let listed = self.listed.and_then(|listed| listed.context_window);
        listed.or_else(|| context_window::of(self.target.model))
    }

    fn created_secs(&self) -> u64 {
        self.listed.and_then(|listed| listed.created_secs).unwrap_or_default()
    }

    /// An alias keeps its own name: that is what it is for.
    fn display_name(&self) -> &str {
        let listed = self.listed.filter(|_| !self.alias);
        listed.and_then(|listed| listed.display_name.as_deref()).unwrap_or(&self.name)
    }
}

/// The models of one provider by the names that it is sent: the file's, then the others that were
/// discovered.
fn models<'a>(
    provider: &'a Provider,
    found: &'a [Listed],
) -> impl Iterator<Item = (&'a str, Option<&'a Listed>)> {
    let manual = provider.models.iter();
    let manual =
        manual.map(|model| (model.as_str(), found.iter().find(|listed| listed.id == *model)));
    let others = found.iter().filter(|listed| !provider.models.contains(&listed.id));
    manual.chain(others.map(|listed| (listed.id.as_str(), Some(listed))))
}

/// What a client sends to reach `target`: the bare model where the rules allow it. `None` when no
/// name does.
fn name<'a>(routes: &RouteTable, provider: &Provider, target: Target<'a>) -> Option<Cow<'a, str>> {
    let reaches =
        |name: &str| routes.decide_str(name).is_ok_and(|decision| decision.target == target);
    if reaches(target.model) {
        return Some(Cow::Borrowed(target.model));
    }
    let mut names = provider.namespaces.iter().map(|own| format!("{own}{}", target.model));
    names.find(|name| ModelName::check(name).is_ok() && reaches(name)).map(Cow::Owned)
}

/// The entry of an alias, unless a model is listed by this very name.
fn resolve<'a>(gateway: &'a Gateway, entries: &[Entry<'a>], alias: &'a str) -> Option<Entry<'a>> {
    let target = gateway.routes.decide_str(alias).ok()?.target;
    let provider = gateway.provider(target.provider)?;
    if entries.iter().any(|entry| entry.name == alias) {
        return None;
    }
    let listed = entries.iter().find(|entry| entry.target == target).and_then(|entry| entry.listed);
    Some(Entry {
        name: Cow::Borrowed(alias),
        target,
        provider: &provider.name,
        listed,
        alias: true,
    })
}

#[cfg(test)]
mod tests;
