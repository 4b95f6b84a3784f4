//! A provider's breaker in shared data: every transition is one compare-and-swap, and counted.

use crate::breaker::{Breaker, BreakerState, Outcome, Settings, State, Ticket, Verdict};
use crate::gateway::Provider;
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::host::store::{self, Contended, Store};
use crate::route::ProviderId;

/// How long a request waits that could not even ask.
const CONTENDED_RETRY_AFTER_MS: u64 = 1000;

/// Stores a closed breaker where there is none: what another worker, or an older configuration,
/// has stored stays.
pub fn seed(store: &dyn Store, provider: &Provider) {
    if provider.breaker.is_some() {
        store.swap(&provider.breaker_key, &Breaker::default().to_bytes(), None);
    }
}

/// Asks whether a request may go. `None` for a provider without a breaker.
pub fn admit(host: &dyn Host, id: ProviderId, provider: &Provider) -> Result<Option<Ticket>, u64> {
    let Some(settings) = &provider.breaker else { return Ok(None) };
    let stored = store::update(host, &provider.breaker_key, |bytes| {
        let breaker = decode(bytes);
        // A closed breaker, as nearly all are, knows no time.
        let now_ms = match breaker.state() {
            State::Closed { .. } => 0,
            State::Open { .. } | State::HalfOpen { .. } => host.now_ms(),
        };
        let (verdict, new) = breaker.admit(now_ms, settings);
        (new.map(|new| new.to_bytes().to_vec()), (verdict, new.map(|new| (breaker, new))))
    });
    let (verdict, changed) = stored.map_err(|Contended| {
        host.count(Metric::Contended);
        CONTENDED_RETRY_AFTER_MS
    })?;
    if let Some((old, new)) = changed {
        announce(host, id, &old, &new);
    }
    match verdict {
        Verdict::Admitted(ticket) => Ok(Some(ticket)),
        Verdict::Refused { retry_after_ms } => Err(retry_after_ms),
    }
}

/// Records what became of a request. The ticket that comes back is for what its response may
/// still do.
pub fn record(
    host: &dyn Host,
    id: ProviderId,
    provider: &Provider,
    ticket: Ticket,
    outcome: Outcome,
) -> Ticket {
    if ticket.says_nothing(outcome) {
        return ticket;
    }
    let changed = change(host, id, provider, |breaker, now_ms, settings| {
        breaker.record(ticket, outcome, now_ms, settings)
    });
    changed.map_or(ticket, |new| new.ticket_after(ticket))
}

/// Records a failed active check.
pub fn check_failed(host: &dyn Host, id: ProviderId, provider: &Provider) {
    change(host, id, provider, |breaker, now_ms, settings| breaker.failed(now_ms, settings));
}

/// The breaker as it is stored now.
pub fn peek(store: &dyn Store, provider: &Provider) -> Breaker {
    decode(store.load(&provider.breaker_key).as_ref().map(|(bytes, _)| bytes.as_slice()))
}

/// Whether a request would be let through now: an open breaker whose time has come needs that request.
pub fn would_admit(host: &dyn Host, provider: &Provider) -> bool {
    provider
        .breaker
        .is_none_or(|settings| peek(host, provider).retry_after_ms(host.now_ms(), &settings) == 0)
}

/// Makes one transition; the new record when there was one.
fn change(
    host: &dyn Host,
    id: ProviderId,
    provider: &Provider,
    transition: impl Fn(&Breaker, u64, &Settings) -> Option<Breaker>,
) -> Option<Breaker> {
    let settings = provider.breaker.as_ref()?;
    let stored = store::update(host, &provider.breaker_key, |bytes| {
        let breaker = decode(bytes);
        let new = transition(&breaker, host.now_ms(), settings);
        (new.map(|new| new.to_bytes().to_vec()), new.map(|new| (breaker, new)))
    });
    let Ok(changed) = stored else {
        host.count(Metric::Contended);
        return None;
    };
    let (old, new) = changed?;
    announce(host, id, &old, &new);
    Some(new)
}

/// Nothing stored, or something of another version: closed.
fn decode(bytes: Option<&[u8]>) -> Breaker {
    bytes.and_then(Breaker::from_bytes).unwrap_or_default()
}

fn announce(host: &dyn Host, id: ProviderId, old: &Breaker, new: &Breaker) {
    let (old, new) = (BreakerState::from(old), BreakerState::from(new));
    if old != new {
        host.count(Metric::Transition(id, new));
        host.show_state(id, new);
    }
}
