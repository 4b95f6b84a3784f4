//! Properties of the list of models: what a client reads there it can send back.

use std::collections::BTreeSet;

use gaud::config::{File, ProviderFile};
use gaud::gateway::Gateway;
use gaud::models::{Catalog, Listed, Names, from_bytes, parse, to_bytes};
use gaud::request::model::ModelName;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Names that run into each other: few letters, and what namespaces are made of.
const NAME: &str = "[ab*:/]{1,4}";

fn provider() -> impl Strategy<Value = ProviderFile> {
    let names = |most| vec(NAME.prop_map(String::from), 0..most);
    (option::of(names(3)), names(3), names(4)).prop_map(|(namespaces, patterns, models)| {
        let url = Some("http://h".to_owned());
        ProviderFile { url, namespaces, patterns, models, ..ProviderFile::default() }
    })
}

/// A configuration that holds, and lists that were discovered.
fn world() -> impl Strategy<Value = (Gateway, Vec<Vec<Listed>>)> {
    let aliases = vec((NAME, NAME), 0..3);
    let forms = [None, Some("namespaced"), Some("short"), Some("both")];
    let parts =
        (vec(provider(), 1..4), aliases, any::<bool>(), vec(list(), 0..4), select(forms.to_vec()));
    parts.prop_filter_map("no configuration", |(providers, aliases, default, found, list_names)| {
        let names = ["a", "b", "ab"].map(str::to_owned);
        let file = File {
            default_provider: default.then(|| "a".to_owned()),
            list_names: list_names.map(str::to_owned),
            providers: names.into_iter().zip(providers).collect(),
            aliases: aliases.into_iter().collect(),
            ..File::default()
        };
        Gateway::compile(&file, &|_| None).ok().map(|gateway| (gateway, found))
    })
}

/// A list as [`parse`] leaves a list: each id once.
fn list() -> impl Strategy<Value = Vec<Listed>> {
    vec(listed(), 0..6).prop_map(|mut list| {
        let mut ids = BTreeSet::new();
        list.retain(|listed| ids.insert(listed.id.clone()));
        list
    })
}

prop_compose! {
    fn listed()(
        id in NAME,
        created_secs in option::of(1_u64..),
        context_window in option::of(1_u64..),
        display_name in option::of("[^\\p{Cc}]{1,9}"),
    ) -> Listed {
        Listed { id, created_secs, context_window, display_name }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_listed_name_can_be_sent((gateway, found) in world()) {
        let catalog = Catalog::of(&gateway, &found, Names::Configured);
        let mut names = BTreeSet::new();
        for entry in catalog.entries() {
            let name = ModelName::try_from(entry.name.to_string()).unwrap();
            let decision = gateway.routes.decide(&name).unwrap();
            prop_assert_eq!(decision.target, entry.target);
            prop_assert_eq!(&gateway.provider(entry.target.provider).unwrap().name, &entry.provider.name);
            prop_assert_eq!(catalog.find(&entry.name).unwrap().target, entry.target);
            prop_assert!(names.insert(entry.name.to_string()), "{} is listed twice", entry.name);
        }
        for alias in &gateway.aliases {
            prop_assert!(names.contains(alias.as_str()));
        }
    }

    #[test]
    fn every_reachable_model_is_listed((gateway, found) in world()) {
        let catalog = Catalog::of(&gateway, &found, Names::Configured);
        let found = found.iter().map(Some).chain(std::iter::repeat(None));
        for ((id, provider), found) in gateway.ids().zip(gateway.providers()).zip(found) {
            let found = found.into_iter().flatten().map(|listed| &listed.id);
            for model in provider.models.iter().chain(found) {
                let names = provider.namespaces.iter().map(|namespace| format!("{namespace}{model}"));
                let reaches = |name: String| {
                    let name = ModelName::try_from(name).unwrap();
                    gateway.routes.decide(&name).is_ok_and(|decision| {
                        decision.target.provider == id && decision.target.model == model
                    })
                };
                let reachable = names.chain([model.clone()]).any(reaches);
                let listed = catalog.entries().iter().filter(|entry| {
                    entry.target.provider == id && entry.target.model == model
                });
                prop_assert!(!reachable || listed.count() > 0);
            }
        }
    }

    #[test]
    fn a_stored_list_reads_back_the_same(models in vec(listed(), 0..9)) {
        let ids: BTreeSet<_> = models.iter().map(|listed| listed.id.as_str()).collect();
        let distinct = ids.len() == models.len();
        prop_assert!(!distinct || from_bytes(&to_bytes(&models)) == models);
    }

    #[test]
    fn malformed_lists_are_read_safely(bytes in "[\\[\\]{}\":,\\\\ 1ida]{0,20}".prop_map(String::into_bytes)) {
        for model in from_bytes(&bytes) {
            prop_assert_eq!(ModelName::check(&model.id), Ok(()));
        }
        prop_assert!(parse(&bytes).is_err() || serde_json::from_slice::<Value>(&bytes).is_ok());
    }

    #[test]
    fn a_whole_list_is_read_and_a_cut_list_is_not(values in vec("\\PC{0,9}", 0..4), cut in any::<usize>()) {
        let entries: Vec<_> = values.iter().map(|id| serde_json::json!({ "id": id })).collect();
        let body = serde_json::json!({ "data": entries }).to_string();
        let (models, left_out) = parse(body.as_bytes()).unwrap();
        prop_assert_eq!(models.len().saturating_add(left_out), values.len());
        let cut = cut.checked_rem(body.len()).unwrap();
        prop_assert!(parse(body.as_bytes().split_at(cut).0).is_err());
    }
}
