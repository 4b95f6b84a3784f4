//! Chains: who answers for a model when its own provider does not.

use hashbrown::HashMap;

use super::compile::insert_by_length;
use super::{Glob, NoRoute, RouteTable, Target};
use crate::config::{ConfigError, Credential, FallbackFile, File, Provider, ProviderId};
use crate::model::ModelName;

/// The most models that may follow a model.
const FALLBACKS_MAX: usize = 8;

/// A provider and the model's name there, of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainTarget {
    /// Who is asked.
    pub provider: ProviderId,
    /// For what.
    pub model: String,
}

impl ChainTarget {
    /// The same, borrowed.
    pub fn as_target(&self) -> Target<'_> {
        Target { provider: self.provider, model: &self.model }
    }
}

impl From<Target<'_>> for ChainTarget {
    fn from(target: Target<'_>) -> Self {
        Self { provider: target.provider, model: target.model.to_owned() }
    }
}

/// All chains of a configuration.
#[derive(Debug, Default, PartialEq)]
pub struct Chains {
    exact: HashMap<String, Vec<ChainTarget>>,
    /// Most specific first.
    globs: Vec<(Glob, Vec<ChainTarget>)>,
}

impl Chains {
    /// What follows the own route of `model`, as a client asks it: the exact name, else the glob with the
    /// longest literal prefix.
    pub fn of(&self, model: &str) -> &[ChainTarget] {
        let glob = || self.globs.iter().find(|(glob, _)| glob.matches(model)).map(|(_, to)| to);
        self.exact.get(model).or_else(glob).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty()
    }

    /// Compiles `fallbacks`.
    pub(crate) fn compile(
        file: &File,
        routes: &RouteTable,
        providers: &[Provider],
    ) -> Result<Self, ConfigError> {
        let mut chains = Self::default();
        for (index, fallback) in file.fallbacks.iter().enumerate() {
            let at = |field: &str| format!("fallbacks[{index}].{field}");
            let model = &fallback.model;
            ModelName::check(model)
                .map_err(|problem| ConfigError::new(at("model"), problem.to_string()))?;
            let targets = targets(fallback, routes, providers)
                .map_err(|(field, problem)| ConfigError::new(at(&field), problem))?;
            let glob = Glob { pattern: model.clone() };
            let taken = chains.exact.contains_key(model)
                || chains.globs.iter().any(|(other, _)| *other == glob);
            if taken {
                let problem = format!("\"{model}\" has a chain already; put both into one");
                return Err(ConfigError::new(at("model"), problem));
            }
            match model.contains('*') {
                true => insert_by_length(&mut chains.globs, (glob, targets)),
                false => _ = chains.exact.insert(model.clone(), targets),
            }
        }
        Ok(chains)
    }
}

fn targets(
    fallback: &FallbackFile,
    routes: &RouteTable,
    providers: &[Provider],
) -> Result<Vec<ChainTarget>, (String, String)> {
    if fallback.to.is_empty() || fallback.to.len() > FALLBACKS_MAX {
        let problem = format!("has {} models; write 1 to {FALLBACKS_MAX}", fallback.to.len());
        return Err(("to".to_owned(), problem));
    }
    let own = routes.decide_str(&fallback.model).ok().map(|decision| decision.target);
    let mut targets: Vec<ChainTarget> = Vec::new();
    for (index, model) in fallback.to.iter().enumerate() {
        let at = || format!("to[{index}]");
        let target = resolved(fallback, model, routes).map_err(|problem| (at(), problem))?;
        let first = own.filter(|_| !fallback.model.contains('*')).map(|own| own.provider);
        check_credential(target, first, providers).map_err(|problem| (at(), problem))?;
        let target = ChainTarget::from(target);
        if targets.contains(&target) {
            return Err((at(), format!("\"{model}\" is in this chain already; take one out")));
        }
        targets.push(target);
    }
    Ok(targets)
}

fn resolved<'a>(
    fallback: &FallbackFile,
    model: &'a str,
    routes: &'a RouteTable,
) -> Result<Target<'a>, String> {
    if *model == fallback.model {
        return Err(format!("\"{model}\" would follow itself; name another model"));
    }
    ModelName::check(model).map_err(|problem| problem.to_string())?;
    match routes.decide_str(model) {
        Ok(decision) => Ok(decision.target),
        Err(NoRoute::MissingModel(_)) => {
            Err(format!("\"{model}\" names no model behind its namespace"))
        }
        Err(NoRoute::NotFound) => {
            Err(format!("no provider takes \"{model}\"; begin it with a provider's namespace"))
        }
    }
}

/// The client's credential is for the provider that it asked for, and for no other.
fn check_credential(
    target: Target<'_>,
    first: Option<ProviderId>,
    providers: &[Provider],
) -> Result<(), String> {
    let Some(provider) = providers.get(target.provider.index()) else { return Ok(()) };
    if provider.credential != Credential::Passthrough || first == Some(target.provider) {
        return Ok(());
    }
    let name = &provider.name;
    Err(format!(
        "goes to {name}, which has no credential of its own, and would get the client's for another \
         provider; set providers.{name}.api_key, or auth = \"none\""
    ))
}
