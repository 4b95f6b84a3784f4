//! Which deployments a request asks, and in which order.

use super::limit;
use crate::gateway::Gateway;
use crate::host::Host;
use crate::request::head::Head;
use crate::request::model::ModelName;
use crate::request::path::ClientPath;
use crate::route::group::digest;
use crate::route::{ChainTarget, Deployment, Draw, Load, Loads, Rates, Target, UnderWay};
use crate::session::hop::Crossing;

/// The targets of a request, at its first attempt.
pub(super) fn targets(
    gateway: &Gateway,
    loads: &Loads,
    host: &dyn Host,
    head: &Head<'_>,
    crossing: &Crossing,
    asked: &ModelName,
    path: &ClientPath,
) -> Vec<ChainTarget> {
    let now_ms = host.now_ms();
    let load = |own: &Deployment| {
        let target = own.target.as_target();
        let Rates { rpm, tpm } = own.rates;
        let is_spent = [(RPM, rpm), (TPM, tpm)].into_iter().any(|(kind, most)| {
            most.is_some_and(|most| limit::is_spent(host, &name(gateway, kind, target), most))
        });
        Load { is_spent, ..loads.of(deployment(gateway, target), now_ms) }
    };
    let draw = if gateway.groups.is_empty() {
        Draw::by(0)
    } else {
        Draw { chance: host.unique(), client: client(head, crossing), load: &load }
    };
    gateway.targets(asked, path.as_str(), &draw).unwrap_or_default()
}

/// Counts a request of a deployment, where a group looks at the counts. The second value says where the request's tokens count,
/// and how many tokens a minute has.
pub(super) fn begin(
    gateway: &Gateway,
    loads: &Loads,
    host: &dyn Host,
    target: &ChainTarget,
) -> (Option<UnderWay>, Option<(String, u32)>) {
    let target = target.as_target();
    let Rates { rpm, tpm } = gateway.routes.rates(target);
    if let Some(rpm) = rpm {
        limit::take(host, &name(gateway, RPM, target), rpm);
    }
    let under_way = gateway.counts_loads.then(|| loads.begin(deployment(gateway, target)));
    (under_way, tpm.map(|tpm| (name(gateway, TPM, target), tpm)))
}

fn provider<'a>(gateway: &'a Gateway, target: Target<'_>) -> &'a str {
    gateway.provider(target.provider).map_or("", |provider| &provider.name)
}

const RPM: &str = "rpm";
const TPM: &str = "tpm";

/// The key of a deployment's limit in shared data.
#[inline(never)]
fn name(gateway: &Gateway, kind: &str, target: Target<'_>) -> String {
    ["gaud/", kind, "/", provider(gateway, target), "/", target.model].concat()
}

fn deployment(gateway: &Gateway, target: Target<'_>) -> u64 {
    let provider = provider(gateway, target);
    digest(&[provider.as_bytes(), target.model.as_bytes()])
}

/// Who asks: the key of Gaud's, else the credential that the client has sent.
fn client(head: &Head<'_>, crossing: &Crossing) -> Option<u64> {
    if let Some(caller) = &crossing.caller {
        return Some(digest(&[caller.key.as_bytes()]));
    }
    head.credentials.key().map(|key| digest(&[key]))
}
