//! The contract between the filter and Envoy ([`crate::names`]), as the templates read it.

use serde::Serialize;

use crate::names::{clusters, headers, keys, metrics, properties};

/// Each name by its place in [`crate::names`].
#[derive(Serialize)]
pub(super) struct Names {
    headers: Headers,
    clusters: Clusters,
    /// How a metric's name has a label: after whole pairs of label and value, so that no value is taken for a label.
    label_regex: String,
    /// What the details of the filter's replies begin with.
    details: &'static str,
    /// How an admin key begins.
    admin_key: String,
    /// Where Envoy's filter state has the shape of the client's errors.
    shape: String,
}

#[derive(Serialize)]
struct Headers {
    prefix: &'static str,
    envoy_prefix: &'static str,
    cluster: &'static str,
    crossing: &'static str,
    trusted: &'static str,
    pages: &'static str,
    provider: &'static str,
    attempts: &'static str,
    retry: &'static str,
    retry_wait: &'static str,
    envoy_retries_max: &'static str,
}

#[derive(Serialize)]
struct Clusters {
    clients: &'static str,
    attempt: &'static str,
    ends: &'static str,
    hop: &'static str,
    hop_once: &'static str,
    admin: &'static str,
    control: &'static str,
    own: &'static str,
    vm_id: &'static str,
    client_headers: &'static str,
    leaving: &'static str,
    credential: &'static str,
    bearer: &'static str,
    signed: &'static str,
    returning: &'static str,
    shared_limits: &'static str,
}

impl Names {
    pub(super) fn all() -> Self {
        Self {
            headers: Headers {
                prefix: headers::PREFIX,
                envoy_prefix: headers::ENVOY_PREFIX,
                cluster: headers::CLUSTER,
                crossing: headers::CROSSING,
                trusted: headers::TRUSTED,
                pages: headers::PAGES,
                provider: headers::PROVIDER,
                attempts: headers::ATTEMPTS,
                retry: headers::RETRY,
                retry_wait: headers::RETRY_WAIT_SECS,
                envoy_retries_max: headers::ENVOY_RETRIES_MAX,
            },
            clusters: Clusters {
                clients: clusters::CLIENTS,
                attempt: clusters::ATTEMPT,
                ends: clusters::ENDS,
                hop: clusters::HOP,
                hop_once: clusters::HOP_ONCE,
                admin: clusters::ADMIN,
                control: clusters::CONTROL,
                own: clusters::OWN,
                vm_id: clusters::VM_ID,
                client_headers: clusters::CLIENT_HEADERS,
                leaving: clusters::LEAVING,
                credential: clusters::CREDENTIAL,
                bearer: clusters::BEARER,
                signed: clusters::SIGNED,
                returning: clusters::RETURNING,
                shared_limits: clusters::SHARED_LIMITS,
            },
            label_regex: format!(
                r"^wasmcustom\.(?:{}|{})[a-z_]+(?:\.[a-z_]+\.[^.]+)*?(\.LABEL\.([^.]+))",
                metrics::PREFIX,
                metrics::OTEL_PREFIX
            ),
            details: properties::DETAILS_PREFIX,
            admin_key: format!("{}{}", keys::PREFIX, keys::ADMIN_ID_PREFIX),
            shape: format!("{}{}", properties::FILTER_STATE_PREFIX, properties::SHAPE),
        }
    }
}
