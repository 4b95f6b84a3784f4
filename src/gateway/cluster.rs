//! A provider's cluster, by its name.

use crate::names::clusters;

/// The name travels in a header, and must not be taken for the hop's.
pub(super) fn check(cluster: &str) -> Result<String, &'static str> {
    if cluster == clusters::HOP {
        return Err("is the name of a cluster of the gateway's own; choose another");
    }
    match !cluster.is_empty() && cluster.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(cluster.to_owned()),
        false => Err("must be visible ASCII characters without spaces"),
    }
}

/// The `host` of what the gateway itself asks of a cluster: its name, or the end of one as Istio
/// writes it, `outbound|4000||litellm.default.svc.cluster.local`. Servers refuse a request whose
/// host could be none (RFC 9110, section 7.2), so such a name gives way to the provider's.
pub(super) fn host_of<'a>(cluster: &'a str, provider: &'a str) -> &'a str {
    let end = cluster.rsplit('|').next().unwrap_or(cluster);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !end.is_empty() && end.bytes().all(is_host) {
        true => end,
        false => provider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_host_is_one_that_servers_take() {
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
