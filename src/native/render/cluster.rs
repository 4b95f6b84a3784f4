//! A provider as Envoy's cluster.

use crate::gateway::{Gateway, Provider, ProviderUrl};
use serde::Serialize;

use crate::native::settings::Env;

/// Where systems keep the certificate authorities that they trust; OpenSSL's own variable wins.
const CA_FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What the template needs; every text is quoted for YAML.
#[derive(Serialize)]
pub(super) struct Cluster {
    name: String,
    discovery: &'static str,
    http2: bool,
    authority: String,
    host: String,
    port: u16,
    tls: Option<Tls>,
}

#[derive(Serialize)]
struct Tls {
    sni: Option<String>,
    ca_file: String,
    san_type: &'static str,
}

impl Cluster {
    /// Where Envoy will look for the authorities that it is to trust, quoted.
    pub(super) fn ca_file(&self) -> Option<&str> {
        Some(&self.tls.as_ref()?.ca_file)
    }
}

/// The clusters of all providers that are reached by URL, for an Envoy that trusts `ca_file`.
pub(super) fn all(gateway: &Gateway, ca_file: &str) -> Vec<Cluster> {
    let by_url = |provider| Some(cluster(provider, provider.url.as_ref()?, ca_file));
    gateway.providers().iter().filter_map(by_url).collect()
}

/// The providers whose cluster somebody else must have defined.
pub(super) fn elsewhere(gateway: &Gateway) -> impl Iterator<Item = &Provider> {
    let is_here = |name: &str| {
        let mut own = gateway.providers().iter().filter(|provider| provider.url.is_some());
        own.any(|provider| provider.cluster == name)
    };
    gateway.providers().iter().filter(move |provider| !is_here(&provider.cluster))
}

fn cluster(provider: &Provider, url: &ProviderUrl, ca_file: &str) -> Cluster {
    let is_ip = url.host.parse::<std::net::IpAddr>().is_ok();
    Cluster {
        name: quoted(&provider.cluster),
        discovery: if is_ip { "STATIC" } else { "STRICT_DNS" },
        http2: provider.http2,
        authority: quoted(&url.authority()),
        host: quoted(&url.host),
        port: url.port,
        tls: url.https.then(|| Tls {
            // RFC 6066, section 3: no IP address is a server name.
            sni: (!is_ip).then(|| quoted(&url.host)),
            ca_file: quoted(provider.ca_file.as_deref().unwrap_or(ca_file)),
            san_type: if is_ip { "IP_ADDRESS" } else { "DNS" },
        }),
    }
}

/// The authorities that Envoy's system trusts; of another system than this one only what is usual is known.
pub(super) fn system_ca_file(is_here: bool, env: Env<'_>) -> String {
    let named = env("SSL_CERT_FILE").and_then(|path| path.into_string().ok());
    let [debian, ..] = CA_FILES;
    let is_there = |path: &&str| is_here && std::path::Path::new(path).exists();
    let there = || CA_FILES.into_iter().find(is_there);
    named.unwrap_or_else(|| there().unwrap_or(debian).to_owned())
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
