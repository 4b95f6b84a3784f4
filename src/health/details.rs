//! What Envoy says of a response: its code details and its flags, read in one place.
//!
//! | `response.code_details` | details |
//! |---|---|
//! | `via_upstream` | the provider answered |
//! | `no_healthy_upstream` | the provider's name does not resolve |
//! | `cluster_not_found` | Envoy does not have the provider's cluster |
//! | `response_timeout`, `upstream_per_try_timeout`, `upstream_per_try_idle_timeout` | no response in time |
//! | `stream_idle_timeout`, `max_duration_timeout` | nothing moved |
//! | `upstream_reset_before_response_started{overflow}` | one of Envoy's limits |
//! | `upstream_reset_before_response_started{local_connection_failure|…}`, or `…_connect_error:_…` with an errno of this machine | no file descriptor, port or memory here |
//! | `upstream_reset_before_response_started{connection_termination}` | closed before a response |
//! | `upstream_reset_before_response_started{…}` | refused or reset before a response; no HTTP |
//! | `upstream_reset_after_response_started{…}` | the response broke off |
//! | `failed_to_inject_credential` | the gateway has no credential for the provider |
//! | `downstream_…`, `route_not_found`, `gaud_…`, anything else | the client, the gateway or Envoy itself |

use memchr::memmem;

/// How a response came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// The provider answered.
    Provider,
    /// The provider's name does not resolve.
    NoAddress,
    /// Envoy does not have the provider's cluster.
    NoCluster,
    /// No response in time.
    Timeout,
    /// Nothing moved for too long, on either side.
    Idle,
    /// One of Envoy's limits refused the request.
    Overflow,
    /// The gateway has no file descriptor, no port or no memory for a connection.
    Shortage,
    /// The provider closed the connection before its response.
    Closed,
    /// The connection was refused or reset before a response, or the response was not HTTP.
    ResetBefore,
    /// The response broke off.
    ResetAfter,
    /// The gateway has no credential for the provider.
    NoCredential,
    /// The client, the gateway, or Envoy itself.
    Other,
}

/// The flag of `response.flags` that says that the client closed its connection.
pub const CLIENT_LEFT: u64 = 1 << 14;

impl Details {
    /// Reads `response.code_details` by the table above.
    pub fn parse(details: &[u8]) -> Self {
        let begins = |prefix: &[u8]| details.starts_with(prefix);
        match details {
            b"via_upstream" => Self::Provider,
            b"no_healthy_upstream" => Self::NoAddress,
            b"cluster_not_found" => Self::NoCluster,
            b"failed_to_inject_credential" => Self::NoCredential,
            b"response_timeout" => Self::Timeout,
            b"stream_idle_timeout" | b"max_duration_timeout" => Self::Idle,
            b"upstream_reset_before_response_started{overflow}" => Self::Overflow,
            b"upstream_reset_before_response_started{connection_termination}" => Self::Closed,
            // Without a reason after it, Envoy has closed a connection that did not open in time.
            _ if begins(b"upstream_reset_before_response_started{local_connection_failure|") => {
                Self::Shortage
            }
            _ if begins(BEFORE) && is_shortage(details) => Self::Shortage,
            _ if begins(BEFORE) => Self::ResetBefore,
            _ if begins(b"upstream_reset_") => Self::ResetAfter,
            _ if begins(b"upstream_per_try_") => Self::Timeout,
            _ => Self::Other,
        }
    }

    /// Whether the connection to the provider came to an end, at whatever time.
    pub fn is_reset(self) -> bool {
        matches!(
            self,
            Self::Overflow | Self::Shortage | Self::Closed | Self::ResetBefore | Self::ResetAfter
        )
    }
}

const BEFORE: &[u8] = b"upstream_reset_before_response_started";

/// What connect(2) says of this machine and not of the other: EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM.
const SHORTAGES: [&[u8]; 4] = [
    b"connect_error:_Cannot_assign_requested_address",
    b"connect_error:_Too_many_open_files",
    b"connect_error:_No_buffer_space_available",
    b"connect_error:_Cannot_allocate_memory",
];

fn is_shortage(details: &[u8]) -> bool {
    SHORTAGES.iter().any(|shortage| memmem::find(details, shortage).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn reads_the_table() {
        for (text, expected) in [
            ("via_upstream", Details::Provider),
            ("no_healthy_upstream", Details::NoAddress),
            ("cluster_not_found", Details::NoCluster),
            ("response_timeout", Details::Timeout),
            ("upstream_per_try_timeout", Details::Timeout),
            ("upstream_per_try_idle_timeout", Details::Timeout),
            ("stream_idle_timeout", Details::Idle),
            ("max_duration_timeout", Details::Idle),
            ("upstream_reset_before_response_started{overflow}", Details::Overflow),
            ("upstream_reset_before_response_started{connection_termination}", Details::Closed),
            (
                "upstream_reset_before_response_started{local_connection_failure|socket_creation_failure}",
                Details::Shortage,
            ),
            (
                "upstream_reset_before_response_started{remote_connection_failure|\
                 immediate_connect_error:_Cannot_assign_requested_address}",
                Details::Shortage,
            ),
            (
                "upstream_reset_before_response_started{remote_connection_failure|x}",
                Details::ResetBefore,
            ),
            // Not opened in time: Envoy 1.36, and newer ones.
            (
                "upstream_reset_before_response_started{local_connection_failure}",
                Details::ResetBefore,
            ),
            ("upstream_reset_before_response_started{connection_timeout}", Details::ResetBefore),
            ("failed_to_inject_credential", Details::NoCredential),
            ("upstream_reset_after_response_started{protocol_error}", Details::ResetAfter),
            ("route_not_found", Details::Other),
            ("downstream_remote_disconnect", Details::Other),
            ("gaud_provider_unavailable", Details::Other),
            ("", Details::Other),
        ] {
            assert_eq!(Details::parse(text.as_bytes()), expected, "{text}");
        }
    }
}
