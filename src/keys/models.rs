//! The models that a key may call: exact names, and patterns with `*`.
//!
//! | the client asks for | compared with the list |
//! |---|---|
//! | `claude:opus`, which begins with a namespace of the provider `claude` | `claude:opus`, and `opus` |
//! | any other name: a bare model, an alias, the model of a chain | that name |
//!
//! The targets of an alias or of a chain are not compared: a key that allows the name allows the targets.

use crate::gateway::Gateway;
use crate::route::{Glob, Rule};

/// Any model.
const ANY: &str = "*";

/// A list of names and patterns. An empty list is every model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Models(Vec<Glob>);

impl Models {
    /// A list that has `*` in it is every model.
    pub fn of(names: Vec<String>) -> Self {
        if names.iter().any(|name| name == ANY) {
            return Self::default();
        }
        Self(names.into_iter().map(Glob::new).collect())
    }

    /// Whether every model may be called, and what names no model.
    pub fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The names and patterns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Glob::as_str)
    }

    /// Whether a client may ask for `asked`.
    pub fn allow(&self, gateway: &Gateway, asked: &str) -> bool {
        self.are_all() || self.have(asked) || self.allow_in_namespace(gateway, asked)
    }

    fn allow_in_namespace(&self, gateway: &Gateway, asked: &str) -> bool {
        let Ok(decision) = gateway.routes.decide_str(asked) else { return false };
        let (Rule::Namespace(_), None) = (decision.rule, decision.alias) else { return false };
        let (target, provider) = (decision.target, gateway.provider(decision.target.provider));
        let in_full = provider.map(|provider| format!("{}:{}", provider.name, target.model));
        self.have(target.model) || in_full.is_some_and(|name| self.have(&name))
    }

    fn have(&self, name: &str) -> bool {
        self.0.iter().any(|glob| glob.matches(name))
    }
}

/// The first entry whose name or pattern fits the model that a client asks for.
pub fn first_that_fits<'a, T>(
    entries: &'a [(String, T)],
    gateway: &Gateway,
    asked: &str,
) -> Option<&'a (String, T)> {
    entries.iter().find(|(name, _)| Models::of(vec![name.clone()]).allow(gateway, asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn gateway() -> Gateway {
        let json = r#"{"default_provider":"litellm","aliases":{"best":"claude:opus","claude:alias":"opus"},
            "fallbacks":[{"model":"safe","to":["claude:opus"]}],
            "providers":{"litellm":{"url":"http://a"},"claude":{"url":"http://b","auth":"none",
            "namespaces":["c/","claude:"]}}}"#;
        Gateway::compile(&File::from_json(json.as_bytes()).unwrap(), &|_| None).unwrap()
    }

    #[test]
    fn the_name_that_the_client_asks_must_match() {
        let gateway = gateway();
        for (list, allowed, refused) in [
            (
                &["gpt-4o"][..],
                &["gpt-4o", "litellm:gpt-4o"][..],
                &["gpt-4o-mini", "best", "GPT-4o"][..],
            ),
            (&["litellm:gpt-4o"], &["litellm:gpt-4o"], &["gpt-4o", "claude:gpt-4o"]),
            (
                &["claude:*"],
                &["claude:opus", "c/opus", "claude:alias"],
                &["opus", "best", "claude", "xclaude:opus"],
            ),
            (&["best", "safe"], &["best", "safe"], &["claude:opus", "opus", "litellm:best2"]),
            (
                &["opus"],
                &["opus", "claude:opus", "c/opus"],
                &["best", "claude:alias", "unknown:opus"],
            ),
            (
                &["gpt-*", "o*-mini"],
                &["gpt-4o", "litellm:gpt-4o", "o4-mini"],
                &["xgpt-4o", "o4-minix"],
            ),
            (&[], &["anything", "claude:x"], &[]),
            (&["x", "*"], &["anything"], &[]),
        ] {
            let models = Models::of(list.iter().map(|name| (*name).to_owned()).collect());
            for name in allowed {
                assert!(models.allow(&gateway, name), "{list:?} {name}");
            }
            for name in refused {
                assert!(!models.allow(&gateway, name), "{list:?} {name}");
            }
        }
    }
}
