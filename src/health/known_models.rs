//! The names of models that the gateway may show: those of the configuration, and those that a provider lists. A client can
//! ask for any name, and such a name goes into no log, no metric and no page.

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
    let mut names: Vec<_> = listed.chain(of_aliases).chain(of_chains).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(CONFIGURED_MAX);
    names
}

/// The known models whose breaker is in a slot.
pub fn in_slot(store: &dyn Store, gateway: &Gateway, id: ProviderId, slot: Slot) -> Vec<String> {
    let mut names: Vec<_> = configured(gateway, id).into_iter().map(str::to_owned).collect();
    let discovered = gateway.provider(id).map(|provider| discovery::listed(store, provider));
    names.extend(discovered.unwrap_or_default().into_iter().map(|listed| listed.id));
    names.retain(|name| Slot::of(name) == slot);
    names.sort_unstable();
    names.dedup();
    names
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
