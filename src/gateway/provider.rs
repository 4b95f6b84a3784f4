//! One provider, compiled.

use super::api_path::ApiPath;
use super::cluster;
use super::credential::Credential;
use super::discovery::Discovery;
use super::headers;
use super::limits;
use super::litellm;
use super::models;
use super::url::ProviderUrl;
use crate::breaker;
use crate::config::{Auth, ConfigError, File, Lookup, ProviderFile, Secret};
use crate::limits::Limits;
use crate::route::Glob;

/// The longest wait for a response to begin, unless a provider says otherwise.
pub const TIMEOUT_SECS: u64 = 120;

/// The longest wait between two pieces of a response, unless a provider says otherwise.
pub const IDLE_MS: u64 = 300_000;

/// The time from one active check of a provider to the next, unless the file says otherwise.
const HEALTH_INTERVAL_SECS: u64 = 15;

/// The longest provider name: headers, metrics and environment variables have the name in them.
const NAME_BYTES_MAX: usize = 64;

/// An LLM server as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The name in the configuration.
    pub name: String,
    /// Envoy's cluster: `cluster` where the file sets one, else the provider's name.
    pub cluster: String,
    /// `None` for a cluster that Envoy has already.
    pub url: Option<ProviderUrl>,
    /// How requests to the provider are authenticated.
    pub credential: Credential,
    /// Headers that go with the credential.
    pub headers: Vec<(String, Secret)>,
    /// The client's headers that pass although they carry or select an account.
    pub pass_headers: Vec<String>,
    /// The longest wait for the response to begin, where the file says one.
    pub timeout_ms: Option<u64>,
    /// The longest wait for a stream to begin.
    pub first_token_ms: Option<u64>,
    /// The longest wait between two pieces of a response.
    pub idle_ms: u64,
    /// The paths of the API that the provider has; empty for all.
    pub paths: Vec<Glob>,
    /// Where the API is, where the URL alone does not say so.
    pub api: Option<ApiPath>,
    /// How many requests the provider gets; `None` for all.
    pub limits: Option<Limits>,
    /// Certificate authorities for https.
    pub ca_file: Option<String>,
    /// HTTP/2 without negotiation.
    pub http2: bool,
    /// `None` when the provider has no breaker.
    pub breaker: Option<breaker::Settings>,
    /// The key of the breaker in shared data. The key has the URL in it: another URL is another breaker.
    pub breaker_key: String,
    /// The path of active checks; `None` for no checks.
    pub health_path: Option<String>,
    /// The time from one active check to the next.
    pub health_interval_ms: u64,
    /// The key of the health in shared data.
    pub health_key: String,
    /// `None` when the models are not discovered.
    pub discovery: Option<Discovery>,
    /// The prefixes of a model's name that choose this provider, in the order of the file.
    pub namespaces: Vec<String>,
    /// The models that the configuration lists, by the names that the provider is sent.
    pub models: Vec<String>,
    /// The context windows of models where the provider does not tell them.
    pub windows: Option<String>,
    /// Whether the gateway asks for the usage of streams that it meters.
    pub includes_usage: bool,
    /// Whether the default provider gets WebSockets whose first message names the model.
    pub takes_websockets: bool,
}

impl Provider {
    /// Whether the provider has deadlines that Envoy's router does not know.
    pub fn has_deadlines(&self) -> bool {
        self.first_token_ms.is_some() || self.idle_ms != IDLE_MS
    }

    /// Envoy's cluster for a request: of a provider whose credential Envoy adds, what is not of the API goes without it.
    pub fn cluster_for(&self, is_api: bool) -> &str {
        match &self.credential {
            Credential::Injected { open_cluster } if !is_api => open_cluster,
            _ => &self.cluster,
        }
    }

    /// The `host` header and the provider's path for a path of the gateway.
    pub fn place_of(&self, path: &str) -> (String, String) {
        match &self.url {
            Some(url) => (url.authority(), url.path(path)),
            None => (cluster::host_of(&self.cluster, &self.name).to_owned(), path.to_owned()),
        }
    }

    /// Compiles `providers.{name}`.
    pub(super) fn compile(
        name: &str,
        file: &ProviderFile,
        common: &File,
        lookup: Lookup<'_>,
    ) -> Result<Self, ConfigError> {
        check_name(name)?;
        let at = |field: &str| format!("providers.{name}.{field}");
        let (url, cluster) = place(name, file)?;
        let https = url.as_ref().is_some_and(|url: &ProviderUrl| url.https);
        if file.ca_file.is_some() && !https {
            return Err(ConfigError::new(at("ca_file"), "needs an https:// url"));
        }
        if file.http2.is_some() && url.is_none() {
            return Err(ConfigError::new(
                at("http2"),
                "belongs to the cluster that Envoy has already",
            ));
        }
        let ms = |field: &str, secs| milliseconds(&at(field), secs);
        let timeout_ms = ms("timeout_secs", file.timeout_secs)?;
        let credential = credential(name, file, lookup)
            .map_err(|(field, problem)| ConfigError::new(at(field), problem))?;
        let place = file.url.as_deref().unwrap_or(cluster);
        Ok(Self {
            name: name.to_owned(),
            cluster: cluster::check(cluster)
                .map_err(|problem| ConfigError::new(at("cluster"), problem))?,
            headers: headers::compile(&at("headers"), &file.headers, &credential, lookup)?,
            pass_headers: headers::compile_passing(
                &at("pass_headers"),
                &file.pass_headers,
                &credential,
            )?,
            credential,
            timeout_ms,
            limits: limits::of_provider(name, file)?,
            first_token_ms: ms("first_token_secs", file.first_token_secs)?,
            idle_ms: ms("idle_secs", file.idle_secs)?.unwrap_or(IDLE_MS),
            ca_file: file.ca_file.clone(),
            http2: file.http2.unwrap_or(false),
            breaker: super::breaker::compile(
                &at("breaker"),
                file.breaker.as_ref(),
                common.breaker.as_ref(),
                timeout_ms.unwrap_or(TIMEOUT_SECS.saturating_mul(1000)),
            )?,
            breaker_key: format!("gaud/breaker/{name}/{place}"),
            health_path: health_path(name, file)
                .map_err(|problem| ConfigError::new(at("health_path"), problem))?,
            health_interval_ms: health_interval_ms(common)?,
            health_key: format!("gaud/health/{name}/{place}"),
            discovery: Discovery::compile(name, place, file, common)?,
            namespaces: file.namespaces_of(name),
            models: models::compile(name, file)?,
            windows: file.windows.clone(),
            paths: paths(&at("paths"), &file.paths)?,
            api: ApiPath::compile(&at, file, url.as_ref())?,
            includes_usage: file.include_usage.unwrap_or(true),
            takes_websockets: file.websocket_responses.unwrap_or(false),
            url,
        })
    }
}

/// A provider's URL, where it has one, and its cluster in Envoy.
fn place<'a>(
    name: &'a str,
    file: &'a ProviderFile,
) -> Result<(Option<ProviderUrl>, &'a str), ConfigError> {
    let at = |field: &str| format!("providers.{name}.{field}");
    match (&file.url, &file.cluster) {
        (Some(url), None) => {
            let url =
                url.parse().map_err(|problem: String| ConfigError::new(at("url"), problem))?;
            Ok((Some(url), name))
        }
        (None, Some(cluster)) => Ok((None, cluster.as_str())),
        (Some(_), Some(_)) => {
            let problem = "cannot be set together with url; keep one of the two: url for a server that gaud \
                           is to reach itself, cluster for one that Envoy knows already";
            Err(ConfigError::new(at("cluster"), problem))
        }
        (None, None) => {
            let problem = "needs a url, as in url = \"https://api.openai.com/v1\"";
            Err(ConfigError::new(format!("providers.{name}"), problem))
        }
    }
}

/// The paths that the provider has: those of the API with the version, and Bedrock's.
fn paths(at: &str, paths: &[String]) -> Result<Vec<Glob>, ConfigError> {
    let begins = |path: &String| ["/v1", "/model/"].iter().any(|start| path.starts_with(start));
    let wrong = |path: &String| !begins(path) || path.contains(['?', '#', ' ']);
    match paths.iter().position(wrong) {
        Some(index) => {
            let problem = "must begin with \"/v1\" or \"/model/\", as in \"/v1/chat/completions\"";
            Err(ConfigError::new(format!("{at}[{index}]"), problem))
        }
        None => Ok(paths.iter().cloned().map(Glob::new).collect()),
    }
}

/// LiteLLM is checked unless the file says otherwise, with a path that calls no model.
fn health_path(name: &str, file: &ProviderFile) -> Result<Option<String>, &'static str> {
    match file.health_path.as_deref() {
        None if name == litellm::NAME => Ok(Some(litellm::HEALTH_PATH.to_owned())),
        None | Some("") => Ok(None),
        Some(path) if name == litellm::NAME && litellm::COSTLY_HEALTH_PATHS.contains(&path) => {
            Err("makes LiteLLM call every model each time; write \"/health/liveliness\"")
        }
        Some(path) if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(path.to_owned()))
        }
        Some(_) => Err("must begin with '/', as in \"/health/liveliness\""),
    }
}

/// The time from one active check to the next, the same for all providers.
fn health_interval_ms(common: &File) -> Result<u64, ConfigError> {
    let secs = common.health_interval_secs.unwrap_or(HEALTH_INTERVAL_SECS);
    let secs = ConfigError::unless_within("health_interval_secs", secs, 1, 3600)?;
    Ok(secs.saturating_mul(1000))
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let good = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(allowed);
    if good {
        Ok(())
    } else {
        Err(ConfigError::new(
            format!("providers.{}", name.escape_default()),
            format!("a provider's name is 1 to {NAME_BYTES_MAX} letters, digits, '-' and '_'"),
        ))
    }
}

fn milliseconds(path: &str, secs: Option<u64>) -> Result<Option<u64>, ConfigError> {
    let Some(secs) = secs else { return Ok(None) };
    let secs = ConfigError::unless_within(path, secs, 1, 86_400)?;
    Ok(Some(secs.saturating_mul(1000)))
}

fn credential(
    name: &str,
    file: &ProviderFile,
    lookup: Lookup<'_>,
) -> Result<Credential, (&'static str, String)> {
    let auth = match (file.way(), &file.api_key) {
        (None, None) => Auth::Passthrough,
        (None, Some(_)) => Auth::Bearer,
        (Some(auth), _) => auth,
    };
    match (auth, &file.api_key) {
        (Auth::Passthrough, None) => Ok(Credential::Passthrough),
        (Auth::None, None) => Ok(Credential::None),
        (Auth::Injected, None) if file.url.is_none() => Err((
            "auth",
            "needs a url: the credential is added in the cluster that gaud renders".to_owned(),
        )),
        (Auth::Injected, None) => Ok(Credential::injected(name)),
        (Auth::Passthrough | Auth::None | Auth::Injected, Some(_)) => {
            Err(("api_key", "is never sent with this auth; take one of the two out".to_owned()))
        }
        (_, None) => {
            let problem =
                "needs api_key = \"os.environ/NAME\"; name the variable that holds the key";
            Err(("auth", problem.to_owned()))
        }
        (_, Some(source)) => {
            let key = source.resolve(lookup).map_err(|problem| ("api_key", problem))?;
            if auth == Auth::Basic && !key.expose().contains(':') {
                return Err(("api_key", "must be user:password for auth = \"basic\"".to_owned()));
            }
            Ok(Credential::new(auth, &key))
        }
    }
}
