//! Chains: the targets that follow when a model's provider does not answer.

use hashbrown::HashMap;

use super::compile::insert_by_length;
use super::{ChainTarget, Decision, Glob, ProviderId, RouteTable, Rule, Target};
use crate::config::{ConfigError, FallbackFile, File};
use crate::request::model::ModelName;

/// The most models that may follow a model.
const FALLBACKS_MAX: usize = 8;

/// Whether a target may follow, and the problem where it may not. The second argument is the provider that gets the
/// request first, where every request of the chain goes to the same provider first.
pub(crate) type CheckTarget<'a> = &'a dyn Fn(Target<'_>, Option<ProviderId>) -> Result<(), String>;

/// All chains of a configuration.
#[derive(Debug, Default, PartialEq)]
pub struct Chains {
    exact: HashMap<String, Vec<Link>>,
    /// Most specific first.
    globs: Vec<(Glob, Vec<Link>)>,
}

/// What a chain names at one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    /// The target; of a group, its first deployment.
    pub target: ChainTarget,
    /// The group, where the chain names one.
    pub group: Option<String>,
}

impl Chains {
    /// The targets after the route of `model`, as a client asks for the model: the chain of the exact name, else of the
    /// glob with the longest literal prefix.
    pub fn of(&self, model: &str) -> &[Link] {
        let glob = || self.globs.iter().find(|(glob, _)| glob.matches(model)).map(|(_, to)| to);
        self.exact.get(model).or_else(glob).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the configuration has no chain.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty()
    }

    /// All models of all chains.
    pub fn targets(&self) -> impl Iterator<Item = &ChainTarget> {
        let globs = self.globs.iter().flat_map(|(_, links)| links);
        self.exact.values().flatten().chain(globs).map(|link| &link.target)
    }

    /// Compiles `fallbacks`.
    pub(crate) fn compile(
        file: &File,
        routes: &RouteTable,
        check: CheckTarget<'_>,
    ) -> Result<Self, ConfigError> {
        let mut chains = Self::default();
        for (index, fallback) in file.fallbacks.iter().enumerate() {
            let at = |field: &str| format!("fallbacks[{index}].{field}");
            let model = &fallback.model;
            ModelName::check(model)
                .map_err(|problem| ConfigError::new(at("model"), problem.to_string()))?;
            let targets = targets(fallback, routes, check)
                .map_err(|(field, problem)| ConfigError::new(at(&field), problem))?;
            let glob = Glob { pattern: model.clone() };
            let taken = chains.exact.contains_key(model)
                || chains.globs.iter().any(|(other, _)| *other == glob);
            if taken {
                let problem = format!("\"{model}\" has a chain already; put both into one");
                return Err(ConfigError::new(at("model"), problem));
            }
            if model.contains('*') {
                insert_by_length(&mut chains.globs, (glob, targets))
            } else {
                chains.exact.insert(model.clone(), targets);
            }
        }
        Ok(chains)
    }
}

fn targets(
    fallback: &FallbackFile,
    routes: &RouteTable,
    check: CheckTarget<'_>,
) -> Result<Vec<Link>, (String, String)> {
    if fallback.to.is_empty() || fallback.to.len() > FALLBACKS_MAX {
        let problem = format!("has {} models; write 1 to {FALLBACKS_MAX}", fallback.to.len());
        return Err(("to".to_owned(), problem));
    }
    let routed = routes.decide_str(&fallback.model).ok().map(|decision| decision.target.provider);
    let first = routed.filter(|_| !fallback.model.contains('*'));
    let mut targets: Vec<Link> = Vec::new();
    for (index, model) in fallback.to.iter().enumerate() {
        let at = || format!("to[{index}]");
        let decision = resolved(fallback, model, routes).map_err(|problem| (at(), problem))?;
        check(decision.target, first).map_err(|problem| (at(), problem))?;
        let group = match decision.rule {
            Rule::Group(name) => routes.group(name).map(|group| (name.to_owned(), group)),
            _ => None,
        };
        if let Some((_, group)) = &group {
            group.check(check).map_err(|(_, problem)| (at(), problem))?;
        }
        let link =
            Link { target: ChainTarget::from(decision.target), group: group.map(|(name, _)| name) };
        if targets.contains(&link) {
            return Err((at(), format!("\"{model}\" is in this chain already; take one out")));
        }
        targets.push(link);
    }
    Ok(targets)
}

fn resolved<'a>(
    fallback: &FallbackFile,
    model: &'a str,
    routes: &'a RouteTable,
) -> Result<Decision<'a>, String> {
    if *model == fallback.model {
        return Err(format!("\"{model}\" would follow itself; name another model"));
    }
    ModelName::check(model).map_err(|problem| problem.to_string())?;
    routes.decide_str(model).map_err(|no_route| no_route.to_string())
}
