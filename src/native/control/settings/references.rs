//! The settings that name a provider, which go with the provider: else its models would go to another provider without a word.

use toml_edit::{DocumentMut, Item, Value};

use super::key::dotted;
use super::take::take;

/// Takes out the default provider, the aliases, the deployments, the chains and the targets of chains that name a provider; their keys.
pub(super) fn take_all(document: &mut DocumentMut, provider: &str) -> Vec<String> {
    let namespaces = namespaces(document, provider);
    let names_it = |model: Option<&str>| {
        model.is_some_and(|model| namespaces.iter().any(|namespace| model.starts_with(namespace)))
    };
    let mut removed = Vec::new();
    if document.get("default_provider").and_then(Item::as_str) == Some(provider) {
        document.remove("default_provider");
        removed.push("default_provider".to_owned());
    }
    for alias in aliases(document, &names_it) {
        take(document.as_table_mut(), &["aliases", &alias]);
        removed.push(dotted(&["aliases", &alias]));
    }
    removed.extend(take_deployments(document, &names_it));
    removed.extend(take_chains(document, &names_it));
    removed
}

fn namespaces(document: &DocumentMut, provider: &str) -> Vec<String> {
    let own =
        document.get("providers").and_then(|all| all.get(provider)?.get("namespaces")?.as_array());
    let texts = own.map(|own| own.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    texts.unwrap_or_else(|| vec![format!("{provider}:")])
}

fn aliases(document: &DocumentMut, names_it: &dyn Fn(Option<&str>) -> bool) -> Vec<String> {
    let aliases = document.get("aliases").and_then(Item::as_table_like);
    let all = aliases.into_iter().flat_map(|own| own.iter());
    all.filter(|(_, model)| names_it(model.as_str())).map(|(alias, _)| alias.to_owned()).collect()
}

fn take_deployments(
    document: &mut DocumentMut,
    names_it: &dyn Fn(Option<&str>) -> bool,
) -> Vec<String> {
    let Some(models) = document.get_mut("models").and_then(Item::as_array_of_tables_mut) else {
        return Vec::new();
    };
    let (mut removed, mut empty) = (Vec::new(), Vec::new());
    for (index, model) in models.iter_mut().enumerate() {
        let Some(all) = model.get_mut("deployments").and_then(Item::as_array_mut) else { continue };
        let target =
            |own: &Value| own.as_inline_table()?.get("target")?.as_str().map(str::to_owned);
        let of_it = |own: &Value| names_it(target(own).as_deref());
        let gone: Vec<usize> =
            all.iter().enumerate().filter(|(_, own)| of_it(own)).map(|(place, _)| place).collect();
        if !gone.is_empty() && gone.len() == all.len() {
            empty.push(index);
            removed.push(format!("models[{index}]"));
            continue;
        }
        gone.iter().rev().for_each(|place| _ = all.remove(*place));
        removed.extend(gone.iter().map(|place| format!("models[{index}].deployments[{place}]")));
    }
    empty.iter().rev().for_each(|index| _ = models.remove(*index));
    if models.is_empty() {
        document.remove("models");
    }
    removed
}

fn take_chains(document: &mut DocumentMut, names_it: &dyn Fn(Option<&str>) -> bool) -> Vec<String> {
    let Some(chains) = document.get_mut("fallbacks").and_then(Item::as_array_of_tables_mut) else {
        return Vec::new();
    };
    let mut removed = Vec::new();
    let mut empty = Vec::new();
    for (index, chain) in chains.iter_mut().enumerate() {
        let is_of_it = names_it(chain.get("model").and_then(Item::as_str));
        let targets = chain.get_mut("to").and_then(Item::as_array_mut);
        let gone: Vec<usize> = targets.as_ref().map_or_else(Vec::new, |targets| {
            let of_it = |(_, target): &(usize, &Value)| names_it(target.as_str());
            targets.iter().enumerate().filter(of_it).map(|(place, _)| place).collect()
        });
        if is_of_it || targets.as_ref().is_some_and(|targets| gone.len() == targets.len()) {
            empty.push(index);
            removed.push(format!("fallbacks[{index}]"));
        } else if let Some(targets) = targets {
            gone.iter().rev().for_each(|place| _ = targets.remove(*place));
            if let Some(first) = targets.get_mut(0) {
                first.decor_mut().set_prefix("");
            }
            removed.extend(gone.iter().map(|place| format!("fallbacks[{index}].to[{place}]")));
        }
    }
    empty.iter().rev().for_each(|index| _ = chains.remove(*index));
    if chains.is_empty() {
        document.remove("fallbacks");
    }
    removed
}
