//! Which provider a model goes to, and by what name.
//!
//! 1. An alias is replaced by its model, once.
//! 2. The name of a group is the group: one of its deployments gets the request.
//! 3. Else the longest namespace that begins the model wins, and is stripped.
//! 4. Else the most specific `match`: exact, then the longest literal prefix, then the file's order.
//! 5. Else the default provider. A colon that names no provider is part of the name.
//! 6. Else no provider has the model.

mod chain;
mod compile;
mod glob;
pub mod group;
pub mod load;
pub mod retry;
mod target;

use std::fmt;

use hashbrown::HashMap;

use crate::config::{ConfigError, File};
use crate::request::model::ModelName;

pub(crate) use chain::CheckTarget;
pub use chain::{Chains, Link};
pub use glob::Glob;
pub use group::{Deployment, Draw, Group, Load, NEEDS_METER, Rates};
pub use load::{Loads, UnderWay};
pub use target::{ChainTarget, ProviderId, Target};

/// The compiled rules.
#[derive(Debug, PartialEq)]
pub struct RouteTable {
    aliases: HashMap<String, String>,
    groups: HashMap<String, Group>,
    namespaces: HashMap<String, ProviderId>,
    /// The lengths of the namespaces, longest first.
    namespace_lengths: Vec<usize>,
    exact: HashMap<String, ProviderId>,
    /// Most specific first.
    globs: Vec<(Glob, ProviderId)>,
    default_provider: Option<ProviderId>,
}

/// Where a model goes, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The provider, and the model's name there.
    pub target: Target<'a>,
    /// The alias that was replaced first, if one was.
    pub alias: Option<&'a str>,
    /// The rule that chose the provider.
    pub rule: Rule<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule<'a> {
    /// The model is a group; the target is its first deployment.
    Group(&'a str),
    /// The model begins with this namespace.
    Namespace(&'a str),
    /// A `match` pattern of the provider matches the model.
    Match(&'a str),
    /// Nothing claims the model.
    Default,
}

/// Why no provider gets a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoute<'a> {
    /// The model is a namespace, without a model's name after the namespace.
    MissingModel(&'a str),
    /// No provider claims this model, and the gateway has no default provider.
    NotFound(&'a str),
}

impl RouteTable {
    /// Decides where `model` goes.
    ///
    /// # Errors
    /// [`NoRoute`] when no provider gets the model.
    pub fn decide<'a>(&'a self, model: &'a ModelName) -> Result<Decision<'a>, NoRoute<'a>> {
        self.decide_str(model.as_str())
    }

    /// The same, for a text that is known to be a model's name.
    pub(crate) fn decide_str<'a>(&'a self, model: &'a str) -> Result<Decision<'a>, NoRoute<'a>> {
        match self.aliases.get_key_value(model) {
            Some((alias, model)) => {
                Ok(Decision { alias: Some(alias), ..self.decide_unaliased(model)? })
            }
            None => self.decide_unaliased(model),
        }
    }

    fn decide_unaliased<'a>(&'a self, model: &'a str) -> Result<Decision<'a>, NoRoute<'a>> {
        let decision = |provider, model, rule| Decision {
            target: Target { provider, model },
            alias: None,
            rule,
        };
        if let Some((name, group)) = self.groups.get_key_value(model)
            && let Some(first) = group.deployments().first()
        {
            let Target { provider, model } = first.target.as_target();
            return Ok(decision(provider, model, Rule::Group(name)));
        }
        if let Some((namespace, rest, provider)) = self.namespace(model) {
            return match rest {
                "" => Err(NoRoute::MissingModel(namespace)),
                _ => Ok(decision(provider, rest, Rule::Namespace(namespace))),
            };
        }
        if let Some((pattern, provider)) = self.exact.get_key_value(model) {
            return Ok(decision(*provider, model, Rule::Match(pattern)));
        }
        if let Some((glob, provider)) = self.globs.iter().find(|(glob, _)| glob.matches(model)) {
            return Ok(decision(*provider, model, Rule::Match(&glob.pattern)));
        }
        match self.default_provider {
            Some(provider) => Ok(decision(provider, model, Rule::Default)),
            None => Err(NoRoute::NotFound(model)),
        }
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The requests and the tokens for a minute of a target, where groups say them.
    #[inline(never)]
    pub fn rates(&self, target: Target<'_>) -> Rates {
        let deployments = self.groups.values().flat_map(|group| group.deployments());
        let own = deployments.filter(|own| own.target.as_target() == target);
        own.fold(Rates::default(), |rates, own| Rates {
            rpm: rates.rpm.or(own.rates.rpm),
            tpm: rates.tpm.or(own.rates.tpm),
        })
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.groups.iter()
    }

    /// Adds the groups of a file.
    pub(crate) fn add_groups(
        &mut self,
        file: &File,
        check: CheckTarget<'_>,
    ) -> Result<(), ConfigError> {
        self.groups = group::compile(file, self, check)?;
        Ok(())
    }

    /// The longest namespace that begins `model`, and the rest of `model`.
    fn namespace<'a>(&'a self, model: &'a str) -> Option<(&'a str, &'a str, ProviderId)> {
        self.namespace_lengths.iter().find_map(|length| {
            let (start, rest) = model.split_at_checked(*length)?;
            let (namespace, provider) = self.namespaces.get_key_value(start)?;
            Some((namespace.as_str(), rest, *provider))
        })
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(alias) = self.alias {
            write!(f, "alias \"{alias}\", then ")?;
        }
        match self.rule {
            Rule::Group(name) => write!(f, "models \"{name}\""),
            Rule::Namespace(namespace) => write!(f, "namespace \"{namespace}\""),
            Rule::Match(pattern) => write!(f, "match \"{pattern}\""),
            Rule::Default => f.write_str("default_provider"),
        }
    }
}

impl fmt::Display for NoRoute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingModel(namespace) => {
                write!(f, "\"{namespace}\" names no model after its namespace")
            }
            Self::NotFound(model) => {
                write!(f, "no provider takes \"{model}\"; begin it with a provider's namespace")
            }
        }
    }
}

#[cfg(test)]
mod tests;
