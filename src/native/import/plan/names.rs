//! Names with `*`: what Gaud's namespaces and `match` do the same with.
//!
//! | `model_name` | `model` | becomes |
//! |---|---|---|
//! | `openai/*` | `openai/*` | the namespace `openai/`, which is stripped |
//! | `gpt-*` | `openai/gpt-*` | `match`, which keeps the name |
//! | `*` | `openai/*` | `match`, which keeps the name |
//! | any other | | stays with LiteLLM |
//!
//! Of several that fit, LiteLLM and Gaud take the longest; Gaud's namespaces come before every `match`.

use std::collections::HashMap;

use super::{Entry, keep};

/// How a pattern is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    Namespace(String),
    Match(String),
}

/// Whether a pattern that ends in `*` fits a name, or another such pattern whole.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    pattern != name && pattern.strip_suffix('*').is_some_and(|start| name.starts_with(start))
}

/// The patterns that go direct. The entries of the others are kept.
pub(super) fn patterns(entries: &mut [Entry]) -> HashMap<String, Pattern> {
    let mut patterns = HashMap::new();
    for index in 0..entries.len() {
        let Some(own) = entries.get(index) else { continue };
        let Some(model) = own.outcome.as_ref().ok().map(|own| own.model.clone()) else { continue };
        if !own.name.contains('*') {
            continue;
        }
        let name = own.name.clone();
        let count = entries.iter().filter(|other| other.name == name).count();
        match pattern(&name, &model) {
            Some(_) if count > 1 => keep(entries, index, "several deployments have one pattern"),
            Some(pattern) => _ = patterns.insert(name, pattern),
            None => {
                keep(entries, index, "the pattern changes the name in a way that Gaud does not")
            }
        }
    }
    // A namespace would take what a longer pattern takes by another way.
    let hidden: Vec<String> = patterns
        .iter()
        .filter(|(_, own)| matches!(own, Pattern::Namespace(_)))
        .filter(|(name, _)| {
            let is_other = |entry: &Entry| {
                entry.name.contains('*')
                    && fits(name, &entry.name)
                    && !matches!(patterns.get(&entry.name), Some(Pattern::Namespace(_)))
            };
            entries.iter().any(is_other)
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in hidden {
        patterns.remove(&name);
        if let Some(index) = entries.iter().position(|own| own.name == name) {
            keep(entries, index, "a longer pattern within this one goes elsewhere");
        }
    }
    patterns
}

fn pattern(name: &str, model: &str) -> Option<Pattern> {
    let (name_start, name_end) = name.split_once('*')?;
    let (model_start, model_end) = model.split_once('*')?;
    if !name_end.is_empty() || !model_end.is_empty() {
        return None;
    }
    match (name_start, model_start) {
        (name_start, model_start) if name_start == model_start => {
            Some(Pattern::Match(name.to_owned()))
        }
        (start, "") => Some(Pattern::Namespace(start.to_owned())),
        _ => None,
    }
}
