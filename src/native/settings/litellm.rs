//! `[litellm] config`: LiteLLM's own file, read with each reading of the settings. What `gaud.toml` says rules.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Env, Problem};
use crate::config::{ConfigError, File, ProviderFile};
use crate::native::import::{self, Import, LITELLM, Options};
use crate::native::os_error::words;

/// What an import adds beside settings.
#[derive(Default)]
pub(super) struct Imported {
    /// LiteLLM's file, and those that it includes.
    pub(super) files: Vec<PathBuf>,
    /// What LiteLLM itself would refuse or ignore.
    pub(super) warnings: Vec<Problem>,
}

/// Adds what LiteLLM's file says.
pub(super) fn merge(file: &mut File, env: Env<'_>) -> Result<Imported, ConfigError> {
    let Some(path) = file.litellm.take().map(|own| PathBuf::from(own.config)) else {
        return Ok(Imported::default());
    };
    let error = |problem: String| ConfigError::new("litellm.config", problem);
    let text = fs::read_to_string(&path).map_err(|problem| {
        error(format!("{} cannot be read: {}; name LiteLLM's file", path.display(), words(&problem)))
    })?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let include = |name: &str| {
        fs::read_to_string(folder.join(name)).map_err(|problem| {
            format!("{} cannot be read: {}", folder.join(name).display(), words(&problem))
        })
    };
    let taken: Vec<String> = file.providers.keys().cloned().collect();
    let litellm = file.providers.get(LITELLM);
    let options = Options {
        env: &|name| env(name)?.into_string().ok(),
        include: &include,
        taken: &taken,
        litellm_url: None,
        litellm_follows: litellm.is_some_and(|own| own.api_key.is_some()),
        needs_keys: true,
    };
    let import = import::read(&path.display().to_string(), &text, &options).map_err(error)?;
    let names = import.report.files.iter().skip(1);
    let files = std::iter::once(path.clone()).chain(names.map(|name| folder.join(name))).collect();
    let warnings = import.report.refused().map(|line| Problem::whole(ConfigError::new("", line)));
    let imported = Imported { files, warnings: warnings.collect() };
    add(file, import)?;
    Ok(imported)
}

/// Adds the settings of an import where the file has none of the name.
fn add(file: &mut File, import: Import) -> Result<(), ConfigError> {
    let Import { file: mut other, report } = import;
    let kept = other.providers.shift_remove(LITELLM).unwrap_or_default();
    let stays = report.count(import::Verdict::Stays) > 0 && !kept.models.is_empty();
    match file.providers.get_mut(LITELLM) {
        Some(litellm) => keep(litellm, kept),
        None if stays => {
            let problem = "has models that stay with LiteLLM; add [providers.litellm] with its url, as in \
                           url = \"http://localhost:4000\"";
            return Err(ConfigError::new("litellm.config", problem));
        }
        None => other.default_provider = None,
    }
    let is_known = |file: &File, name: &String| {
        file.aliases.contains_key(name) || file.models.iter().any(|own| own.name == *name)
    };
    for (name, target) in other.aliases {
        if !is_known(file, &name) {
            file.aliases.insert(name, target);
        }
    }
    for model in other.models {
        if !is_known(file, &model.name) {
            file.models.push(model);
        }
    }
    for chain in other.fallbacks {
        if file.fallbacks.iter().all(|own| own.model != chain.model) {
            file.fallbacks.push(chain);
        }
    }
    for (model, price) in other.prices {
        file.prices.entry(model).or_insert(price);
    }
    file.providers.extend(other.providers);
    file.default_provider = file.default_provider.take().or(other.default_provider);
    file.retries = file.retries.take().or(other.retries);
    file.breaker = file.breaker.take().or(other.breaker);
    Ok(())
}

/// LiteLLM lists what it keeps; the rest is listed under the names of its file.
fn keep(litellm: &mut ProviderFile, kept: ProviderFile) {
    litellm.discover_models = litellm.discover_models.or(kept.discover_models);
    litellm.models.extend(kept.models);
    litellm.patterns.extend(kept.patterns);
}
