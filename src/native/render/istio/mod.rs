//! Istio: EnvoyFilter resources, for the sidecars of applications or for an ingress gateway.

mod module;
mod options;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::gateway::{Provider, istio_host};
use serde::Serialize;

pub use module::{Remote, is_url};
use options::{HostPort, Label, MeshPlace};
pub use options::{Options, OptionsError};

/// Its template.
pub(super) const TEXT: &str = include_str!("istio.yaml");

/// The default place of the filter in the proxy.
pub(super) const MODULE: &str = "/etc/gaud/gaud.wasm";

/// Where in the mesh the filter goes; what the template needs.
#[derive(Serialize)]
pub struct MeshTarget {
    /// What it is, in a sentence.
    place: &'static str,
    /// Istio's own name for it.
    context: &'static str,
    /// The virtual host, as Istio names it.
    host: String,
    /// The listener's, where that is the same: a gateway may listen on another.
    port: Option<u16>,
    /// The label of the pods.
    label: Label,
    /// The Services among the providers, where the proxy must be told of them.
    services: Vec<String>,
}

impl MeshTarget {
    pub(super) fn of(options: &Options, providers: &[Provider]) -> Result<Self, OptionsError> {
        let place = options.place.unwrap_or_default();
        let host = options.host.clone().or_else(|| HostPort::usual(place));
        let host = host.ok_or(OptionsError::NoHost)?;
        let port = (place == MeshPlace::Sidecar).then_some(host.port);
        Ok(Self {
            place: place.says(),
            context: place.context(),
            label: options.workload.clone().unwrap_or_else(|| Label::usual(place)),
            services: if place == MeshPlace::Gateway { services(providers) } else { Vec::new() },
            host: host.to_string(),
            port,
        })
    }
}

/// The hosts in clusters' names that Istio gives: `outbound|4000||litellm.default.svc.cluster.local`.
fn services(providers: &[Provider]) -> Vec<String> {
    let by_cluster = providers.iter().filter(|provider| provider.url.is_none());
    let hosts: BTreeSet<_> =
        by_cluster.filter_map(|provider| istio_host(&provider.cluster)).collect();
    hosts.into_iter().map(str::to_owned).collect()
}
