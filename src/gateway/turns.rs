//! The targets of a request in the order in which they are asked.
//!
//! ```text
//! route, or a group's deployments as they are drawn ──> chain, with the groups that it names ──> without what has not the path
//! ```
//!
//! A request for a path that a model's provider does not have goes to the default provider, under the name that the client
//! has sent: LiteLLM serves the path by translating.

use super::Gateway;
use crate::request::escape::without_query;
use crate::request::model::ModelName;
use crate::route::{Decision, Draw, Group, Link, NoRoute, ProviderId, Rule, Target};

/// A target, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// The provider, and the model's name there.
    pub target: Target<'a>,
    /// Another deployment of the same model follows.
    pub has_sibling: bool,
}

/// The targets of one request.
pub(super) enum Turns<'a> {
    /// A route and a chain, as they are.
    Plain {
        routed: Option<Target<'a>>,
        first: Option<Target<'a>>,
        chain: std::slice::Iter<'a, Link>,
    },
    /// With groups or paths.
    Drawn(std::vec::IntoIter<Turn<'a>>),
}

impl<'a> Iterator for Turns<'a> {
    type Item = Turn<'a>;

    #[inline]
    fn next(&mut self) -> Option<Turn<'a>> {
        match self {
            Self::Plain { routed, first, chain } => {
                let target = first.take().or_else(|| {
                    chain
                        .map(|link| link.target.as_target())
                        .find(|target| Some(*target) != *routed)
                })?;
                Some(Turn { target, has_sibling: false })
            }
            Self::Drawn(turns) => turns.next(),
        }
    }
}

impl Gateway {
    /// The targets of a gateway with groups or paths.
    #[inline(never)]
    pub(super) fn drawn<'a>(
        &'a self,
        model: &'a ModelName,
        path: &str,
        draw: &Draw<'_>,
    ) -> Result<Vec<Turn<'a>>, NoRoute<'a>> {
        let path = without_query(path);
        let chain = self.chains.of(model.as_str());
        let routed = match self.routes.decide(model) {
            Ok(decision) => self.at_path(model, path, self.routed(&decision, draw)),
            Err(_) if !chain.is_empty() => Vec::new(),
            Err(none) => return Err(none),
        };
        let links = chain.iter().map(|link| {
            let group = link.group.as_ref().and_then(|name| self.routes.group(name));
            let mut targets = self.deployments(link.target.as_target(), group, draw);
            targets.retain(|target| self.has_path(target.provider, path));
            targets
        });
        let mut turns: Vec<Turn<'a>> = Vec::new();
        for targets in std::iter::once(routed).chain(links) {
            let before = turns.len();
            for target in targets {
                if turns.iter().all(|turn| turn.target != target) {
                    turns.push(Turn { target, has_sibling: true });
                }
            }
            if turns.len() > before
                && let Some(last) = turns.last_mut()
            {
                last.has_sibling = false;
            }
        }
        Ok(turns)
    }

    fn routed<'a>(&'a self, decision: &Decision<'a>, draw: &Draw<'_>) -> Vec<Target<'a>> {
        let group = match decision.rule {
            Rule::Group(name) => self.routes.group(name),
            Rule::Namespace(_) | Rule::Match(_) | Rule::Default => None,
        };
        self.deployments(decision.target, group, draw)
    }

    fn deployments<'a>(
        &'a self,
        target: Target<'a>,
        group: Option<&'a Group>,
        draw: &Draw<'_>,
    ) -> Vec<Target<'a>> {
        group.map_or_else(|| vec![target], |group| group.order(draw))
    }

    /// The targets of a route, where all have the path; else the default provider, with the model as the client named it.
    fn at_path<'a>(
        &self,
        model: &'a ModelName,
        path: &str,
        targets: Vec<Target<'a>>,
    ) -> Vec<Target<'a>> {
        let lacks = |target: &Target<'_>| !self.has_path(target.provider, path);
        match self.default_provider.filter(|_| targets.iter().any(lacks)) {
            Some(provider) => vec![Target { provider, model: model.as_str() }],
            None => targets,
        }
    }

    fn has_path(&self, provider: ProviderId, path: &str) -> bool {
        let paths = self.provider(provider).map_or(&[][..], |provider| &provider.paths);
        paths.is_empty() || paths.iter().any(|own| own.matches(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `provider: model` of each turn; `+` where a deployment of the same model follows.
    fn turns(model: &str, path: &str, chance: u64) -> String {
        let json = r#"{"default_provider":"rest","providers":{
            "rest":{"url":"http://r"},
            "claude":{"url":"http://c","auth":"none","paths":["/v1/messages"],"namespaces":["claude:","anthropic/"]},
            "one":{"url":"http://1","auth":"none"},"two":{"url":"http://2","auth":"none"}},
            "aliases":{"sonnet":"claude:s","both":"pair"},
            "models":[{"name":"pair","deployments":[{"target":"one:a"},{"target":"two:b"}]},
                {"name":"mixed","deployments":[{"target":"one:a"},{"target":"claude:s"}]}],
            "fallbacks":[{"model":"pair","to":["one:z","claude:s"]},{"model":"one:x","to":["pair","two:b"]}]}"#;
        let file = File::from_json(json.as_bytes()).unwrap();
        let gateway = Gateway::compile(&file, &|_| None).unwrap();
        let model = ModelName::try_from(model.to_owned()).unwrap();
        let text = |turn: Turn<'_>| {
            let name = &gateway.provider(turn.target.provider).unwrap().name;
            format!("{name}:{}{}", turn.target.model, if turn.has_sibling { "+" } else { "" })
        };
        let draw = Draw::by(chance);
        let turns = gateway.targets_in_turn(&model, path, &draw).unwrap();
        turns.map(text).collect::<Vec<_>>().join(" ")
    }

    const CHAT: &str = "/v1/chat/completions?x=/v1/messages";

    #[test]
    fn a_path_that_is_not_there_goes_to_the_default_under_the_name_that_was_asked() {
        for (model, path, expected) in [
            ("sonnet", "/v1/messages?beta=true", "claude:s"),
            ("sonnet", CHAT, "rest:sonnet"),
            ("anthropic/opus", "/v1/messages", "claude:opus"),
            ("anthropic/opus", CHAT, "rest:anthropic/opus"),
            ("mixed", CHAT, "rest:mixed"),
            ("other", CHAT, "rest:other"),
        ] {
            assert_eq!(turns(model, path, 0), expected, "{model} {path}");
        }
    }

    #[test]
    fn a_group_is_drawn_in_its_place() {
        let all = |model: &str, path: &str| {
            let drawn: std::collections::BTreeSet<_> =
                (0..50).map(|chance| turns(model, path, chance)).collect();
            drawn.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(all("pair", CHAT), ["one:a+ two:b one:z", "two:b+ one:a one:z"]);
        assert_eq!(
            all("both", CHAT),
            ["one:a+ two:b", "two:b+ one:a"],
            "a chain is of the name that is asked"
        );
        assert_eq!(
            all("pair", "/v1/messages"),
            ["one:a+ two:b one:z claude:s", "two:b+ one:a one:z claude:s"]
        );
        assert_eq!(all("one:x", CHAT), ["one:x one:a+ two:b", "one:x two:b+ one:a"]);
    }
}
