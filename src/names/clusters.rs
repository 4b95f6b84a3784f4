//! Clusters, listeners and filters of the gateway in Envoy.

/// The filter that clients' requests pass, its `root_id`, and the listener that holds the filter.
pub const CLIENTS: &str = "gaud";

/// The listener after the hop, its filter and that filter's `root_id`.
pub const ATTEMPT: &str = "gaud_attempt";

/// The logger of the listener [`CLIENTS`] that notes ends of requests, and its `root_id`.
pub const ENDS: &str = "gaud_ends";

/// The cluster that leads to the listener [`ATTEMPT`].
pub const HOP: &str = "gaud_attempts";

/// Request: goes to [`HOP`] as well, but Envoy's router keeps no body and sends the request once.
pub const HOP_ONCE: &str = "gaud_attempts_once";

/// The cluster that leads to Envoy's admin interface, and the listener that passes a part of it on.
pub const ADMIN: &str = "gaud_admin";

/// The cluster that leads to the control server, and the route to it.
pub const CONTROL: &str = "gaud_control";

/// The listener by which the control server asks the gateway: a socket, so that no certificate is asked for.
pub const OWN: &str = "gaud_own";

/// What follows the name of a provider in the name of its cluster without the gateway's credential, where the provider's own
/// cluster adds one. No provider has a dot in its name.
pub const OPEN: &str = ".open";

/// What comes before the name of a provider in the name of the cluster where its tokens are asked for, and in the name of its
/// secret.
pub const TOKENS: &str = "gaud_tokens_";
pub const SECRET: &str = "gaud_secret_";

/// The filter of a provider's cluster that adds the gateway's credential.
pub const CREDENTIAL: &str = "gaud_credential";

/// The filter after that, where a secret holds a token alone: puts the scheme `Bearer` before the token.
pub const BEARER: &str = "gaud_bearer";

/// The filter after the signer for AWS: answers in the provider's place where Envoy has found no keys.
pub const SIGNED: &str = "gaud_signed";

/// The cluster that leads to the collector of spans.
pub const TRACING: &str = "gaud_tracing";

/// The filter that asks the service for rates that gateways share, the cluster that leads to the service, and the domain of the
/// gateways' rates there.
pub const SHARED_LIMITS: &str = "gaud_limits";
pub const LIMITS_DOMAIN: &str = "gaud";

/// The descriptors of that domain.
pub const LIMITED_REQUESTS: &str = "requests";
pub const LIMITED_TOKENS: &str = "tokens";

/// In CEL: a request has taken the route to the control server.
pub const IS_TO_CONTROL: &str = "xds.route_name == 'gaud_control'";

/// The `vm_id` of both filters: they share data.
pub const VM_ID: &str = "gaud";

/// Istio: the filter that removes Envoy's control headers from clients' requests.
pub const CLIENT_HEADERS: &str = "gaud_headers";

/// The filter that removes headers of a provider's response which the gateway or a proxy in front of it would obey.
pub const RETURNING: &str = "gaud_returning";

/// Istio: the filter of each provider's cluster that removes what the proxy added to a request.
pub const LEAVING: &str = "gaud_leaving";
