//! What stands in the gaps of the templates, the same for all forms.

use std::net::SocketAddr;
use std::path::Path;

use gaud::capabilities::{CAPABILITIES, HOP_CAPABILITIES};
use gaud::config::{File, Gateway, SecretSource, TIMEOUT_SECS};
use gaud::metrics;
use serde::Serialize;

use super::cluster::{self, Cluster};
use super::istio::{Remote, Target};
use super::local_reply::{self, LocalReply};
use crate::command::envoy;
use crate::command::load::{Env, Loaded};

/// A stream on which nothing has moved for this long is dead.
const IDLE_SECS: u64 = 300;

/// What every template is given.
#[derive(Serialize)]
pub(super) struct Context {
    envoy_version: &'static str,
    /// The name of the configuration's file, where there is one.
    source: Option<String>,
    /// The variables that the filter reads.
    environment: Vec<String>,
    listen: String,
    admin_listen: String,
    body_limit_bytes: u64,
    default_timeout_secs: u64,
    idle_secs: u64,
    local_replies: Vec<LocalReply>,
    /// Where Envoy will find the filter.
    wasm: String,
    capabilities: &'static [&'static str],
    stats_tags: Vec<&'static str>,
    /// The filter's own configuration.
    filter_json: String,
    /// How requests are sent again; none where no request is.
    hop: Option<Hop>,
    /// The providers that are reached by URL.
    clusters: Vec<Cluster>,
    /// Where in a mesh the filter goes.
    istio: Option<Target>,
    /// The filter, where it is fetched.
    remote: Option<Remote>,
}

impl Context {
    pub(super) fn of(loaded: &Loaded, wasm: &Path, env: Env<'_>) -> Self {
        let gateway = &loaded.gateway;
        let longest_ms =
            gateway.providers().iter().filter_map(|provider| provider.timeout_ms).max();
        let source = loaded.path.as_deref().and_then(Path::file_name);
        Self {
            envoy_version: envoy::PINNED,
            source: source.map(|name| name.to_string_lossy().into_owned()),
            environment: variables(&loaded.file),
            listen: socket_address(loaded.listen),
            admin_listen: socket_address(loaded.admin_listen),
            body_limit_bytes: gateway.body_limit_bytes,
            default_timeout_secs: TIMEOUT_SECS,
            idle_secs: longest_ms.map_or(0, |ms| ms.div_ceil(1000)).max(IDLE_SECS),
            local_replies: local_reply::all(gateway.body_limit_bytes),
            wasm: wasm.to_string_lossy().into_owned(),
            capabilities: CAPABILITIES,
            stats_tags: metrics::labels(),
            filter_json: filter_json(&loaded.file),
            hop: gateway.has_hop().then(|| Hop::of(gateway)),
            clusters: cluster::all(gateway, env),
            istio: None,
            remote: None,
        }
    }
}

impl Context {
    /// The same for a mesh.
    pub(super) fn in_mesh(mut self, target: Target, remote: Option<Remote>) -> Self {
        (self.istio, self.remote) = (Some(target), remote);
        self
    }
}

/// How requests are sent again.
#[derive(Serialize)]
struct Hop {
    backoff_secs: f64,
    backoff_max_secs: f64,
    retry_after_max_secs: u32,
    capabilities: &'static [&'static str],
}

impl Hop {
    fn of(gateway: &Gateway) -> Self {
        const LONGEST: f64 = 10.0;
        let backoff_secs = f64::from(gateway.retries.backoff_ms) / 1000.0;
        Self {
            backoff_secs,
            backoff_max_secs: backoff_secs * LONGEST,
            retry_after_max_secs: gateway.retries.retry_after_max_secs,
            capabilities: HOP_CAPABILITIES,
        }
    }
}

/// The file without what belongs to Envoy: the filter's own configuration.
fn filter_json(file: &File) -> String {
    let mut file = file.clone();
    (file.listen, file.admin_listen, file.workers) = (None, None, None);
    for (_, provider) in &mut file.providers.0 {
        (provider.ca_file, provider.http2) = (None, None);
    }
    // Fails on a literal secret only, and none is left.
    serde_json::to_string_pretty(&file).unwrap_or_default()
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

fn socket_address(address: SocketAddr) -> String {
    format!(
        "{{ socket_address: {{ address: \"{}\", port_value: {} }} }}",
        address.ip(),
        address.port()
    )
}
