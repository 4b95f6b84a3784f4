//! The values for the gaps of the templates, the same for all forms.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::config::{Auth, File, Ordered, ProviderFile, Secret, SecretSource, UsageFile};
use crate::gateway::{Gateway, IDLE_MS, Provider, TIMEOUT_SECS};
use crate::host::metrics;
use crate::names::capabilities::{
    CAPABILITIES, ENDS_CAPABILITIES, HEARING_CAPABILITIES, READING_CAPABILITIES,
};
use crate::names::clusters::{CONTROL, SHARED_LIMITS, TRACING};
use crate::names::keys::FEED_TOKEN;
use serde::Serialize;

use super::cluster::{self, Cluster, to_url};
use super::credential::{Injections, SecretPlace, StaticSecret, issuers, secret_file};
use super::edge::{Control, Range, ServerTls, Socket};
use super::form::Form;
use super::istio::{MeshTarget, Remote};
use super::live::watched::Live;
use super::local_reply::{self, LocalReply};
use super::names::Names;
use super::shared_limits::Asking;
use super::telemetry::{Lines, Spans};
use super::{AccessTokens, ControlLink};
use crate::native::envoy::{EnvoyVersion, Feature};
use crate::native::settings::{
    Env, Issuer, Loaded, Secrets, SharedLimits, Token, TokenSource, Tracing,
};

/// More than any provider is known to send; Envoy's own limits are 100 headers and 60 KiB.
const HEADERS_MAX: u32 = 256;
const HEADERS_KB_MAX: u32 = 160;

/// What every template is given.
#[derive(Serialize)]
pub(super) struct Context {
    names: Names,
    envoy_version: String,
    /// Whether each VM has capabilities of its own; else the filters have.
    capabilities_of_vm: bool,
    /// The name of the configuration's file, where there is one.
    source: Option<String>,
    /// The variables that the filter reads.
    environment: Vec<String>,
    /// Those of them whose secret the configuration itself holds, and what it is.
    written_out: BTreeMap<String, String>,
    listen: Socket,
    /// What a gateway shows that clients reach by TLS; none without TLS.
    tls: Option<ServerTls>,
    admin_listen: Socket,
    /// Where the admin interface is, where it is not on `admin_listen`.
    admin_socket: Option<String>,
    /// The sockets of the control server, where there is one.
    control_sockets: Option<Control>,
    /// The path of the control server's pages, where there are any.
    ui_path: Option<String>,
    /// Whether Envoy can open a part of the admin interface alone.
    admin_paths: bool,
    trusted_proxies: Vec<Range>,
    /// The origins of pages that may call; none without `[cors]`.
    cors: Vec<String>,
    /// The most headers, and the most of them in KiB, that a request or an answer may have.
    headers_max: u32,
    headers_kb_max: u32,
    memory_limit_bytes: u64,
    /// Envoy's worker threads; none for one per core.
    workers: Option<u32>,
    /// The settings of the file that the user's own Envoy must have instead.
    unused: Vec<&'static str>,
    body_limit_bytes: u64,
    /// As Envoy counts a body that it keeps.
    kept_body_bytes: u64,
    default_timeout_secs: u64,
    idle_secs: u64,
    local_replies: Vec<LocalReply>,
    /// Where Envoy will find the filter.
    wasm: String,
    capabilities: Capabilities,
    /// Whether Envoy notes the ends of requests that the clients' filter must look at. Else the filter hears of every response.
    notes_ends: bool,
    stats_tags: Vec<&'static str>,
    /// The histograms with buckets of their own; none where nothing is metered.
    histograms: Vec<Histogram>,
    /// The filter's own configuration.
    filter_json: String,
    /// Whether Envoy signs bodies, which it holds for that.
    signs_bodies: bool,
    /// The secrets that the configuration itself leads to.
    secrets: Vec<StaticSecret>,
    /// The files with secrets that another Envoy than that of `gaud run` must have.
    secret_files: Vec<SecretPlace>,
    /// What the service is asked that counts rates for all gateways.
    shared: Option<Asking>,
    /// Where spans go.
    spans: Option<Spans>,
    /// Where the lines of the access log go.
    lines: Option<Lines>,
    /// How requests are sent again; none where no request is.
    hop: Option<Hop>,
    /// The providers that are reached by URL.
    clusters: Vec<Cluster>,
    /// Where in a mesh the filter goes.
    istio: Option<MeshTarget>,
    /// The filter, where it is fetched.
    remote: Option<Remote>,
    /// The folders and the secrets of an Envoy whose configuration changes while it runs.
    live: Option<Live>,
    /// Whether all that is rendered is one YAML document, in which an alias reaches an anchor.
    one_document: bool,
    /// The files with certificate authorities.
    ca_files: BTreeSet<String>,
    /// The providers that name a cluster which Envoy has already.
    named_clusters: Vec<NamedCluster>,
}

impl Context {
    pub(super) fn of(
        form: Form,
        loaded: &Loaded,
        version: EnvoyVersion,
        wasm: &Path,
        env: Env<'_>,
        injections: &Injections<'_>,
    ) -> Self {
        let gateway = &loaded.gateway;
        let ca_file = cluster::system_ca_file(form.secrets() == Secrets::Here, env);
        let mut clusters = cluster::all(gateway, &loaded.file, &ca_file, injections);
        let server = loaded.control.server.as_ref().filter(|_| loaded.has_keys());
        clusters.extend(server.map(|url| to_url(CONTROL, url, &ca_file)));
        let mut environment = variables(&loaded.file);
        environment.extend(server.map(|_| FEED_TOKEN.to_owned()));
        let of_collector = |tracing: &Tracing| to_url(TRACING, &tracing.url, &ca_file);
        let of_issuer = |(name, own): (String, &Issuer)| to_url(&name, &own.url, &ca_file);
        clusters.extend(issuers(loaded).map(of_issuer));
        clusters.extend(loaded.tracing.as_ref().map(of_collector));
        let of_limits =
            |limits: &SharedLimits| cluster::to_grpc(SHARED_LIMITS, &limits.service, &ca_file);
        clusters.extend(loaded.shared_limits.as_ref().map(of_limits));
        let source = loaded.path.as_deref().and_then(Path::file_name);
        // A meter reads every response.
        let notes_ends = form.notes_ends() && !gateway.meters;
        Self {
            names: Names::all(),
            envoy_version: version.to_string(),
            capabilities_of_vm: version.has(Feature::CapabilitiesOfVm)
                && form.knows_capabilities_of_vm(),
            source: source.map(|name| name.to_string_lossy().into_owned()),
            environment,
            written_out: written_out(loaded),
            listen: Socket::from(loaded.listen),
            tls: loaded.tls.as_ref().map(ServerTls::from),
            admin_listen: Socket::from(loaded.admin_listen),
            admin_socket: None,
            control_sockets: None,
            ui_path: None,
            admin_paths: version.has(Feature::AdminPaths),
            trusted_proxies: loaded.trusted_proxies.iter().map(Range::from).collect(),
            cors: loaded
                .file
                .cors
                .as_ref()
                .map_or_else(Vec::new, |cors| cors.allow_origins.clone()),
            headers_max: HEADERS_MAX,
            headers_kb_max: HEADERS_KB_MAX,
            memory_limit_bytes: loaded.memory_limit_bytes,
            workers: loaded.workers,
            unused: unused(&loaded.file, server.is_some()),
            body_limit_bytes: gateway.body_limit_bytes,
            kept_body_bytes: kept_body_bytes(version, gateway.body_limit_bytes),
            default_timeout_secs: TIMEOUT_SECS,
            idle_secs: longest_secs(gateway),
            local_replies: local_replies(loaded),
            wasm: wasm.to_string_lossy().into_owned(),
            capabilities: Capabilities::of(notes_ends, gateway.meters),
            notes_ends,
            stats_tags: metrics::labels(gateway.meters),
            histograms: if gateway.meters { histograms() } else { Vec::new() },
            filter_json: filter_json(loaded, form, server.is_some()),
            signs_bodies: injections.sign_bodies(),
            secrets: injections.statics(),
            secret_files: injections.files(),
            shared: loaded.shared_limits.as_ref().map(Asking::of),
            spans: loaded.tracing.as_ref().map(|tracing| Spans::of(tracing, version)),
            lines: loaded.access_log.as_ref().map(Lines::of),
            hop: gateway.has_hop().then(|| Hop::of(gateway)),
            ca_files: clusters.iter().filter_map(Cluster::ca_file).map(str::to_owned).collect(),
            clusters,
            named_clusters: named_clusters(gateway),
            istio: None,
            remote: None,
            live: None,
            one_document: form.is_one_document(),
        }
    }
}

impl Context {
    /// The same with the admin interface on a socket.
    pub(super) fn with_admin_socket(mut self, socket: Option<&Path>) -> Self {
        self.admin_socket = socket.map(|socket| socket.to_string_lossy().into_owned());
        self
    }

    /// The same for an Envoy that takes its resources from files. The hop is always there: a later configuration may need
    /// the hop, and a bootstrap cannot get its extension later.
    pub(super) fn live(
        mut self,
        live: Live,
        control: Option<&ControlLink>,
        loaded: &Loaded,
    ) -> Self {
        self.live = Some(live);
        self.control_sockets = control.map(|link| Control::from(&link.sockets));
        self.ui_path = control.and_then(|_| loaded.pages()).map(str::to_owned);
        self.filter_json = filter_json(loaded, Form::Envoy, control.is_some());
        if control.is_some() {
            self.local_replies.splice(..0, local_reply::of_control());
        }
        // A later configuration may meter.
        (self.stats_tags, self.histograms) = (metrics::labels(true), histograms());
        self.hop.get_or_insert_with(|| Hop::of(&loaded.gateway));
        let files = loaded.ca_files();
        // A control server of its own has a cluster of its own.
        let clusters = self.clusters.into_iter().filter(|cluster| cluster.name != CONTROL);
        self.clusters = clusters.map(|cluster| cluster.with_authorities_of(&files)).collect();
        self
    }

    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn has_control(&self) -> bool {
        self.control_sockets.is_some()
    }

    pub(super) fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The same for a mesh.
    pub(super) fn in_mesh(mut self, target: MeshTarget, remote: Option<Remote>) -> Self {
        (self.istio, self.remote) = (Some(target), remote);
        self
    }
}

/// A stream on which nothing has moved for this long is dead: no deadline of a provider is longer.
fn longest_secs(gateway: &Gateway) -> u64 {
    let deadlines = |provider: &Provider| {
        let others = [provider.timeout_ms, provider.first_token_ms].into_iter().flatten();
        others.fold(provider.idle_ms, u64::max)
    };
    gateway.providers().iter().map(deadlines).fold(IDLE_MS, u64::max).div_ceil(1000)
}

fn local_replies(loaded: &Loaded) -> Vec<LocalReply> {
    let mut all = local_reply::all(loaded.gateway.body_limit_bytes);
    if loaded.shared_limits.is_some() {
        all.splice(..0, local_reply::of_shared_limits());
    }
    all
}

fn kept_body_bytes(version: EnvoyVersion, body_limit_bytes: u64) -> u64 {
    let counts = if version.has(Feature::BodyCountedOnce) { 1 } else { 2 };
    body_limit_bytes.saturating_mul(counts)
}

/// The buckets of a histogram.
#[derive(Serialize)]
struct Histogram {
    name: &'static str,
    buckets: Vec<u64>,
}

fn histograms() -> Vec<Histogram> {
    let histogram =
        |(name, buckets): (&'static str, [u64; 14])| Histogram { name, buckets: buckets.into() };
    metrics::usage::BUCKETS.map(histogram).into()
}

/// A provider, and the cluster that Envoy has for it.
#[derive(Serialize)]
struct NamedCluster {
    provider: String,
    cluster: String,
}

/// What the filters and the logger may use.
#[derive(Serialize)]
struct Capabilities {
    clients: Vec<&'static str>,
    attempt: Vec<&'static str>,
    ends: &'static [&'static str],
}

impl Capabilities {
    fn of(notes_ends: bool, meters: bool) -> Self {
        let hearing = if notes_ends { &[] } else { HEARING_CAPABILITIES };
        let reading = if meters { READING_CAPABILITIES } else { &[] };
        Self {
            clients: [CAPABILITIES, hearing, reading].concat(),
            attempt: [CAPABILITIES, HEARING_CAPABILITIES, READING_CAPABILITIES].concat(),
            ends: ENDS_CAPABILITIES,
        }
    }
}

/// How requests are sent again.
#[derive(Serialize)]
struct Hop {
    backoff_secs: f64,
    backoff_max_secs: f64,
    retry_after_max_secs: u32,
}

impl Hop {
    fn of(gateway: &Gateway) -> Self {
        const LONGEST: f64 = 10.0;
        let backoff_secs = f64::from(gateway.retries.backoff_ms) / 1000.0;
        Self {
            backoff_secs,
            backoff_max_secs: backoff_secs * LONGEST,
            retry_after_max_secs: gateway.retries.retry_after_max_secs,
        }
    }
}

/// The file without what belongs to Envoy: the filter's own configuration. Client keys need a control server.
pub(super) fn filter_json(loaded: &Loaded, form: Form, has_control: bool) -> String {
    let mut file = loaded.file.clone();
    (file.listen, file.admin_listen, file.workers) = (None, None, None);
    (file.open_to_network, file.tls) = (None, None);
    (file.trusted_proxies, file.drain_secs, file.memory_limit_bytes) = (None, None, None);
    (file.control, file.ui) = (None, None);
    match has_control {
        true => {
            let keys = file.keys.get_or_insert_default();
            keys.mode.get_or_insert_with(|| "optional".to_owned());
            keys.defaults = None;
        }
        false => file.keys = None,
    }
    file.usage = UsageFile::of_filter(file.usage.as_ref(), file.shows());
    (file.tracing, file.access_log) = (None, None);
    file.prices = Ordered::default();
    file.litellm = None;
    for (provider, own) in file.providers.values_mut().zip(loaded.gateway.providers()) {
        (provider.ca_file, provider.http2, provider.idle_connection_secs) = (None, None, None);
        provider.windows.clone_from(&own.windows);
    }
    if form == Form::Envoy && is_open_to_pages(loaded) {
        file.allow_hosts.get_or_insert_default();
    }
    if file.allow_hosts.is_none() {
        file.cors = None;
    }
    // Fails on a literal secret only, and none is left.
    serde_json::to_string_pretty(&file).unwrap_or_default()
}

/// Whether any page in a browser of this machine could spend a secret that the gateway has.
fn is_open_to_pages(loaded: &Loaded) -> bool {
    loaded.listen.ip().is_loopback()
        && loaded.file.providers.iter().any(|(_, own)| own.spends_a_secret())
}

/// The secrets that the filter needs, by the names of their variables.
pub(super) fn secrets(
    loaded: &Loaded,
    control: Option<&ControlLink>,
    env: Env<'_>,
) -> Vec<(String, Secret)> {
    let pair = |name: String| secret(loaded, env, &name).map(|secret| (name, secret));
    let token = control.map(|link| (FEED_TOKEN.to_owned(), link.token.clone()));
    variables(&loaded.file).into_iter().filter_map(pair).chain(token).collect()
}

fn secret(loaded: &Loaded, env: Env<'_>, name: &str) -> Option<Secret> {
    let lifted = loaded.environment.iter().find(|(own, _)| own == name);
    let lifted = lifted.map(|(_, value)| value.clone());
    lifted.or_else(|| env(name)?.into_string().ok()).map(Secret::new)
}

/// The files with the secrets of the credentials that Envoy adds, each by its name. A provider without an access token has an
/// empty secret, because Envoy waits for a file that is missing. The secret of a provider that Envoy signs for is always empty.
pub(super) fn tokens(
    loaded: &Loaded,
    access: &AccessTokens,
    env: Env<'_>,
) -> BTreeMap<String, String> {
    let file = |token: &Token| {
        let secret = match &token.source {
            TokenSource::Refreshed(_) => {
                access.get(&token.provider).cloned().unwrap_or_else(|| Secret::new(""))
            }
            TokenSource::Aws(_) => Secret::new(""),
            TokenSource::Issuer(_) | TokenSource::File(_) => {
                secret(loaded, env, token.variable.as_ref()?)?
            }
        };
        Some(secret_file(&token.provider, &secret))
    };
    loaded.tokens.iter().filter_map(file).collect()
}

/// The environment variables that the filter reads.
fn variables(file: &File) -> Vec<String> {
    let mut names = Vec::new();
    for (_, provider) in file.providers.iter() {
        let headers = provider.headers.iter().map(|(_, value)| SecretSource::parse(value));
        for source in provider.api_key.iter().cloned().chain(headers) {
            if let SecretSource::Environment(name) = source
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
    }
    names
}

/// The secrets that were taken out of the file, by the variables in their place: whose they are, and where they are.
fn written_out(loaded: &Loaded) -> BTreeMap<String, String> {
    let is_lifted = |name: &String| loaded.environment.iter().any(|(own, _)| own == name);
    let place = |name: &String| {
        let file = loaded.secret_files.iter().find(|(own, _)| own == name);
        let file = file.map(|(_, path)| format!("which is in {}", path.display()));
        file.unwrap_or_else(|| "which the configuration writes out".to_owned())
    };
    let owner = |(provider, file): (&String, &ProviderFile)| match &file.api_key {
        Some(SecretSource::Environment(name)) if is_lifted(name) => {
            let what =
                if file.auth == Some(Auth::Basic.into()) { "user and password" } else { "the key" };
            Some((name.clone(), format!("{what} of {provider}, {}", place(name))))
        }
        _ => None,
    };
    loaded.file.providers.iter().filter_map(owner).collect()
}

fn unused(file: &File, has_server: bool) -> Vec<&'static str> {
    let there = [
        ("listen", file.listen.is_some()),
        ("open_to_network", file.open_to_network.is_some()),
        ("tls", file.tls.is_some()),
        ("admin_listen", file.admin_listen.is_some()),
        ("workers", file.workers.is_some()),
        ("trusted_proxies", file.trusted_proxies.is_some()),
        ("cors", file.cors.is_some()),
        ("drain_secs", file.drain_secs.is_some()),
        ("memory_limit_bytes", file.memory_limit_bytes.is_some()),
        ("keys", file.keys.is_some() && !has_server),
        ("control", file.control.is_some() && !has_server),
        ("litellm", file.litellm.is_some()),
        ("ui", file.ui.is_some()),
        ("prices", !file.prices.is_empty()),
    ];
    there.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
}

fn named_clusters(gateway: &Gateway) -> Vec<NamedCluster> {
    let pair = |provider: &Provider| NamedCluster {
        provider: provider.name.clone(),
        cluster: provider.cluster.clone(),
    };
    cluster::elsewhere(gateway).map(pair).collect()
}
