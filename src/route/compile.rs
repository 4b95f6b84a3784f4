//! Checks the routing rules of a file and puts them in the order in which they are tried.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::{Glob, ProviderId, RouteTable};
use crate::config::{ConfigError, File};
use crate::request::model::ModelName;

impl RouteTable {
    /// Compiles the namespaces, patterns and aliases of a file whose providers are checked.
    pub(crate) fn compile(
        file: &File,
        default_provider: Option<ProviderId>,
    ) -> Result<Self, ConfigError> {
        let namespaces = namespaces(file)?;
        let mut lengths = BTreeSet::new();
        lengths.extend(namespaces.keys().map(String::len));
        let namespace_lengths = lengths.into_iter().rev().collect();
        let (exact, globs) = patterns(file)?;
        let table = Self {
            aliases: aliases(file)?,
            groups: HashMap::new(),
            namespaces,
            namespace_lengths,
            exact,
            globs,
            default_provider,
        };
        Ok(table)
    }

    /// Every alias must name a model that a provider takes.
    pub(crate) fn check_aliases(&self, file: &File) -> Result<(), ConfigError> {
        for (alias, model) in file.aliases.iter() {
            if let Err(no_route) = self.decide_unaliased(model) {
                return Err(ConfigError::new(format!("aliases.{alias}"), no_route.to_string()));
            }
        }
        Ok(())
    }
}

fn namespaces(file: &File) -> Result<HashMap<String, ProviderId>, ConfigError> {
    let mut owners = HashMap::new();
    for (id, (name, provider)) in file.providers.iter().enumerate() {
        for (index, namespace) in provider.namespaces_of(name).into_iter().enumerate() {
            let at = || format!("providers.{name}.namespaces[{index}]");
            if namespace.is_empty() {
                let problem = "is empty and would claim every model; use default_provider for that";
                return Err(ConfigError::new(at(), problem));
            }
            if let Some(owner) = owners.insert(namespace.clone(), ProviderId::new(id)) {
                let owner = file.providers.get_index(owner.index()).map_or("", |(name, _)| name);
                let problem = format!("\"{namespace}\" belongs to the provider {owner} already");
                return Err(ConfigError::new(at(), problem));
            }
        }
    }
    Ok(owners)
}

type Patterns = (HashMap<String, ProviderId>, Vec<(Glob, ProviderId)>);

fn patterns(file: &File) -> Result<Patterns, ConfigError> {
    let mut exact: HashMap<String, ProviderId> = HashMap::new();
    let mut globs = Vec::new();
    for (id, (name, provider)) in file.providers.iter().enumerate() {
        for (index, pattern) in provider.patterns.iter().enumerate() {
            if pattern.is_empty() {
                let at = format!("providers.{name}.match[{index}]");
                return Err(ConfigError::new(
                    at,
                    "is empty; write a model's name, as in \"claude-*\"",
                ));
            }
            let id = ProviderId::new(id);
            // Of two equally specific patterns, the first in the file wins.
            if pattern.contains('*') {
                insert_by_length(&mut globs, (Glob { pattern: pattern.clone() }, id))
            } else {
                exact.entry_ref(pattern.as_str()).or_insert(id);
            }
        }
    }
    Ok((exact, globs))
}

/// Keeps the globs in the order of their literal prefixes, longest first.
pub(super) fn insert_by_length<T>(globs: &mut Vec<(Glob, T)>, new: (Glob, T)) {
    let length = new.0.literal_prefix().len();
    let place = globs.partition_point(|(glob, _)| glob.literal_prefix().len() >= length);
    globs.insert(place, new);
}

fn aliases(file: &File) -> Result<HashMap<String, String>, ConfigError> {
    let mut aliases = HashMap::new();
    for (alias, model) in file.aliases.iter() {
        let at = || format!("aliases.{alias}");
        for name in [alias, model] {
            if let Err(problem) = ModelName::try_from(name.to_owned()) {
                return Err(ConfigError::new(
                    at(),
                    format!("\"{}\" {problem}", name.escape_default()),
                ));
            }
        }
        if file.aliases.contains_key(model) {
            let problem = format!(
                "\"{model}\" is an alias too, and an alias is replaced once; \
                 write the model that the alias means"
            );
            return Err(ConfigError::new(at(), problem));
        }
        aliases.insert(alias.to_owned(), model.clone());
    }
    Ok(aliases)
}
