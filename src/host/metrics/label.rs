//! The parts of a counter: the provider, and the value of the last label.

use super::RequestOutcome;
use super::family::Values;
use crate::breaker::{BreakerState, Outcome};
use crate::reply::Code;
use crate::room::Bound;
use crate::route::ProviderId;

/// Where a counter is: the row of its family, the provider, and the index among the values of the last label.
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) provider: Option<ProviderId>,
    pub(super) value: usize,
}

impl Place {
    pub(super) fn of(row: usize) -> Self {
        Self { row, provider: None, value: 0 }
    }

    pub(super) fn with(mut self, part: impl Label) -> Self {
        part.set(&mut self);
        self
    }
}

/// A type whose values are the values of a label.
pub(super) trait Label {
    /// The values, in the order of [`Self::set`].
    const VALUES: Values;

    /// Sets the value's place.
    fn set(self, place: &mut Place);
}

impl Label for ProviderId {
    const VALUES: Values = Values::None;

    fn set(self, place: &mut Place) {
        place.provider = Some(self);
    }
}

impl Label for Outcome {
    const VALUES: Values = Values::Of(&["success", "failure", "neutral"]);

    fn set(self, place: &mut Place) {
        place.value = self as usize;
    }
}

impl Label for RequestOutcome {
    const VALUES: Values = Values::Of(&["rejected", "success", "failure", "neutral"]);

    fn set(self, place: &mut Place) {
        place.value = match self {
            Self::Rejected => 0,
            Self::Sent(outcome) => (outcome as usize).saturating_add(1),
        };
    }
}

impl Label for BreakerState {
    const VALUES: Values = Values::Of(&["closed", "open", "half_open"]);

    fn set(self, place: &mut Place) {
        place.value = self as usize;
    }
}

impl Label for bool {
    const VALUES: Values = Values::Of(&["passed", "failed"]);

    fn set(self, place: &mut Place) {
        place.value = usize::from(!self);
    }
}

impl Label for Bound {
    const VALUES: Values = Values::Of(Self::SETTINGS);

    fn set(self, place: &mut Place) {
        place.value = self as usize;
    }
}

impl Label for Code {
    const VALUES: Values = Values::Codes;

    fn set(self, place: &mut Place) {
        place.value = self as usize;
    }
}
