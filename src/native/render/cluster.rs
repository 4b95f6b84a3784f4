//! A provider as Envoy's cluster.

use std::path::{Path, PathBuf};

use crate::config::File;
use crate::gateway::{Gateway, Provider, ProviderUrl};
use serde::Serialize;

use super::credential::{Injection, Injections};
use crate::native::certificates::CA_FILES;
use crate::native::settings::Env;

/// Servers of one's own close after 5 s (uvicorn, Node), and a new connection to them costs little.
const IDLE_SECS_HTTP: u64 = 4;
/// Front ends of public providers keep connections for 60 s and more, and a new one costs a handshake.
const IDLE_SECS_HTTPS: u64 = 30;
/// A new connection would cost a request a part of the short time in which it waits.
const IDLE_SECS_GRPC: u64 = 3600;

/// What the template needs.
#[derive(Serialize)]
pub(super) struct Cluster {
    pub(super) name: String,
    discovery: &'static str,
    http2: bool,
    idle_connection_secs: u64,
    authority: String,
    host: String,
    port: u16,
    tls: Option<Tls>,
    /// What Envoy's statistics call it, where not by its name.
    stat_name: Option<String>,
    /// What Envoy adds to each request.
    credential: Option<Injection>,
}

#[derive(Serialize)]
struct Tls {
    sni: Option<String>,
    ca_file: String,
    /// The text of the provider's own `ca_file`, for an Envoy that must notice when the file changes: Envoy reads a file
    /// once for each version of a cluster.
    ca_pem: Option<String>,
    san_type: &'static str,
}

impl Cluster {
    /// Where Envoy will look for the authorities that it is to trust.
    pub(super) fn ca_file(&self) -> Option<&str> {
        Some(&self.tls.as_ref()?.ca_file)
    }

    /// Holds the authorities themselves, and not the name of their file, where they are in one of `files`.
    pub(super) fn with_authorities_of(mut self, files: &[PathBuf]) -> Self {
        if let Some(tls) = &mut self.tls
            && files.iter().any(|file| file == Path::new(&tls.ca_file))
        {
            tls.ca_pem = std::fs::read_to_string(&tls.ca_file).ok();
        }
        self
    }
}

/// The clusters of all providers that are reached by URL, for an Envoy that trusts `ca_file`. A provider with one of the
/// `injections` has two: what is not of the API goes without its credential.
pub(super) fn all(
    gateway: &Gateway,
    file: &File,
    ca_file: &str,
    injections: &Injections<'_>,
) -> Vec<Cluster> {
    let by_url = |provider: &Provider| {
        let idle_secs = file.providers.get(&provider.name)?.idle_connection_secs;
        let endpoint = Endpoint {
            name: &provider.cluster,
            url: provider.url.as_ref()?,
            http2: provider.http2,
            ca_file: provider.ca_file.as_deref().unwrap_or(ca_file),
        };
        let own = cluster(&endpoint, idle_secs);
        let credential = injections.provider(&provider.name, &endpoint.url.authority());
        let open = credential.as_ref().map(|_| {
            let name = provider.cluster_for(false).to_owned();
            let stat_name = Some(provider.name.clone());
            Cluster { name, stat_name, ..cluster(&endpoint, idle_secs) }
        });
        Some([Some(Cluster { credential, ..own }), open].into_iter().flatten())
    };
    gateway.providers().iter().filter_map(by_url).flatten().collect()
}

/// The cluster of another server than a provider, for an Envoy that trusts `ca_file`.
pub(super) fn to_url(name: &str, url: &ProviderUrl, ca_file: &str) -> Cluster {
    let endpoint = Endpoint { name, url, http2: false, ca_file };
    cluster(&endpoint, None)
}

/// The same for a server that is asked by gRPC.
pub(super) fn to_grpc(name: &str, url: &ProviderUrl, ca_file: &str) -> Cluster {
    let endpoint = Endpoint { name, url, http2: true, ca_file };
    cluster(&endpoint, Some(IDLE_SECS_GRPC))
}

/// The providers whose cluster the user's Envoy must define.
pub(super) fn elsewhere(gateway: &Gateway) -> impl Iterator<Item = &Provider> {
    let is_here = |name: &str| {
        let mut own = gateway.providers().iter().filter(|provider| provider.url.is_some());
        own.any(|provider| provider.cluster == name)
    };
    gateway.providers().iter().filter(move |provider| !is_here(&provider.cluster))
}

/// Where a cluster leads.
struct Endpoint<'a> {
    name: &'a str,
    url: &'a ProviderUrl,
    http2: bool,
    ca_file: &'a str,
}

fn cluster(endpoint: &Endpoint<'_>, idle_secs: Option<u64>) -> Cluster {
    let Endpoint { name, url, http2, ca_file } = *endpoint;
    let usual = if url.https { IDLE_SECS_HTTPS } else { IDLE_SECS_HTTP };
    let is_ip = url.host.parse::<std::net::IpAddr>().is_ok();
    Cluster {
        name: name.to_owned(),
        discovery: if is_ip { "STATIC" } else { "STRICT_DNS" },
        http2,
        idle_connection_secs: idle_secs.unwrap_or(usual),
        authority: url.authority(),
        host: url.host.clone(),
        port: url.port,
        tls: url.https.then(|| Tls {
            // RFC 6066, section 3: no IP address is a server name.
            sni: (!is_ip).then(|| url.host.clone()),
            ca_file: ca_file.to_owned(),
            ca_pem: None,
            san_type: if is_ip { "IP_ADDRESS" } else { "DNS" },
        }),
        stat_name: None,
        credential: None,
    }
}

/// The authorities that Envoy's system trusts; of another system than this one only what is usual is known.
pub(in crate::native) fn system_ca_file(is_here: bool, env: Env<'_>) -> String {
    let named = env("SSL_CERT_FILE").and_then(|path| path.into_string().ok());
    let [debian, ..] = CA_FILES;
    let is_there = |path: &&str| is_here && Path::new(path).exists();
    let there = || CA_FILES.into_iter().find(is_there);
    named.unwrap_or_else(|| there().unwrap_or(debian).to_owned())
}
