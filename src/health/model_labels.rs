//! Which models have a label of their own in metrics: those that the configuration names or that the provider lists. All others
//! share one label, because a client can ask for any name.

use std::collections::BTreeSet;

use super::known_models;
use crate::gateway::Gateway;
use crate::host::store::Store;
use crate::models::discovery;
use crate::route::ProviderId;

/// The label of all other models.
pub const OTHER: &str = "other";

/// How long an unknown name stays unknown: a look reads the provider's whole list.
const LOOK_INTERVAL_MS: u64 = 30_000;

/// What a worker knows of the models, by the provider's place.
#[derive(Debug, Default)]
pub struct ModelLabels(Vec<Known>);

#[derive(Debug, Default)]
struct Known {
    looked_ms: Option<u64>,
    names: BTreeSet<String>,
}

impl ModelLabels {
    /// The label of a model at a provider. A dot would end the label.
    pub fn label(
        &mut self,
        store: &dyn Store,
        gateway: &Gateway,
        id: ProviderId,
        model: &str,
        now_ms: u64,
    ) -> String {
        let places = self.0.len().max(id.index().saturating_add(1));
        self.0.resize_with(places, Known::default);
        let Some(known) = self.0.get_mut(id.index()) else { return OTHER.to_owned() };
        if !known.names.contains(model) && known.is_old(now_ms) {
            *known = Known { looked_ms: Some(now_ms), names: names(store, gateway, id) };
        }
        let is_plain = model.bytes().all(|byte| byte.is_ascii_graphic());
        match known.names.contains(model) && is_plain {
            true => model.replace('.', "_"),
            false => OTHER.to_owned(),
        }
    }
}

impl Known {
    fn is_old(&self, now_ms: u64) -> bool {
        self.looked_ms.is_none_or(|looked_ms| now_ms.abs_diff(looked_ms) >= LOOK_INTERVAL_MS)
    }
}

fn names(store: &dyn Store, gateway: &Gateway, id: ProviderId) -> BTreeSet<String> {
    let configured = known_models::configured(gateway, id).into_iter().map(str::to_owned);
    let listed = gateway.provider(id).map(|provider| discovery::listed(store, provider));
    let listed = listed.unwrap_or_default().into_iter().map(|listed| listed.id);
    configured.chain(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_name_that_nobody_knows_is_other_until_the_provider_lists_it() {
        let json = r#"{"providers":{"p":{"url":"http://a","models":["gpt-4.1","two words"],"discover_models":true},
            "q":{"url":"http://b"}}}"#;
        let file = File::from_json(json.as_bytes()).unwrap();
        let gateway = Gateway::compile(&file, &|_| None).unwrap();
        let [p, q] = gateway.ids().collect::<Vec<_>>()[..] else { panic!("two providers") };
        let (host, mut labels) = (Memory::at(0), ModelLabels::default());
        let mut label =
            |id: ProviderId, model: &str, now_ms| labels.label(&host, &gateway, id, model, now_ms);
        assert_eq!(label(p, "gpt-4.1", 0), "gpt-4_1");
        assert_eq!(
            (label(q, "gpt-4.1", 0), label(p, "two words", 0)),
            (OTHER.into(), OTHER.into())
        );
        assert_eq!(label(p, "new", 1), OTHER);
        let provider = gateway.provider(p).unwrap();
        let list = Ok(&br#"{"data":[{"id":"new"}]}"#[..]);
        discovery::report(&host, provider, provider.discovery.as_ref().unwrap(), 1, list);
        assert_eq!(label(p, "new", LOOK_INTERVAL_MS - 1), OTHER);
        assert_eq!(label(p, "new", LOOK_INTERVAL_MS), "new");
        assert_eq!(label(p, "gpt-4.1", LOOK_INTERVAL_MS), "gpt-4_1");
    }
}
