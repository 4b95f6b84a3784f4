//! A provider's breakers in shared data: every transition is one compare-and-swap, counted and logged once.

use super::asking::Asking;
use super::known_models;
use crate::breaker::{
    Ask, Breaker, BreakerState, Level, Levels, Outcomes, Reason, Refusal, Settings, Slot, State,
    Tickets,
};
use crate::gateway::{Credential, Gateway, Provider};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::host::store::{self, Contended, Store};
use crate::limits::Limits;
use crate::room::Bound;
use crate::route::ProviderId;

/// How long a request waits when its worker could not change the record.
const CONTENDED_RETRY_AFTER_MS: u64 = 1000;

/// The least time between two lines about the same provider's refusal of a credential: a provider may accept the
/// credential for one model and refuse it for another, in turn.
const REFUSAL_LINE_SECS: u32 = 600;

/// A provider with its place in the gateway.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    /// The gateway.
    pub gateway: &'a Gateway,
    /// The provider's place.
    pub id: ProviderId,
    provider: &'a Provider,
}

/// A request that may go.
#[derive(Debug, Clone, Copy)]
pub struct Admitted {
    /// The outcome of the request comes back with these.
    pub tickets: Tickets,
    /// The provider has refused the gateway's credential, and not accepted it since.
    pub refuses_credential: bool,
}

/// Stores closed breakers where no record is stored. A record of another worker or of an older configuration stays.
pub fn seed(store: &dyn Store, provider: &Provider) {
    if has_record(provider) {
        store.swap(&provider.breaker_key, &Levels::default().to_bytes(), None);
    }
}

/// The breakers as they are stored now.
pub fn peek(store: &dyn Store, provider: &Provider) -> Levels {
    decode(store.load(&provider.breaker_key).as_ref().map(|(bytes, _)| bytes.as_slice()))
}

/// Whether a whole request would be let through now: an open breaker whose time has come needs that request.
pub fn would_admit(
    host: &dyn Host,
    provider: &Provider,
    model: Option<&str>,
    asking: Asking,
) -> bool {
    provider.breaker.is_none_or(|settings| {
        let (levels, slot, now_ms) = (peek(host, provider), model.map(Slot::of), host.now_ms());
        // Who asks matters for a probe alone.
        match levels.admit(slot, Ask::WHOLE, now_ms, &settings) {
            Ok((_, None)) => true,
            Ok((_, Some(_))) => levels.admit(slot, asking.ask(host), now_ms, &settings).is_ok(),
            Err(_) => false,
        }
    })
}

/// A provider without a breaker has a record for the state of its credential alone.
fn has_record(provider: &Provider) -> bool {
    provider.breaker.is_some() || has_credential(provider)
}

fn has_credential(provider: &Provider) -> bool {
    matches!(provider.credential, Credential::Header { .. })
}

/// Breakers are closed where no record is stored, and where the record has another version.
fn decode(bytes: Option<&[u8]>) -> Levels {
    bytes.and_then(Levels::from_bytes).unwrap_or_default()
}

impl<'a> Watched<'a> {
    /// `None` only for an id of another gateway.
    pub fn of(gateway: &'a Gateway, id: ProviderId) -> Option<Self> {
        Some(Self { gateway, id, provider: gateway.provider(id)? })
    }

    /// The provider's name.
    pub fn name(self) -> &'a str {
        &self.provider.name
    }

    /// Asks whether a request may go. `None` for a provider without a record.
    ///
    /// # Errors
    /// The breaker that refuses the request.
    pub fn admit(
        self,
        host: &dyn Host,
        model: Option<&str>,
        asking: Asking,
    ) -> Result<Option<Admitted>, Refusal> {
        if !has_record(self.provider) {
            return Ok(None);
        }
        let slot = model.map(Slot::of).filter(|_| self.provider.breaker.is_some());
        if let Some((tickets, refuses_credential)) = self.admit_closed(host, slot) {
            return Ok(Some(Admitted { tickets, refuses_credential }));
        }
        let Some(settings) = &self.provider.breaker else { return Ok(None) };
        self.admit_unless_closed(host, slot, asking, settings).map(Some)
    }

    /// By this worker's copy of the record.
    fn admit_closed(self, host: &dyn Host, slot: Option<Slot>) -> Option<(Tickets, bool)> {
        let changes = host.counted(Metric::Record(self.id));
        let load = || host.load(&self.provider.breaker_key).map(|(bytes, _)| bytes);
        let admit = |bytes: Option<&[u8]>| Levels::admit_closed(bytes, slot);
        host.copies().read(self.id.index(), changes, load, admit)
    }

    fn admit_unless_closed(
        self,
        host: &dyn Host,
        slot: Option<Slot>,
        asking: Asking,
        settings: &Settings,
    ) -> Result<Admitted, Refusal> {
        let (now_ms, ask) = (host.now_ms(), asking.ask(host));
        let stored = self.update(host, |bytes| {
            let levels = decode(bytes);
            match levels.admit(slot, ask, now_ms, settings) {
                Ok((tickets, new)) => {
                    let bytes = new.as_ref().map(Levels::to_bytes);
                    let refuses_credential = levels.refuses_credential;
                    let changed = new.map(|new| (levels, new));
                    (bytes, Ok((Admitted { tickets, refuses_credential }, changed)))
                }
                Err(refusal) => (None, Err(refusal)),
            }
        });
        let (admitted, changed) = stored.unwrap_or_else(|Contended| {
            host.count(Metric::Contended);
            let retry_after_ms = CONTENDED_RETRY_AFTER_MS;
            Err(Refusal { level: Level::Provider, retry_after_ms })
        })?;
        if let Some((old, new)) = changed {
            if old.awaits_body(slot) {
                host.count(Metric::Bound(Bound::ProbeBody));
            }
            self.announce(host, &old, &new, None);
        }
        Ok(admitted)
    }

    /// Records the outcome of a request. The returned tickets are for a later failure of the request's response.
    pub fn record(
        self,
        host: &dyn Host,
        tickets: Tickets,
        outcomes: Outcomes,
        reason: Option<Reason>,
    ) -> Tickets {
        if tickets.say_nothing(outcomes) {
            return tickets;
        }
        let changed = self.change(host, reason, |levels, now_ms, settings| {
            levels.record(&tickets, outcomes, now_ms, settings)
        });
        changed.map_or(tickets, |new| new.tickets_after(tickets))
    }

    /// The provider's name and its limits, where there are any.
    pub fn limits(self) -> Option<(&'a str, Limits)> {
        Some((&self.provider.name, self.provider.limits?))
    }

    /// The body of a request has become whole. Only a probe has to say so.
    pub fn body_came(self, host: &dyn Host, tickets: Tickets) {
        if tickets.is_probe() {
            self.change(host, None, |levels, now_ms, settings| {
                levels.body_came(&tickets, now_ms, settings)
            });
        }
    }

    /// Records a failed active check.
    pub fn check_failed(self, host: &dyn Host) {
        self.change(host, Some(Reason::Check), Levels::check_failed);
    }

    /// The provider has answered a request that had the gateway's credential. A refusal is counted each time, and stored
    /// and logged when it is new.
    pub fn credential_answered(self, host: &dyn Host, admitted: Admitted, status: u32) {
        let refuses = matches!(status, 401 | 403);
        if !has_credential(self.provider) || (!refuses && status >= 400) {
            return;
        }
        if refuses {
            host.count(Metric::CredentialRefused(self.id));
        }
        if admitted.refuses_credential == refuses {
            return;
        }
        let now_secs = u32::try_from(host.now_ms() / 1000).unwrap_or(u32::MAX);
        let is_logged = self.update(host, |bytes| {
            let old = decode(bytes);
            if old.refuses_credential == refuses {
                return (None, false);
            }
            let since_secs = now_secs.saturating_sub(old.refusal_logged_secs);
            let is_logged = refuses && since_secs >= REFUSAL_LINE_SECS;
            let mut new = old;
            new.refuses_credential = refuses;
            if is_logged {
                new.refusal_logged_secs = now_secs;
            }
            (Some(new.to_bytes()), is_logged)
        });
        if is_logged == Ok(true) {
            let name = &self.provider.name;
            log::warn!(
                "provider {name} refuses the gateway's credential with status {status}; check \
                 providers.{name}.api_key and auth"
            );
        }
    }

    /// Tells the gauges the state that is stored.
    pub fn show(self, host: &dyn Host) {
        self.show_levels(host, &peek(host, self.provider));
    }

    /// Makes one transition; the new record when there was one.
    fn change(
        self,
        host: &dyn Host,
        reason: Option<Reason>,
        transition: impl Fn(&Levels, u64, &Settings) -> Option<Levels>,
    ) -> Option<Levels> {
        let settings = self.provider.breaker.as_ref()?;
        let stored = self.update(host, |bytes| {
            let levels = decode(bytes);
            let new = transition(&levels, host.now_ms(), settings);
            (new.as_ref().map(Levels::to_bytes), new.map(|new| (levels, new)))
        });
        let Ok(changed) = stored else {
            host.count(Metric::Contended);
            return None;
        };
        let (old, new) = changed?;
        self.announce(host, &old, &new, reason);
        Some(new)
    }

    /// Changes the record, and then says so to the workers that have copies of the record.
    fn update<T>(
        self,
        host: &dyn Host,
        mut change: impl FnMut(Option<&[u8]>) -> (Option<Vec<u8>>, T),
    ) -> Result<T, Contended> {
        let mut is_changed = false;
        let result = store::update(host, &self.provider.breaker_key, |bytes| {
            let (new, result) = change(bytes);
            is_changed = new.is_some();
            (new, result)
        });
        if result.is_ok() && is_changed {
            host.count(Metric::Record(self.id));
        }
        result
    }

    fn announce(self, host: &dyn Host, old: &Levels, new: &Levels, reason: Option<Reason>) {
        let changes = new.changes_since(old);
        for (level, state) in &changes {
            let metric = match level {
                Level::Provider => Metric::Transition(self.id, *state),
                Level::Model(_) => Metric::ModelTransition(self.id, *state),
            };
            host.count(metric);
            self.log(host, *level, old, new, reason);
        }
        if !changes.is_empty() {
            self.show_levels(host, new);
        }
    }

    fn show_levels(self, host: &dyn Host, levels: &Levels) {
        host.show_state(self.id, levels.provider().into());
        let models: Vec<_> =
            levels.models().map(|(slot, breaker)| (slot, BreakerState::from(breaker))).collect();
        host.show_models(self.id, &models);
    }

    /// One line for a change: which breaker, why, and for how long.
    fn log(
        self,
        host: &dyn Host,
        level: Level,
        old: &Levels,
        new: &Levels,
        reason: Option<Reason>,
    ) {
        let Some(settings) = &self.provider.breaker else { return };
        let name = &self.provider.name;
        let (of, old, new) = match level {
            Level::Provider => (String::new(), *old.provider(), *new.provider()),
            Level::Model(slot) => {
                let known = known_models::describe(host, self.gateway, self.id, slot);
                (format!(", {known}"), old.model(slot), new.model(slot))
            }
        };
        match new.state() {
            State::Open { .. } => {
                let secs = settings.open_ms / 1000;
                let why = why_open(&old, level, reason, settings);
                log::warn!("provider {name}{of}: breaker open for {secs} s: {why}");
            }
            State::HalfOpen { .. } => {
                log::info!("provider {name}{of}: breaker half-open: one request probes it");
            }
            State::Closed { .. } => {
                let count = settings.successes;
                log::info!("provider {name}{of}: breaker closed: {count} successful probes");
            }
        }
    }
}

/// Why a breaker has opened.
fn why_open(old: &Breaker, level: Level, reason: Option<Reason>, settings: &Settings) -> String {
    let last = reason.map_or_else(String::new, |reason| reason.to_string());
    match old.state() {
        State::HalfOpen { .. } => format!("half-open, and {last}"),
        State::Closed { failures } if failures.saturating_add(1) >= settings.failures => {
            format!("{} failures in a row, the last: {last}", settings.failures)
        }
        State::Closed { .. } | State::Open { .. } => match level {
            Level::Provider => format!("{} of its models are open", settings.models),
            Level::Model(_) => last,
        },
    }
}
