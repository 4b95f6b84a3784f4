//! The models that LiteLLM lists in the place of a pattern: those that it knows of the provider.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// By the provider, in the order of the alphabet; `known.py` makes the file.
type Known = BTreeMap<&'static str, Vec<&'static str>>;

static KNOWN: LazyLock<Known> =
    LazyLock::new(|| serde_json::from_str(include_str!("known.json")).unwrap_or_default());

/// The names that LiteLLM lists for an entry whose `model_name` is `pattern` and whose `model` is `model`, as its
/// `get_known_models_from_wildcard` makes them.
pub(super) fn names(pattern: &str, model: &str) -> Vec<String> {
    let of_model = pattern == "*" && model.contains('*') && model.contains('/');
    let Some((start, end)) = (if of_model { model } else { pattern }).split_once('/') else {
        return Vec::new();
    };
    let provider = model.split_once('/').map_or(model, |(provider, _)| provider);
    let known = KNOWN.get(provider).map(Vec::as_slice).unwrap_or_default();
    let part = end.replace('*', "");
    let is_part = known.iter().any(|name| name.starts_with(&part));
    let named = |name: &&'static str| match is_part {
        true => name.starts_with(&part).then(|| (*name).to_owned()),
        false => Some(format!("{part}{name}")),
    };
    known.iter().filter_map(named).map(|name| below(start, name)).collect()
}

/// A name with the pattern's own prefix in the place of the provider's.
fn below(start: &str, name: String) -> String {
    if name.starts_with(start) {
        return name;
    }
    match name.split_once('/') {
        Some((provider, rest)) if KNOWN.contains_key(provider) => format!("{start}/{rest}"),
        _ => format!("{start}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(pattern: &str, model: &str) -> (usize, Option<String>) {
        let names = names(pattern, model);
        (names.len(), names.first().cloned())
    }

    #[test]
    fn names_are_listed_as_litellm_lists_them() {
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(first("cerebras/*", "cerebras/*"), (7, name("cerebras/gemma-4-31b")));
        assert_eq!(first("team/*", "cerebras/*"), (7, name("team/gemma-4-31b")));
        assert_eq!(first("*", "cerebras/*"), (7, name("cerebras/gemma-4-31b")));
        // LiteLLM lists these with the provider's prefix only where its own table has the prefix.
        assert!(names("deepseek/*", "deepseek/*").contains(&"deepseek-chat".to_owned()));
        assert!(names("team/*", "deepseek/*").contains(&"team/deepseek-chat".to_owned()));
        assert!(names("o/*", "openai/*").contains(&"o/gpt-4o".to_owned()));
        let parts = names("openai/gpt-4o*", "openai/gpt-4o*");
        assert!(parts.len() > 5 && parts.iter().all(|name| name.starts_with("openai/gpt-4o")));
        for (pattern, model) in [("*", "*"), ("gpt-*", "openai/gpt-*"), ("x/*", "unknown/*")] {
            assert_eq!(first(pattern, model), (0, None), "{pattern}");
        }
    }
}
