//! What a person may write, setting by setting: `gaud.toml`, or the filter's JSON.

use serde::{Deserialize, Serialize};

#[cfg(not(target_os = "wasi"))]
use super::alerts::AlertsFile;
use super::auth::Auth;
#[cfg(not(target_os = "wasi"))]
use super::auth::AuthFile;
use super::error::ConfigError;
use super::keys::KeysFile;
#[cfg(not(target_os = "wasi"))]
use super::limits::Estimate;
use super::limits::GatewayLimitsFile;
use super::models::ModelFile;
use super::ordered::{Ordered, unique};
use super::secret::SecretSource;
#[cfg(not(target_os = "wasi"))]
use super::telemetry::{AccessLogFile, TracingFile};
#[cfg(not(target_os = "wasi"))]
use super::usage::{PriceFile, UsageFile};

/// The whole file. An absent setting is `None`; its default is given where it is compiled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where clients connect: `host:port`. Default `127.0.0.1:8400`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Whether it is meant that every `api_key` is open to all who reach a `listen` beyond loopback. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_to_network: Option<bool>,
    /// What the gateway shows to clients that connect by TLS. Default: clients connect without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFile>,
    /// Readiness, listeners and metrics of Envoy. Default `127.0.0.1:9901`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_listen: Option<String>,
    /// Envoy's worker threads. Default: one per core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// The proxies in front of the gateway: addresses, or ranges as `10.0.0.0/8`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<Vec<String>>,
    /// The names by which a gateway on loopback may be called; `*` for any. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_hosts: Option<Vec<String>>,
    /// How long a stop waits for streams. Default 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_secs: Option<u64>,
    /// Envoy's memory above which bodies are no longer kept for another attempt. Default 1 GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// The provider for a model nothing claims, and for requests that name no model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_provider: Option<String>,
    /// By which names the lists of models show the models. Default: `short` with a `default_provider`, else `namespaced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_names: Option<String>,
    /// The most bytes of a body that may be held while its model is unknown. Default 32 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_limit_bytes: Option<u64>,
    /// How long the model may take to come once the body is held. Default 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_secs: Option<u64>,
    /// The most memory that the bodies of a worker hold whose models are unknown. Default 256 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_limit_bytes: Option<u64>,
    /// The most bytes of lists of models that a worker has under way. Default 32 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lists_limit_bytes: Option<u64>,
    /// The most bytes of bodies that a worker keeps for another attempt. Default 256 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_limit_bytes: Option<u64>,
    /// The share of these that one client may have. Default 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_share_percent: Option<u64>,
    /// What may come before `/v1/...`. Default `["", "/api/litellm"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_paths: Option<Vec<String>>,
    /// How often models are discovered. Default 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discover_interval_secs: Option<u64>,
    /// The time from one active check of a provider to the next. Default 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_interval_secs: Option<u64>,
    /// The providers, in the order in which their `match` patterns are tried.
    #[serde(default, deserialize_with = "unique")]
    pub providers: Ordered<ProviderFile>,
    /// Alternative names of models.
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "Ordered::is_empty")]
    pub aliases: Ordered<String>,
    /// Models that several deployments serve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelFile>,
    /// When a failing provider gets no requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerFile>,
    /// Which models follow when a model's provider does not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<FallbackFile>,
    /// When a request is sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetriesFile>,
    /// Which pages of browsers may call the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsFile>,
    /// Client keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysFile>,
    /// What all clients may ask for together, what becomes of what is over, and where rates are counted.
    #[cfg(not(target_os = "wasi"))]
    #[serde(
        default,
        deserialize_with = "super::limits::table_or_store",
        skip_serializing_if = "Option::is_none"
    )]
    pub limits: Option<GatewayLimitsFile>,
    /// The same in the filter, which reads such a table already.
    #[cfg(target_os = "wasi")]
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "Ordered::is_empty")]
    pub limits: Ordered<String>,
    /// The control server.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlFile>,
    /// The pages of the control server.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui: Option<UiFile>,
    /// Which requests are recorded, and what becomes of the records.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageFile>,
    /// The same in the filter, which reads such a table already.
    #[cfg(target_os = "wasi")]
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "Ordered::is_empty")]
    pub usage: Ordered<String>,
    /// Where the command tells that a budget is nearly used up.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<AlertsFile>,
    /// LiteLLM's own file, which is read as settings too.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub litellm: Option<LitellmFile>,
    /// The prices of models, in the place of the table's.
    #[cfg(not(target_os = "wasi"))]
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "Ordered::is_empty")]
    pub prices: Ordered<PriceFile>,
    /// Where spans of requests go.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<TracingFile>,
    /// Where the lines about requests go.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_log: Option<AccessLogFile>,
}

/// The files, in PEM, of a gateway that clients reach by TLS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFile {
    /// The gateway's certificate, with its chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// The private key of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The authorities of the certificates that clients must have. Default: clients need no certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<String>,
}

/// The control server.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlFile {
    /// The folder of its database. Default: `gaud` in the user's folder for state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The URL of a PostgreSQL. Default: SQLite in the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<SecretSource>,
    /// Where `gaud serve` listens. Default `127.0.0.1:8480`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Where the filter of an Envoy elsewhere finds `gaud serve`. Default: nowhere, and no key opens anything there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What the filter and `gaud serve` have in common, so that nobody else reads the hashes of keys. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
}

/// LiteLLM's own file.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LitellmFile {
    /// The file, as LiteLLM's `--config` names it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The URL of LiteLLM's PostgreSQL, whose keys open what goes direct. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<SecretSource>,
}

#[cfg(not(target_os = "wasi"))]
impl LitellmFile {
    /// The path of `keys`.
    pub const KEYS: &str = "litellm.keys";
}

/// The pages of the control server.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UiFile {
    /// Where the pages are. Default `/ui`; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Which pages of browsers may call the gateway.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorsFile {
    /// Origins as `https://app.example.com`; `*` for any.
    pub allow_origins: Vec<String>,
}

/// A chain: the models that follow a model's route.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FallbackFile {
    /// The model, as a client asks for it; `*` as in a shell.
    pub model: String,
    /// The models that follow, in their order.
    pub to: Vec<String>,
}

/// When a request is sent again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetriesFile {
    /// Further attempts on the same provider. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The base of the back-off between attempts. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<u32>,
    /// The longest `retry-after` that is waited for. Default 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_max_secs: Option<u32>,
    /// The failures after which a request is sent again. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<RetryOn>>,
}

/// What can make a request be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryOn {
    /// A status of 500 or above.
    #[serde(rename = "5xx")]
    ServerError,
    /// A 429: the provider limits its clients.
    #[serde(rename = "429")]
    RateLimited,
    /// The connection was refused, reset or closed before an answer.
    #[serde(rename = "connection")]
    Connection,
    /// No answer in time.
    #[serde(rename = "timeout")]
    Timeout,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderFile {
    /// `http://` or `https://`, with an optional base path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// In place of `url`: a cluster that Envoy has already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The provider's key, or `os.environ/NAME`. Absent: the client's credential passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretSource>,
    /// How the key is sent. Default `bearer`, or `passthrough` without a key.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthFile>,
    /// The same in the filter.
    #[cfg(target_os = "wasi")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Headers that go with the provider's credential. A value may be `os.environ/NAME`.
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "Ordered::is_empty")]
    pub headers: Ordered<String>,
    /// Headers of the client that pass although they carry or select an account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_headers: Vec<String>,
    /// What a model begins with to name this provider. Default: the provider's name and a colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// Bare model names this provider claims, `*` as in a shell.
    #[serde(rename = "match", default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// Models that are always listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The paths of the API that the provider has, as `/v1/messages`; `*` as in a shell. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// What takes the place of a client's `/v1`, where the URL does not say so; `{model}` is the model that is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_path: Option<String>,
    /// What is added to the query, as `api-version=2025-04-01-preview`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_query: Option<String>,
    /// Whether to ask the provider for its models. Default: for `litellm` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discover_models: Option<bool>,
    /// The longest wait for the response to begin. Default 120.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_secs: Option<u64>,
    /// The longest wait for a stream to begin. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_secs: Option<u64>,
    /// The longest wait between two pieces of a response. Default 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_secs: Option<u64>,
    /// How many requests a minute the provider gets. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    /// How many requests the provider gets at the same time. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel_requests: Option<u64>,
    /// What an active check asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_path: Option<String>,
    /// Certificate authorities for an https URL, PEM. Default: the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// How long a connection may wait for the next request. Default 4 for http, 30 for https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_connection_secs: Option<u64>,
    /// HTTP/2 without negotiation. Default: negotiated for https, HTTP/1.1 for http.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http2: Option<bool>,
    /// Whether the provider gets WebSockets on `/v1/responses` whose URL names no model, as the default provider. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websocket_responses: Option<bool>,
    /// Whether the gateway asks for the usage of streams that it meters. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_usage: Option<bool>,
    /// The context windows of models where the provider does not tell them. Only the command writes these, for the filter.
    #[cfg_attr(not(target_os = "wasi"), serde(skip_deserializing))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<String>,
    /// Replaces settings of the common `breaker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerFile>,
}

impl ProviderFile {
    /// How the credential is sent, where the file says so.
    pub(crate) fn way(&self) -> Option<Auth> {
        #[cfg(not(target_os = "wasi"))]
        return self.auth.as_ref().map(AuthFile::way);
        #[cfg(target_os = "wasi")]
        self.auth
    }

    /// Whether requests carry a secret of the gateway's, whose account everybody spends who may ask.
    #[cfg(not(target_os = "wasi"))]
    pub(crate) fn spends_a_secret(&self) -> bool {
        let is_secret =
            |value: &String| !matches!(SecretSource::parse(value), SecretSource::Literal(_));
        self.api_key.is_some()
            || self.way() == Some(Auth::Injected)
            || self.headers.iter().any(|(_, value)| is_secret(value))
    }

    /// The namespaces of the provider `name`, in the order of the file.
    pub(crate) fn namespaces_of(&self, name: &str) -> Vec<String> {
        self.namespaces.clone().unwrap_or_else(|| vec![format!("{name}:")])
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerFile {
    /// Whether there is a breaker at all. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Consecutive failures that open the breaker. Default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<u32>,
    /// How long the breaker stays open. Default 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_secs: Option<u64>,
    /// Successes that close a half-open breaker. Default 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successes: Option<u32>,
    /// Models of a provider that are open at once and open the provider. Default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<u32>,
    /// How long a probe keeps its place while its body is unfinished. Default 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_body_secs: Option<u64>,
}

impl File {
    /// Reads the filter's JSON.
    ///
    /// # Errors
    /// A syntax error, an unknown key or a value of the wrong type, with its path.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let file = Self::deserialize_from(&mut deserializer, ToString::to_string)?;
        deserializer.end().map_err(|error| ConfigError::new("", error.to_string()))?;
        Ok(file)
    }

    /// Deserializes, and names the path of what is wrong; `describe` turns an error of the format into words.
    ///
    /// # Errors
    /// An unknown key or a value of the wrong type.
    pub fn deserialize_from<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
        describe: impl Fn(&D::Error) -> String,
    ) -> Result<Self, ConfigError> {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = match error.path().to_string() {
                path if path == "." => String::new(),
                path => path,
            };
            ConfigError::new(path, describe(error.inner()))
        })
    }

    /// What all clients may ask for together.
    #[cfg(not(target_os = "wasi"))]
    pub fn gateway_limits(&self) -> GatewayLimitsFile {
        self.limits.clone().unwrap_or_default()
    }

    /// The same in the filter.
    #[cfg(target_os = "wasi")]
    pub fn gateway_limits(&self) -> GatewayLimitsFile {
        GatewayLimitsFile::of(&self.limits)
    }

    /// Whether every request is recorded.
    #[cfg(not(target_os = "wasi"))]
    pub fn records(&self) -> bool {
        self.usage.as_ref().is_some_and(|usage| usage.for_filter().is_some())
    }

    /// The same of what `UsageFile::of_filter` has left.
    #[cfg(target_os = "wasi")]
    pub fn records(&self) -> bool {
        self.usage
            .get("meter")
            .is_some_and(|meter| meter == "all" || meter == "stopped" || meter == "told")
    }

    /// Whether budgets reserve what answers usually have.
    #[cfg(not(target_os = "wasi"))]
    pub fn is_calibrated(&self) -> bool {
        let limits = self.limits.as_ref();
        limits.and_then(|limits| limits.estimate) == Some(Estimate::Calibrated)
    }

    /// Whether answers say what they have cost.
    #[cfg(not(target_os = "wasi"))]
    pub fn tells_cost(&self) -> bool {
        self.records() && self.usage.as_ref().is_some_and(|usage| usage.headers == Some(true))
    }

    /// The same in the filter.
    #[cfg(target_os = "wasi")]
    pub fn tells_cost(&self) -> bool {
        self.usage.get("meter").is_some_and(|meter| meter == "told")
    }

    /// Whether spans or the access log show what requests use.
    #[cfg(not(target_os = "wasi"))]
    pub fn shows(&self) -> bool {
        self.tracing.is_some() || self.access_log.is_some()
    }

    /// The same of what `UsageFile::of_filter` has left.
    #[cfg(target_os = "wasi")]
    pub fn shows(&self) -> bool {
        self.usage.get("show").is_some()
    }

    /// Whether nothing can be recorded now, so that what is metered is refused.
    #[cfg(not(target_os = "wasi"))]
    pub fn stops_metered(&self) -> bool {
        self.usage.as_ref().is_some_and(|usage| usage.meter == Some(super::Metered::Stopped))
    }

    /// The same in the filter.
    #[cfg(target_os = "wasi")]
    pub fn stops_metered(&self) -> bool {
        self.usage.get("meter").is_some_and(|meter| meter == "stopped")
    }

    /// Refuses the settings that only the command can carry out.
    pub(crate) fn refuse_what_belongs_to_envoy(&self) -> Result<(), ConfigError> {
        let present = [
            ("listen", self.listen.is_some()),
            ("open_to_network", self.open_to_network.is_some()),
            ("tls", self.tls.is_some()),
            ("admin_listen", self.admin_listen.is_some()),
            ("workers", self.workers.is_some()),
            ("trusted_proxies", self.trusted_proxies.is_some()),
            ("drain_secs", self.drain_secs.is_some()),
            ("memory_limit_bytes", self.memory_limit_bytes.is_some()),
            #[cfg(not(target_os = "wasi"))]
            ("control", self.control.is_some()),
            #[cfg(not(target_os = "wasi"))]
            ("alerts", self.alerts.is_some()),
            #[cfg(not(target_os = "wasi"))]
            ("tracing", self.tracing.is_some()),
            #[cfg(not(target_os = "wasi"))]
            ("access_log", self.access_log.is_some()),
            #[cfg(not(target_os = "wasi"))]
            ("litellm", self.litellm.is_some()),
            #[cfg(not(target_os = "wasi"))]
            ("ui", self.ui.is_some()),
            #[cfg(not(target_os = "wasi"))]
            ("prices", !self.prices.is_empty()),
        ];
        match present.iter().find(|(_, present)| *present) {
            Some((name, _)) => Err(ConfigError::new(
                *name,
                "belongs to Envoy's own configuration; take it out of the filter's",
            )),
            None => Ok(()),
        }
    }
}
