//! Which deployments a request asks, and in which order.

use super::limit;
use crate::gateway::Gateway;
use crate::host::Host;
use crate::request::head::Head;
use crate::request::model::ModelName;
use crate::request::path::ClientPath;
use crate::route::group::digest;
use crate::route::{ChainTarget, Deployment, Draw, Load, Loads, Target, UnderWay};
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
        let is_spent =
            own.rpm.is_some_and(|rpm| limit::is_spent(host, &name(gateway, target), rpm));
        Load { is_spent, ..loads.of(deployment(gateway, target), now_ms) }
    };
    let draw = if gateway.groups.is_empty() {
        Draw::by(0)
    } else {
        Draw { chance: host.unique(), client: client(head, crossing), load: &load }
    };
    gateway.targets(asked, path.as_str(), &draw).unwrap_or_default()
}

/// Counts a request of a deployment, where a group looks at the counts.
pub(super) fn begin(
    gateway: &Gateway,
    loads: &Loads,
    host: &dyn Host,
    target: &ChainTarget,
) -> Option<UnderWay> {
    if let Some(rpm) = gateway.routes.rpm(target.as_target()) {
        limit::take(host, &name(gateway, target.as_target()), rpm);
    }
    gateway.counts_loads.then(|| loads.begin(deployment(gateway, target.as_target())))
}

fn provider<'a>(gateway: &'a Gateway, target: Target<'_>) -> &'a str {
    gateway.provider(target.provider).map_or("", |provider| &provider.name)
}

/// The key of a deployment's limit in shared data.
fn name(gateway: &Gateway, target: Target<'_>) -> String {
    format!("gaud/rpm/{}/{}", provider(gateway, target), target.model)
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
