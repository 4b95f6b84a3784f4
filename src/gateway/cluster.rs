//! What the name of a provider's cluster must be, and what it tells.

use crate::names::clusters;

/// The name travels in a header, and must not be taken for one of the gateway's own clusters.
pub(super) fn check(cluster: &str) -> Result<String, &'static str> {
    if [clusters::HOP, clusters::HOP_ONCE, clusters::ADMIN, clusters::TRACING].contains(&cluster) {
        return Err("is the name of a cluster of the gateway's own; choose another");
    }
    // Envoy writes the name into JSON as it is.
    let good = |byte: u8| byte.is_ascii_graphic() && !b"\"\\%".contains(&byte);
    if !cluster.is_empty() && cluster.bytes().all(good) {
        Ok(cluster.to_owned())
    } else {
        Err("must be visible ASCII characters without spaces, quotes, '\\' and '%'")
    }
}

/// The host in a cluster's name that Istio gives: `outbound|4000||litellm.default.svc.cluster.local`.
pub fn istio_host(cluster: &str) -> Option<&str> {
    let (_, host) = cluster.strip_prefix("outbound|")?.rsplit_once('|')?;
    Some(host)
}

/// The `host` header of the gateway's own requests to a cluster: Istio's host, or the cluster's name. Servers refuse a
/// `host` that cannot be a host (RFC 9110, section 7.2): in place of such a name, the provider's name is the host.
pub(super) fn host_of<'a>(cluster: &'a str, provider: &'a str) -> &'a str {
    let host = istio_host(cluster).unwrap_or(cluster);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !host.is_empty() && host.bytes().all(is_host) { host } else { provider }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn servers_accept_every_host() {
        for (cluster, host) in [
            ("litellm_4000", "litellm_4000"),
            (
                "outbound|4000||litellm.default.svc.cluster.local",
                "litellm.default.svc.cluster.local",
            ),
            ("outbound|4000|v1|litellm.local", "litellm.local"),
            ("httproute/default/llm/rule/0", "p"),
            ("a|", "p"),
        ] {
            assert_eq!(host_of(cluster, "p"), host, "{cluster}");
        }
    }
}
