//! The two levels of breakers: a provider's, and one for each model at the provider, in one record.
//!
//! Which request says what to which of the two is in [`Evidence`](super::Evidence). A request goes if both breakers let it,
//! and may be a probe of both.
//!
//! When a closed model opens and with it [`Settings::models`] models are open at once, the provider opens. A model
//! that opens again after its probe has failed does not open the provider: else three models that stay broken would
//! open the provider again and again.
//!
//! The models of a provider share [`MODEL_SLOTS`] breakers by a hash of their names: clients choose the names, and the
//! record must not grow by that. A closed record of a model that was never open is left out, so that the record of a
//! healthy provider is as short as can be: a request loads one record and stores none.

use super::{Ask, Breaker, BreakerState, Outcome, Place, Settings, State, Ticket, Verdict};

/// How many breakers the models of a provider share.
pub const MODEL_SLOTS: usize = 256;

/// A model's place among the breakers of its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub(super) u8);

/// Which breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The provider's.
    Provider,
    /// The breaker of the models in a slot.
    Model(Slot),
}

/// All breakers of a provider, as all workers of an Envoy see them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Levels {
    pub(super) provider: Breaker,
    /// In the order of the slots.
    pub(super) models: Vec<(Slot, Breaker)>,
    /// The provider has refused the gateway's credential, and not accepted it since.
    pub refuses_credential: bool,
    /// When that was logged last, in seconds since 1970.
    pub refusal_logged_secs: u32,
}

/// What a request was admitted as, on both levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tickets {
    provider: Ticket,
    model: Option<(Slot, Ticket)>,
}

/// What a request says on both levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outcomes {
    /// About the provider.
    pub provider: Outcome,
    /// About the model.
    pub model: Outcome,
}

/// Which breaker refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The breaker.
    pub level: Level,
    /// When it is worth another try: when both breakers let a request through.
    pub retry_after_ms: u64,
}

impl Slot {
    /// The place of a model: FNV-1a, folded to one byte.
    pub fn of(model: &str) -> Self {
        let hash = model
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let [a, b, c, d] = hash.to_le_bytes();
        Self(a ^ b ^ c ^ d)
    }

    /// The number of the slot, less than [`MODEL_SLOTS`].
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

impl Tickets {
    /// Whether the request is a probe, on either level.
    pub fn is_probe(&self) -> bool {
        self.provider.is_probe() || self.probes_model()
    }

    /// The slot of the request's model, if it has one.
    pub fn slot(&self) -> Option<Slot> {
        self.model.map(|(slot, _)| slot)
    }

    /// Whether the request is a probe of its model.
    pub fn probes_model(&self) -> bool {
        self.model.is_some_and(|(_, ticket)| ticket.is_probe())
    }

    /// Whether the request is a probe of its provider.
    pub fn probes_provider(&self) -> bool {
        self.provider.is_probe()
    }

    /// Whether a success of the request can change a breaker.
    pub fn can_heal(&self) -> bool {
        let can_heal = |ticket: &Ticket| ticket.is_probe() || ticket.saw_failures;
        can_heal(&self.provider) || self.model.is_some_and(|(_, ticket)| can_heal(&ticket))
    }

    /// Whether outcomes can change nothing, so that the record need not be read.
    pub(crate) fn say_nothing(&self, outcomes: Outcomes) -> bool {
        let model = self.model.is_none_or(|(_, ticket)| ticket.says_nothing(outcomes.model));
        model && self.provider.says_nothing(outcomes.provider)
    }
}

impl Levels {
    /// The provider's breaker.
    pub fn provider(&self) -> &Breaker {
        &self.provider
    }

    /// A model's breaker.
    pub fn model(&self, slot: Slot) -> Breaker {
        let place = self.models.binary_search_by_key(&slot, |(slot, _)| *slot);
        let found = place.ok().and_then(|place| self.models.get(place));
        found.map_or_else(Breaker::default, |(_, breaker)| *breaker)
    }

    /// The breakers of models that have failed or were open.
    pub fn models(&self) -> impl Iterator<Item = (Slot, &Breaker)> {
        self.models.iter().map(|(slot, breaker)| (*slot, breaker))
    }

    /// The tickets of a request where both breakers are closed, as nearly all are: nothing is copied, and no clock is read.
    /// The flag says whether the provider refuses the gateway's credential.
    pub fn admit_closed(bytes: Option<&[u8]>, slot: Option<Slot>) -> Option<(Tickets, bool)> {
        let levels = bytes.and_then(|bytes| Self::read_for(bytes, slot)).unwrap_or_default();
        let closed = |breaker: &Breaker| match breaker.state {
            State::Closed { failures } => {
                Some(Ticket { saw_failures: failures > 0, ..breaker.ticket() })
            }
            State::Open { .. } | State::HalfOpen { .. } => None,
        };
        let model = match slot {
            Some(slot) => Some((slot, closed(&levels.model(slot))?)),
            None => None,
        };
        let tickets = Tickets { provider: closed(&levels.provider)?, model };
        Some((tickets, levels.refuses_credential))
    }

    /// Whether a request for a model may go; with the record to store when that changes the record. Then the tickets
    /// hold only if the record was stored.
    ///
    /// # Errors
    /// The breaker that refuses the request.
    pub fn admit(
        &self,
        slot: Option<Slot>,
        ask: Ask,
        now_ms: u64,
        settings: &Settings,
    ) -> Result<(Tickets, Option<Self>), Refusal> {
        let (of_provider, provider) = self.provider.admit(ask, now_ms, settings);
        let asked = slot.map(|slot| (slot, self.model(slot).admit(ask, now_ms, settings)));
        match (of_provider, asked) {
            (Verdict::Admitted(ticket), None) => {
                let new = provider.map(|provider| Self { provider, ..self.clone() });
                Ok((Tickets { provider: ticket, model: None }, new))
            }
            (Verdict::Admitted(ticket), Some((slot, (Verdict::Admitted(own), model)))) => {
                let tickets = Tickets { provider: ticket, model: Some((slot, own)) };
                Ok((tickets, self.with(provider, model.map(|model| (slot, model)))))
            }
            (Verdict::Refused { retry_after_ms }, asked) => {
                let other_ms = match asked {
                    Some((_, (Verdict::Refused { retry_after_ms }, _))) => retry_after_ms,
                    _ => 0,
                };
                let retry_after_ms = retry_after_ms.max(other_ms);
                Err(Refusal { level: Level::Provider, retry_after_ms })
            }
            (_, Some((slot, (Verdict::Refused { retry_after_ms }, _)))) => {
                Err(Refusal { level: Level::Model(slot), retry_after_ms })
            }
        }
    }

    /// What outcomes make of the record; `None` when they change nothing.
    pub fn record(
        &self,
        tickets: &Tickets,
        outcomes: Outcomes,
        now_ms: u64,
        settings: &Settings,
    ) -> Option<Self> {
        // A failure of either level says that the client has not aborted the request, which may go on to another target.
        let is_failure = [outcomes.provider, outcomes.model].contains(&Outcome::Failure);
        let record = |breaker: &Breaker, ticket, outcome| {
            let new = breaker.record(ticket, outcome, now_ms, settings)?;
            Some(if is_failure { new.for_every_client() } else { new })
        };
        let provider = record(&self.provider, tickets.provider, outcomes.provider);
        let model = tickets.model.and_then(|(slot, ticket)| {
            let old = self.model(slot);
            Some((slot, old, record(&old, ticket, outcomes.model)?))
        });
        let new = self.with(provider, model.map(|(slot, _, new)| (slot, new)))?;
        let has_opened = model.is_some_and(|(_, old, new)| {
            BreakerState::from(&old) == BreakerState::Closed
                && BreakerState::from(&new) == BreakerState::Open
        });
        Some(if has_opened { new.opened_by_models(now_ms, settings) } else { new })
    }

    /// Records a failed active check.
    pub fn check_failed(&self, now_ms: u64, settings: &Settings) -> Option<Self> {
        self.with(self.provider.failed(now_ms, settings), None)
    }

    /// Whether a probe is out whose body is unfinished. A request that takes a place nevertheless takes that probe's.
    pub fn awaits_body(&self, slot: Option<Slot>) -> bool {
        let awaits = |breaker: Breaker| {
            let State::HalfOpen { place, .. } = breaker.state else { return false };
            matches!(place, Place::Taken { is_whole: false, .. })
        };
        awaits(self.provider) || slot.is_some_and(|slot| awaits(self.model(slot)))
    }

    /// The body of a request has become whole.
    pub fn body_came(&self, tickets: &Tickets, now_ms: u64, settings: &Settings) -> Option<Self> {
        let provider = self.provider.body_came(tickets.provider, now_ms, settings);
        let model = tickets.model.and_then(|(slot, ticket)| {
            Some((slot, self.model(slot).body_came(ticket, now_ms, settings)?))
        });
        self.with(provider, model)
    }

    /// The tickets of a request whose success has been recorded and whose response still streams:
    /// a failure of the response counts in the state that the success has led to.
    pub fn tickets_after(&self, tickets: Tickets) -> Tickets {
        let after = |(slot, ticket)| (slot, self.model(slot).ticket_after(ticket));
        Tickets {
            provider: self.provider.ticket_after(tickets.provider),
            model: tickets.model.map(after),
        }
    }

    /// Which breakers have another state than in `old`.
    pub fn changes_since(&self, old: &Self) -> Vec<(Level, BreakerState)> {
        let differs = |old: &Breaker, new: &Breaker| BreakerState::from(old) != new.into();
        let provider = differs(&old.provider, &self.provider)
            .then_some((Level::Provider, BreakerState::from(&self.provider)));
        let models = self.models.iter().filter(|(slot, model)| differs(&old.model(*slot), model));
        let models = models.map(|(slot, model)| (Level::Model(*slot), BreakerState::from(model)));
        models.chain(provider).collect()
    }

    /// How many models are open, their open time not over.
    pub fn open_models(&self, now_ms: u64, settings: &Settings) -> usize {
        self.models.iter().filter(|(_, model)| model.is_open_at(now_ms, settings)).count()
    }

    fn opened_by_models(self, now_ms: u64, settings: &Settings) -> Self {
        let is_enough = self.open_models(now_ms, settings) >= settings.models as usize;
        match BreakerState::from(&self.provider) {
            BreakerState::Closed if is_enough => {
                Self { provider: self.provider.opened(now_ms, settings), ..self }
            }
            _ => self,
        }
    }

    /// The record with these changes; `None` when there is none.
    fn with(&self, provider: Option<Breaker>, model: Option<(Slot, Breaker)>) -> Option<Self> {
        if provider.is_none() && model.is_none() {
            return None;
        }
        let mut new = self.clone();
        new.provider = provider.unwrap_or(self.provider);
        if let Some((slot, breaker)) = model {
            let place = new.models.binary_search_by_key(&slot, |(slot, _)| *slot);
            match place {
                Ok(place) if breaker == Breaker::default() => _ = new.models.remove(place),
                Ok(place) => {
                    new.models.iter_mut().skip(place).take(1).for_each(|own| own.1 = breaker)
                }
                Err(place) => new.models.insert(place, (slot, breaker)),
            }
        }
        Some(new)
    }
}
