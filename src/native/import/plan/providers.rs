//! The providers of the deployments that go direct: one for each server and credential.

use super::super::deployment::{Direct, ProviderKey};
use super::super::parameters::ENVIRONMENT;
use super::super::router::Common;
use super::LITELLM;
use super::names::Pattern;
use crate::config::{Auth, File, ProviderFile, SecretSource};
use crate::gateway::Gateway;
use crate::request::model::ModelName;

/// The longest name that is made here.
const NAME_BYTES_MAX: usize = 48;

/// The providers so far.
pub(super) struct Providers {
    taken: Vec<String>,
    keys: Vec<ProviderKey>,
    pub(super) files: Vec<(String, ProviderFile)>,
}

impl Providers {
    pub(super) fn of(taken: &[String]) -> Self {
        let taken = taken.iter().cloned().chain([LITELLM.to_owned()]).collect();
        Self { taken, keys: Vec::new(), files: Vec::new() }
    }

    /// The name of a deployment's provider.
    pub(super) fn name(&mut self, own: &Direct) -> String {
        let place = self.place(&own.provider);
        self.files.get(place).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// A deployment for the report.
    pub(super) fn describe(&mut self, own: &Direct) -> String {
        let name = self.name(own);
        let mut text = format!("{name}: {} at {}", own.model, own.provider.server.url);
        if let [path] = own.provider.paths.as_slice() {
            text += &format!(", on {path} alone");
        }
        if let Some(SecretSource::Literal(_)) = &own.provider.key {
            text += ", with the key that is written out";
        }
        own.remarks.iter().for_each(|remark| text += &format!("; {remark}"));
        text
    }

    /// Adds a pattern, and the names that LiteLLM lists in its place.
    pub(super) fn add_pattern(&mut self, own: &Direct, pattern: &Pattern, listed: &[String]) {
        let place = self.place(&own.provider);
        let Some((name, file)) = self.files.get_mut(place) else { return };
        file.models.extend_from_slice(listed);
        match pattern {
            Pattern::Match(pattern) => file.patterns.push(pattern.clone()),
            Pattern::Namespace(namespace) => {
                let own = format!("{name}:");
                let namespaces = file.namespaces.get_or_insert_with(|| vec![own]);
                // Lists have the first name that leads to the model.
                namespaces.insert(namespaces.len() - 1, namespace.clone());
            }
        }
    }

    fn place(&mut self, key: &ProviderKey) -> usize {
        if let Some(place) = self.keys.iter().position(|own| own == key) {
            return place;
        }
        let name = self.free(&name(key));
        self.taken.push(name.clone());
        self.keys.push(key.clone());
        self.files.push((name, file(key)));
        self.keys.len() - 1
    }

    fn free(&self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !self.taken.contains(name)).unwrap_or_default()
    }
}

/// Why the gateway cannot have the provider of a deployment, or the model's name there.
pub(super) fn problem(own: &Direct, common: &Common<'_>) -> Option<String> {
    if let Err(problem) = ModelName::check(&own.model) {
        return Some(format!("its model {problem}"));
    }
    let mut provider = file(&own.provider);
    let mut value = "user:password".to_owned();
    match &provider.api_key {
        Some(SecretSource::Environment(name)) => value = common.variable(name).unwrap_or(value),
        Some(SecretSource::Literal(secret)) => secret.expose().clone_into(&mut value),
        Some(SecretSource::File(_)) | None => {}
    }
    provider.api_key = provider.api_key.map(|_| SecretSource::Environment(KEY.to_owned()));
    if let Some(name) = own.provider.server.url.strip_prefix(ENVIRONMENT) {
        let known = common.variable(name).filter(|url| !url.is_empty() && !url.contains('@'));
        provider.url = Some(known.unwrap_or_else(|| ELSEWHERE.to_owned()));
    }
    let mut alone = File::default();
    alone.providers.insert("provider".to_owned(), provider);
    let lookup = |name: &str| match name {
        KEY => Some(value.clone()),
        _ => Some(common.variable(name).unwrap_or_else(|| "value".to_owned())),
    };
    let error = Gateway::compile(&alone, &lookup).err()?;
    let field = error.path.strip_prefix("providers.provider.").unwrap_or(&error.path);
    // The message may name the variable that takes the key's place here.
    Some(format!("{field} {}", error.problem.replace(KEY, "its key")))
}

/// A variable of no environment.
const KEY: &str = "GAUD_KEY_OF_THE_DEPLOYMENT";

/// In the place of a URL that is not known here.
const ELSEWHERE: &str = "https://placeholder.invalid";

/// The prefix for its own server; else the server's host, or the variable that has its URL.
fn name(key: &ProviderKey) -> String {
    let url = &key.server.url;
    if key.server.is_usual {
        return key.prefix.to_owned();
    }
    let place = match url.strip_prefix(ENVIRONMENT) {
        Some(variable) => {
            let name = variable.to_ascii_lowercase();
            let ends = ["_api_base", "_base_url", "_url", "_base", "_endpoint"];
            let short = ends.iter().find_map(|end| name.strip_suffix(end)).map(str::to_owned);
            short.unwrap_or(name)
        }
        None => {
            let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            let host = host.split(['/', ':']).next().unwrap_or_default();
            match key.prefix {
                "azure" => format!("azure-{}", host.split('.').next().unwrap_or_default()),
                _ => host.to_owned(),
            }
        }
    };
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = place.chars().map(letter).take(NAME_BYTES_MAX).collect();
    match name.trim_matches('-') {
        "" => key.prefix.to_owned(),
        name => name.to_owned(),
    }
}

fn file(key: &ProviderKey) -> ProviderFile {
    // A URL in a variable brings its password along.
    let is_brought = key.auth == Auth::Basic && key.key.is_none();
    let auth = (key.auth != Auth::Bearer && !is_brought).then_some(key.auth);
    ProviderFile {
        url: Some(key.server.url.clone()),
        api_key: key.key.clone(),
        auth: auth.map(Into::into),
        headers: key.headers.iter().cloned().collect(),
        paths: key.paths.iter().map(|path| (*path).to_owned()).collect(),
        api_path: key.server.api_path.clone(),
        api_query: key.server.api_query.clone(),
        timeout_secs: Some(key.timeout_secs),
        ..ProviderFile::default()
    }
}
