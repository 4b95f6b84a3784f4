//! Rates that gateways share: what Envoy asks envoyproxy/ratelimit, and the configuration of envoyproxy/ratelimit.

use serde::Serialize;

use crate::keys::shared::UNITS;
use crate::names::clusters::{LIMITED_REQUESTS, LIMITED_TOKENS, LIMITS_DOMAIN, SHARED_LIMITS};
use crate::names::properties::{
    FILTER_STATE_PREFIX, SHARED_HITS, SHARED_OWNERS, SHARED_REQUESTS, SHARED_TOKENS, SHARED_USED,
};
use crate::native::settings::SharedLimits;

/// How long a request waits for the service.
const TIMEOUT_SECS: f64 = 0.1;

/// What the templates need.
#[derive(Serialize)]
pub(super) struct Asking {
    domain: &'static str,
    timeout_secs: f64,
    refuses: bool,
    /// By owner. The service may leave out what a call adds for one owner where another's limit is used up, so the tokens of each
    /// owner are told in a call of their own.
    filters: Vec<Filter>,
}

#[derive(Serialize)]
struct Filter {
    name: String,
    /// What is asked before a request leaves: the first filter asks for all owners, for all or none of them take the request.
    before: Vec<Entry>,
    /// What is told when a stream is over.
    after: Entry,
}

/// What is counted: Envoy leaves an entry out whose state Gaud's filter has not set.
#[derive(Serialize)]
struct Entry {
    descriptor: &'static str,
    /// The filter state that has the name under which is counted.
    state: String,
    /// How Envoy formats what is added; none to look alone.
    hits: Option<String>,
}

impl Asking {
    pub(super) fn of(limits: &SharedLimits) -> Self {
        let [first, rest @ ..] = SHARED_OWNERS.map(|owner| Filter {
            name: format!("{SHARED_LIMITS}_{owner}"),
            before: Vec::new(),
            after: Entry::adding(LIMITED_TOKENS, SHARED_USED, owner),
        });
        let asked = |owner| {
            [
                Entry::adding(LIMITED_REQUESTS, SHARED_REQUESTS, owner),
                Entry::looking(LIMITED_TOKENS, SHARED_TOKENS, owner),
            ]
        };
        let before = SHARED_OWNERS.into_iter().flat_map(asked).collect();
        Self {
            domain: LIMITS_DOMAIN,
            timeout_secs: TIMEOUT_SECS,
            refuses: limits.refuses,
            filters: [Filter { before, ..first }].into_iter().chain(rest).collect(),
        }
    }
}

impl Entry {
    fn looking(descriptor: &'static str, kind: &str, owner: &str) -> Self {
        Self { descriptor, state: format!("{FILTER_STATE_PREFIX}{kind}{owner}"), hits: None }
    }

    fn adding(descriptor: &'static str, kind: &str, owner: &str) -> Self {
        let own = Self::looking(descriptor, kind, owner);
        let hits = format!("%FILTER_STATE({}{SHARED_HITS}:PLAIN)%", own.state);
        Self { hits: Some(hits), ..own }
    }
}

/// The configuration of envoyproxy/ratelimit: the same for every gateway, key and limit.
pub fn service_yaml() -> String {
    format!(
        "\
# What envoyproxy/ratelimit must know of Gaud, rendered by `gaud render --for ratelimit`. The file is the same for all gateways, and
# for every key, user and limit: each name has the same units a minute, and a request or a token takes the part that its limit says.
domain: {LIMITS_DOMAIN}
descriptors:
- key: {LIMITED_REQUESTS}
  rate_limit: {{ unit: minute, requests_per_unit: {UNITS} }}
- key: {LIMITED_TOKENS}
  rate_limit: {{ unit: minute, requests_per_unit: {UNITS} }}
"
    )
}
