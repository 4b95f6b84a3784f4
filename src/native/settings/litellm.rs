//! `[litellm]`: LiteLLM's own file, read with each reading of the settings, and the database of LiteLLM's keys. What `gaud.toml`
//! says rules.

use std::fs;
use std::path::{Path, PathBuf};

use super::secrets::OwnSecret;
use super::{Env, Problem, Secrets};
use crate::config::{ConfigError, File, KeysMode, LitellmFile, Lookup, ProviderFile, Secret};
use crate::native::database::PostgresUrl;
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
    if file.litellm == Some(LitellmFile::default()) {
        let problem =
            "names nothing; write config = \"FILE\", or keys = \"os.environ/NAME\", or both";
        return Err(ConfigError::new("litellm", problem));
    }
    let Some(path) = file.litellm.as_mut().and_then(|own| own.config.take()).map(PathBuf::from)
    else {
        return Ok(Imported::default());
    };
    let error = |problem: String| ConfigError::new("litellm.config", problem);
    let text = fs::read_to_string(&path).map_err(|problem| {
        error(format!(
            "{} cannot be read: {}; name LiteLLM's file",
            path.display(),
            words(&problem)
        ))
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

/// Takes the database of LiteLLM's keys out of `file`; `lookup` reads variables.
pub(super) fn take_keys(
    file: &mut File,
    secrets: Secrets,
    lookup: Lookup<'_>,
) -> Result<OwnSecret<PostgresUrl>, ConfigError> {
    let source = file.litellm.take().and_then(|own| own.keys);
    let is_off = file.keys.as_ref().is_some_and(|keys| keys.mode() == Ok(Some(KeysMode::Off)));
    let is_wanted = file.keys.as_ref().is_some_and(|keys| keys.litellm == Some(true));
    if is_wanted && is_off {
        return Err(ConfigError::new("keys.litellm", OFF));
    }
    let Some(source) = source else { return Ok(OwnSecret::default()) };
    let at = |problem: String| ConfigError::new(LitellmFile::KEYS, problem);
    if is_off {
        return Err(at(OFF.to_owned()));
    }
    if !file.records() {
        return Err(at(NEEDS_METER.to_owned()));
    }
    let parse = |url: Secret| PostgresUrl::parse(url.expose());
    let database = OwnSecret::of(source, secrets, lookup).and_then(|own| own.parsed(parse));
    let database = database.map_err(at)?;
    let keys = file.keys.get_or_insert_default();
    keys.litellm = Some(true);
    keys.mode.get_or_insert_with(|| "optional".to_owned());
    Ok(database)
}

const OFF: &str =
    "needs client keys; write mode = \"optional\" or mode = \"required\" below [keys]";

const NEEDS_METER: &str =
    "limits and budgets of keys count what requests use; set usage.meter = \"all\"";

/// Adds the settings of an import where the file has none of the name.
fn add(file: &mut File, import: Import) -> Result<(), ConfigError> {
    let Import { file: mut other, report } = import;
    let kept = other.providers.shift_remove(LITELLM).unwrap_or_default();
    let stays = report.count(import::Verdict::Stays) > 0;
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    const YAML: &str = "include: [more.yaml]\nmodel_list:\n\
        - {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o, api_key: os.environ/SET}}\n\
        - {model_name: unset, litellm_params: {model: openai/gpt-4o, api_key: os.environ/UNSET}}\n\
        - {model_name: gemini, litellm_params: {model: gemini/flash}}\n\
        router_settings: {fallbacks: true, num_retries: 2}\n";
    const MORE: &str = "model_list:\n\
        - {model_name: own, litellm_params: {model: groq/llama, api_key: os.environ/SET}}\n\
        - {model_name: fast, litellm_params: {model: groq/llama, api_key: os.environ/SET}}\n";

    fn merged(toml: &str) -> (tempfile::TempDir, Result<(File, Imported), String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(&path, YAML).unwrap();
        fs::write(folder.path().join("more.yaml"), MORE).unwrap();
        let toml = toml.replace("CONFIG", path.to_str().unwrap());
        let mut file: File = toml::from_str(&toml).unwrap();
        let env = |name: &str| (name == "SET").then(|| OsString::from("sk"));
        let imported = merge(&mut file, &env).map_err(|error| error.to_string());
        (folder, imported.map(|imported| (file, imported)))
    }

    #[test]
    fn the_files_settings_rule_over_litellms() {
        let toml = "[litellm]\nconfig = \"CONFIG\"\n[providers.litellm]\nurl = \"http://l\"\n[providers.openai]\n\
                    url = \"http://o\"\n[aliases]\nfast = \"openai:mini\"\n[retries]\nmax = 0\n";
        let (folder, merged) = merged(toml);
        let (file, imported) = merged.unwrap();
        let providers: Vec<_> = file.providers.keys().map(String::as_str).collect();
        assert_eq!(providers, ["litellm", "openai", "openai-2", "groq"]);
        let aliases: Vec<_> =
            file.aliases.iter().map(|(name, to)| format!("{name} {to}")).collect();
        assert_eq!(aliases, ["fast openai:mini", "gpt-4o openai-2:gpt-4o", "own groq:llama"]);
        assert_eq!(file.retries.unwrap().max, Some(0));
        assert_eq!(file.default_provider.as_deref(), Some("litellm"));
        let litellm = &file.providers["litellm"];
        assert_eq!(
            (&*litellm.models, litellm.discover_models),
            (&["unset".to_owned(), "gemini".to_owned()][..], Some(false))
        );
        let names = imported.files.iter().map(|path| path.strip_prefix(folder.path()).unwrap());
        assert_eq!(names.collect::<Vec<_>>(), [Path::new("config.yaml"), Path::new("more.yaml")]);
        let [warning] = imported.warnings.as_slice() else { panic!("{:?}", imported.warnings) };
        let said = warning.to_string();
        assert!(said.ends_with("config.yaml:6: router_settings.fallbacks: refused: is `true`; write a list of tables, as in - gpt-4o: [gpt-4o-mini]"), "{said}");
    }

    #[test]
    fn what_stays_needs_litellm() {
        let (_folder, merged) = merged("[litellm]\nconfig = \"CONFIG\"\n");
        let said = "litellm.config: has models that stay with LiteLLM; add [providers.litellm] with its url, as in url = \
                    \"http://localhost:4000\"";
        assert_eq!(merged.err().as_deref(), Some(said));
        let mut file: File = toml::from_str("[litellm]\nconfig = \"/not/there.yaml\"\n").unwrap();
        let problem = merge(&mut file, &|_| None).err().unwrap().to_string();
        let said =
            "litellm.config: /not/there.yaml cannot be read: it is not there; name LiteLLM's file";
        assert_eq!(problem, said);
    }
}
