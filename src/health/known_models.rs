//! The names of models that the gateway may show: those of the configuration, and those that a provider lists. A client can
//! ask for any name, and such a name goes into no log, no metric and no page.

use std::collections::BTreeSet;

use crate::breaker::Slot;
use crate::gateway::Gateway;
use crate::host::store::Store;
use crate::models::discovery;
use crate::route::ProviderId;

/// The most models of a provider with metrics of their own.
const CONFIGURED_MAX: usize = 256;

/// The models that the configuration names for a provider, by the names that the provider is sent, each once.
pub fn configured(gateway: &Gateway, id: ProviderId) -> Vec<&str> {
    let listed = gateway.provider(id).map(|provider| provider.models.as_slice());
    let listed = listed.unwrap_or_default().iter().map(String::as_str);
    let of_aliases = gateway.aliases.iter().filter_map(|alias| {
        let target = gateway.routes.decide_str(alias).ok()?.target;
        (target.provider == id).then_some(target.model)
    });
    let of_chains = gateway.chains.targets().filter(|target| target.provider == id);
    let of_chains = of_chains.map(|target| target.model.as_str());
    let deployments = gateway.routes.groups().flat_map(|(_, group)| group.deployments());
    let of_groups = deployments.filter(|own| own.target.provider == id);
    let of_groups = of_groups.map(|own| own.target.model.as_str());
    in_order(listed.chain(of_aliases).chain(of_chains).chain(of_groups))
        .take(CONFIGURED_MAX)
        .collect()
}

/// The known models whose breaker is in a slot.
pub fn in_slot(store: &dyn Store, gateway: &Gateway, id: ProviderId, slot: Slot) -> Vec<String> {
    let discovered = gateway.provider(id).map(|provider| discovery::listed(store, provider));
    let discovered = discovered.unwrap_or_default();
    let all =
        configured(gateway, id).into_iter().chain(discovered.iter().map(|listed| &*listed.id));
    in_order(all.filter(|name| Slot::of(name) == slot)).map(str::to_owned).collect()
}

/// Each name once. A set that grows by one name at a time needs less code in the module than a sort.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut set = BTreeSet::new();
    names.for_each(|name| {
        set.insert(name);
    });
    set.into_iter()
}

/// The known models whose breaker is in a slot, as a text of bounded length.
pub fn describe(store: &dyn Store, gateway: &Gateway, id: ProviderId, slot: Slot) -> String {
    let names = in_slot(store, gateway, id, slot);
    match names.as_slice() {
        [] => format!("a model that is not listed (slot {})", slot.number()),
        [name] => format!("model {name}"),
        [name, others @ ..] => format!("model {name} and {} more", others.len()),
    }
}
