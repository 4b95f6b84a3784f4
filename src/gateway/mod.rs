//! What a configuration compiles to: the gateway, which cannot hold an impossible combination of settings.
//!
//! ```text
//! File ──> provider (url, cluster, credential, headers, models, discovery, breaker) ──┐
//!      └─> route: table, chains, retries ─────────────────────────────────────────────┴─> Gateway
//! ```
//!
//! Every rule between two settings is checked here.

mod account;
mod api_path;
mod below_litellm;
mod breaker;
mod cluster;
mod credential;
mod discovery;
mod headers;
mod keys;
mod limits;
pub mod litellm;
mod models;
mod plugin;
mod provider;
mod rooms;
mod sites;
mod turns;
mod url;

pub use account::Account;
pub use api_path::ApiPath;
pub use cluster::istio_host;
pub use credential::Credential;
pub use discovery::Discovery;
pub use keys::Keys;
pub use limits::GatewayLimits;
use plugin::PluginConfiguration;
pub use provider::{IDLE_MS, Provider, TIMEOUT_SECS};
pub use rooms::Rooms;
pub use sites::Sites;
pub use turns::Turn;
use turns::Turns;
pub use url::ProviderUrl;

use crate::config::{ConfigError, File, ListNames, Lookup, Strategy};
use crate::request::model::ModelName;
use crate::route::retry::Retries;
use crate::route::{ChainTarget, Chains, Draw, NoRoute, ProviderId, RouteTable, Target};

/// Reads and compiles the plugin configuration; `environment` reads the VM's environment, for the secrets that the
/// configuration does not bring.
///
/// # Errors
/// As [`from_filter_json`].
pub fn from_plugin_configuration(
    bytes: &[u8],
    environment: Lookup<'_>,
) -> Result<Gateway, ConfigError> {
    let configuration = PluginConfiguration::read(bytes);
    let lookup = |name: &str| configuration.secret(name).or_else(|| environment(name));
    from_filter_json(configuration.json, &lookup)
}

/// Parses and compiles the filter's JSON; `lookup` gives the secrets that the JSON names.
///
/// # Errors
/// The first thing that is wrong, with its path. A literal secret is refused: the plugin
/// configuration is shown by Envoy's config dump.
pub fn from_filter_json(json: &[u8], lookup: Lookup<'_>) -> Result<Gateway, ConfigError> {
    let file = File::from_json(json)?;
    file.refuse_what_belongs_to_envoy()?;
    let gateway = Gateway::compile(&file, lookup)?;
    gateway.keys.as_ref().map_or(Ok(()), Keys::check_feed)?;
    Ok(Gateway { fingerprint: fingerprint(json), ..gateway })
}

/// A number by which two configurations of the filter are told apart (FNV-1a, 64 bits). White space does not count: YAML
/// indents the JSON.
pub fn fingerprint(json: &[u8]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = json.iter().filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// Default of `body_limit_bytes`.
const BODY_LIMIT_BYTES: u64 = 32 * 1024 * 1024;

/// The most that `body_limit_bytes` may be: twice as much must fit into the memory of the VM.
const BODY_LIMIT_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// A compiled configuration.
#[derive(Debug, PartialEq)]
pub struct Gateway {
    providers: Vec<Provider>,
    /// Which model goes where.
    pub routes: RouteTable,
    /// The targets that follow when the first provider does not answer.
    pub chains: Chains,
    /// When a request is sent again.
    pub retries: Retries,
    /// The provider of a request that names no model.
    pub default_provider: Option<ProviderId>,
    /// The provider of a request below [`litellm::BASE_PATH`] that no other rule gives a provider.
    pub litellm: Option<ProviderId>,
    /// By which names the lists show the models of providers.
    pub list_names: ListNames,
    /// The most bytes of a body that may be held while its model is unknown.
    pub body_limit_bytes: u64,
    /// What the requests of a worker may have together.
    pub rooms: Rooms,
    /// What may come before `/v1/...`, longest first.
    pub base_paths: Vec<String>,
    /// The aliases of models, in the order of the file.
    pub aliases: Vec<String>,
    /// The groups of deployments, in the order of the file.
    pub groups: Vec<String>,
    /// Whether a group looks at how its deployments do.
    pub counts_loads: bool,
    /// Whether a provider has some paths of the API alone.
    has_paths: bool,
    /// Which sites may call the gateway; `None` for all.
    pub sites: Option<Sites>,
    /// How client keys are checked; `None` where no key opens anything.
    pub keys: Option<Keys>,
    /// What all clients may ask for together.
    pub limits: GatewayLimits,
    /// Whether the usage of every request is read: it is recorded, or shown.
    pub meters: bool,
    /// Whether the usage of every request is recorded.
    pub records: bool,
    /// Whether spans or the access log show what requests use.
    pub shows: bool,
    /// Whether answers in JSON say what they have cost.
    pub tells_cost: bool,
    /// Whether nothing can be recorded now, so that what is metered is refused.
    pub stops_metered: bool,
    /// The [`fingerprint`] of the filter's JSON; 0 for a gateway that was not made from JSON.
    pub fingerprint: u64,
}

impl Gateway {
    /// Checks and compiles a file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its path and the remedy.
    pub fn compile(file: &File, lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        if file.providers.is_empty() {
            let problem = "are missing; add one, as in [providers.litellm] with \
                           url = \"http://localhost:4000\"";
            return Err(ConfigError::new("providers", problem));
        }
        let providers = file
            .providers
            .iter()
            .map(|(name, provider)| Provider::compile(name, provider, file, lookup))
            .collect::<Result<Vec<_>, _>>()?;
        let default_provider = default_provider(file, &providers)?;
        let mut routes = RouteTable::compile(file, default_provider)?;
        let check = |target: Target<'_>, first: Option<ProviderId>| {
            check_credential(&providers, target, first)
        };
        routes.add_groups(file, &check)?;
        routes.check_aliases(file)?;
        let counts_loads = routes.groups().any(|(_, group)| group.strategy != Strategy::Weighted);
        let body_limit_bytes = body_limit_bytes(file)?;
        let base_paths = base_paths(file)?;
        Ok(Self {
            chains: Chains::compile(file, &routes, &check)?,
            retries: Retries::compile(file.retries.as_ref())?,
            default_provider,
            litellm: below_litellm::provider(&base_paths, &providers),
            list_names: ListNames::of(file)?,
            body_limit_bytes,
            rooms: Rooms::compile(file, body_limit_bytes)?,
            base_paths,
            sites: Sites::compile(file)?,
            keys: Keys::compile(file.keys.as_ref(), lookup)?,
            limits: GatewayLimits::compile(&file.gateway_limits())?,
            meters: file.records() || file.shows(),
            records: file.records(),
            shows: file.shows(),
            tells_cost: file.tells_cost(),
            stops_metered: file.stops_metered(),
            fingerprint: 0,
            aliases: file.aliases.keys().cloned().collect(),
            groups: file.models.iter().map(|model| model.name.clone()).collect(),
            counts_loads,
            routes,
            has_paths: providers.iter().any(|provider| !provider.paths.is_empty()),
            providers,
        })
    }

    /// The same with a list of context windows for each provider.
    #[cfg(not(target_os = "wasi"))]
    #[must_use]
    pub fn with_windows(mut self, lists: Vec<Option<String>>) -> Self {
        for (provider, list) in self.providers.iter_mut().zip(lists) {
            provider.windows = list;
        }
        self
    }

    /// The targets of `model` in their order: its route, then its chain.
    ///
    /// # Errors
    /// [`NoRoute`] when no provider takes the model.
    pub fn targets<'a>(
        &'a self,
        model: &'a ModelName,
        path: &str,
        draw: &Draw<'_>,
    ) -> Result<Vec<ChainTarget>, NoRoute<'a>> {
        let mut targets: Vec<ChainTarget> = Vec::new();
        for turn in self.targets_in_turn(model, path, draw)? {
            let has_sibling = turn.has_sibling;
            targets.push(ChainTarget { has_sibling, ..turn.target.into() });
        }
        Ok(targets)
    }

    /// The same as an iterator: most models have one target, and a request that needs one need not copy it.
    ///
    /// # Errors
    /// [`NoRoute`] when no provider takes the model.
    pub fn targets_in_turn<'a>(
        &'a self,
        model: &'a ModelName,
        path: &str,
        draw: &Draw<'_>,
    ) -> Result<impl Iterator<Item = Turn<'a>>, NoRoute<'a>> {
        if self.has_paths || !self.groups.is_empty() {
            return Ok(Turns::Drawn(self.drawn(model, path, draw)?.into_iter()));
        }
        let chain = self.chains.of(model.as_str());
        let routed = match self.routes.decide(model) {
            Ok(decision) => Some(decision.target),
            Err(_) if !chain.is_empty() => None,
            Err(none) => return Err(none),
        };
        Ok(Turns::Plain { routed, first: routed, chain: chain.iter() })
    }

    /// Whether any request may take several attempts, or is watched for deadlines.
    pub fn has_hop(&self) -> bool {
        !self.chains.is_empty()
            || self.routes.groups().any(|(_, group)| group.deployments().len() > 1)
            || self.retries.for_all
            || self.providers.iter().any(Provider::has_deadlines)
    }

    /// All providers, in the order of the file.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The id of a provider by its name.
    pub fn id_of(&self, name: &str) -> Option<ProviderId> {
        self.providers.iter().position(|own| own.name == name).map(ProviderId::new)
    }

    /// The ids of all providers, in the order of the file.
    pub fn ids(&self) -> impl Iterator<Item = ProviderId> + use<> {
        (0..self.providers.len()).map(ProviderId::new)
    }

    /// One provider; `None` only for an id of another gateway.
    pub fn provider(&self, id: ProviderId) -> Option<&Provider> {
        self.providers.get(id.index())
    }
}

fn default_provider(
    file: &File,
    providers: &[Provider],
) -> Result<Option<ProviderId>, ConfigError> {
    let Some(name) = &file.default_provider else { return Ok(None) };
    match providers.iter().position(|provider| provider.name == *name) {
        Some(index) => Ok(Some(ProviderId::new(index))),
        None => {
            let known: Vec<_> = providers.iter().map(|provider| provider.name.as_str()).collect();
            let problem = format!(
                "\"{}\" is not a provider; the providers are: {}",
                name.escape_default(),
                known.join(", ")
            );
            Err(ConfigError::new("default_provider", problem))
        }
    }
}

fn body_limit_bytes(file: &File) -> Result<u64, ConfigError> {
    let limit = file.body_limit_bytes.unwrap_or(BODY_LIMIT_BYTES);
    ConfigError::unless_within("body_limit_bytes", limit, 1024, BODY_LIMIT_BYTES_MAX)
}

fn base_paths(file: &File) -> Result<Vec<String>, ConfigError> {
    let default = || vec![String::new(), litellm::BASE_PATH.to_owned()];
    let mut longest_first: Vec<String> = Vec::new();
    for (index, path) in file.base_paths.clone().unwrap_or_else(default).into_iter().enumerate() {
        let good = path.is_empty() || (path.starts_with('/') && !path.ends_with('/'));
        if !good || path.contains(['?', '#', ' ']) {
            let problem =
                "must be \"\" or begin with '/' and not end with one, as in \"/api/litellm\"";
            return Err(ConfigError::new(format!("base_paths[{index}]"), problem));
        }
        let place = longest_first.partition_point(|other| other.len() >= path.len());
        longest_first.insert(place, path);
    }
    Ok(longest_first)
}

/// A client's credential is meant for the provider that the client asks for: no other provider may get it.
fn check_credential(
    providers: &[Provider],
    target: Target<'_>,
    first: Option<ProviderId>,
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
