//! Chains that no request can reach.

use std::collections::HashSet;

use crate::config::{ConfigError, File};
use crate::native::import::LITELLM;
use crate::route::Glob;

/// A warning for each such chain.
pub(super) fn chains(file: &File) -> Vec<ConfigError> {
    let routed = routed(file);
    let mut warnings = Vec::new();
    for (index, chain) in file.fallbacks.iter().enumerate() {
        let model = &chain.model;
        let is_routed = routed.iter().any(|pattern| meet(pattern.as_bytes(), model.as_bytes()));
        let mut earlier = file.fallbacks.iter().take(index).map(|earlier| &earlier.model);
        let problem = if !is_routed {
            format!(
                "no provider takes \"{model}\", so no request can reach this chain; write the model as clients ask for it, \
                 or put it into `match` of a provider"
            )
        } else if let Some(first) = earlier.find(|earlier| takes_all(earlier, model)) {
            format!(
                "\"{first}\" comes first and takes every model of \"{model}\", so no request can reach this chain; move this \
                 chain above the other"
            )
        } else {
            continue;
        };
        warnings.push(ConfigError::new(format!("fallbacks[{index}].model"), problem));
    }
    warnings
}

/// What clients may ask for, as patterns. Below `/api/litellm` LiteLLM gets every model.
fn routed(file: &File) -> Vec<String> {
    if file.default_provider.is_some() || file.providers.contains_key(LITELLM) {
        return vec!["*".to_owned()];
    }
    let aliases = file.aliases.iter().map(|(alias, _)| alias.clone());
    let groups = file.models.iter().map(|group| group.name.clone());
    let of_providers = file.providers.iter().flat_map(|(name, provider)| {
        let namespaces = provider.namespaces_of(name).into_iter();
        namespaces.map(|namespace| namespace + "*").chain(provider.patterns.clone())
    });
    aliases.chain(groups).chain(of_providers).collect()
}

/// Whether the chain of `first`, which is earlier in the file, is taken for every model of `second`. Of two patterns the one with the
/// longer text before its `*` is taken; a name without a `*` is taken before any pattern.
fn takes_all(first: &str, second: &str) -> bool {
    let before = |pattern: &str| pattern.find('*');
    // Only a `*` matches a `*`, because no other character of a pattern is one.
    before(first).is_some()
        && before(first) == before(second)
        && Glob::new(first.to_owned()).matches(second)
}

/// Whether some name matches both patterns: whether both can be read to their ends together. A `*` ends here, or takes what the other
/// pattern has next.
fn meet(first: &[u8], second: &[u8]) -> bool {
    let mut open = vec![(first, second)];
    let mut seen = HashSet::new();
    while let Some((one, other)) = open.pop() {
        if !seen.insert((one.len(), other.len())) {
            continue;
        }
        match (one.split_first(), other.split_first()) {
            (None, None) => return true,
            (Some((b'*', rest)), next) => {
                open.push((rest, other));
                open.extend(next.map(|(_, after)| (one, after)));
            }
            (next, Some((b'*', rest))) => {
                open.push((one, rest));
                open.extend(next.map(|(_, after)| (after, other)));
            }
            (Some((letter, rest)), Some((same, after))) if letter == same => {
                open.push((rest, after));
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(head: &str, models: &[&str]) -> Vec<String> {
        let chains: Vec<_> =
            models.iter().map(|model| format!(r#"{{"model":{model:?},"to":["p:b"]}}"#)).collect();
        let json = format!(
            r#"{{{head}"providers":{{"p":{{"url":"http://p","match":["gpt-*","o3"]}}}},"aliases":{{"fast":"p:a"}},
                "fallbacks":[{}]}}"#,
            chains.join(",")
        );
        let file = File::from_json(json.as_bytes()).unwrap();
        chains_of(&file)
    }

    fn chains_of(file: &File) -> Vec<String> {
        chains(file).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_chain_of_a_model_that_nobody_takes_is_told() {
        let said = "fallbacks[0].model: no provider takes \"claude-*\", so no request can reach this chain; write the model as \
                    clients ask for it, or put it into `match` of a provider";
        assert_eq!(warnings("", &["claude-*"]), [said]);
        for lost in ["claude", "o3-mini", "q:a", "q:*", "gp", "fast2", "o4*"] {
            assert_eq!(warnings("", &[lost]).len(), 1, "{lost}");
        }
        for reached in
            ["*", "gpt-4o", "g*", "*mini", "o3", "o*", "p:a", "p*a", "fast", "fa*t", "*:x"]
        {
            assert_eq!(warnings("", &[reached]), [""; 0], "{reached}");
        }
        assert_eq!(warnings(r#""default_provider":"p","#, &["claude"]), [""; 0]);
    }

    #[test]
    fn a_chain_after_one_that_takes_its_models_is_told() {
        let said = "fallbacks[1].model: \"gpt-*\" comes first and takes every model of \"gpt-*-mini\", so no request can reach \
                    this chain; move this chain above the other";
        assert_eq!(warnings("", &["gpt-*", "gpt-*-mini"]), [said]);
        for good in [
            ["gpt-*-mini", "gpt-*"],
            ["gpt-*", "gpt-4*"],
            ["gpt-*", "gpt-4o"],
            ["*", "gpt-*"],
            ["gpt-*o", "gpt-*i"],
        ] {
            assert_eq!(warnings("", &good), [""; 0], "{good:?}");
        }
    }

    /// Against every name of up to five letters of a small alphabet.
    #[test]
    fn patterns_meet_where_a_name_matches_both() {
        let mut texts = vec![String::new()];
        for start in 0.. {
            let Some(text) = texts.get(start).cloned().filter(|text| text.len() < 4) else { break };
            texts.extend(["a", "b", "*"].map(|letter| format!("{text}{letter}")));
        }
        let names: Vec<_> = texts.iter().filter(|text| !text.contains('*')).collect();
        let matching = |pattern: &String| -> Vec<bool> {
            let glob = Glob::new(pattern.clone());
            names.iter().map(|name| glob.matches(name)).collect()
        };
        let short: Vec<_> = texts.iter().filter(|text| text.len() <= 2).collect();
        for first in &short {
            for second in &short {
                let both = matching(first).into_iter().zip(matching(second)).any(|(a, b)| a && b);
                assert_eq!(meet(first.as_bytes(), second.as_bytes()), both, "{first} {second}");
            }
        }
    }
}
