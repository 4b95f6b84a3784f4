//! A provider as Envoy's cluster.

use gaud::config::{Gateway, Provider, ProviderUrl};
use serde::Serialize;

use crate::command::load::Env;

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
    protocol: &'static str,
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

/// The clusters of all providers that are reached by URL.
pub(super) fn all(gateway: &Gateway, env: Env<'_>) -> Vec<Cluster> {
    let by_url = |provider| Some(cluster(provider, provider.url.as_ref()?, env));
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

fn cluster(provider: &Provider, url: &ProviderUrl, env: Env<'_>) -> Cluster {
    let is_ip = url.host.parse::<std::net::IpAddr>().is_ok();
    Cluster {
        name: quoted(&provider.cluster),
        discovery: if is_ip { "STATIC" } else { "STRICT_DNS" },
        protocol: match (url.https, provider.http2) {
            (_, true) => "explicit_http_config: { http2_protocol_options: {} }",
            (true, false) => {
                "auto_config: { http_protocol_options: {}, http2_protocol_options: {} }"
            }
            (false, false) => "explicit_http_config: { http_protocol_options: {} }",
        },
        authority: quoted(&url.authority()),
        host: quoted(&url.host),
        port: url.port,
        tls: url.https.then(|| Tls {
            // RFC 6066, section 3: no IP address is a server name.
            sni: (!is_ip).then(|| quoted(&url.host)),
            ca_file: quoted(&provider.ca_file.clone().unwrap_or_else(|| system_ca_file(env))),
            san_type: if is_ip { "IP_ADDRESS" } else { "DNS" },
        }),
    }
}

fn system_ca_file(env: Env<'_>) -> String {
    let named = env("SSL_CERT_FILE").and_then(|path| path.into_string().ok());
    let [debian, ..] = CA_FILES;
    let there = || CA_FILES.into_iter().find(|path| std::path::Path::new(path).exists());
    named.unwrap_or_else(|| there().unwrap_or(debian).to_owned())
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
