//! How much of a budget a gateway may use: the pure rule.
//!
//! | | |
//! |---|---|
//! | granted | what a gateway may spend in a window, all in all; it is in the database before the gateway hears of it |
//! | held | what is granted and not yet spent, as far as the ledger knows: nobody else may spend it |
//! | left | the budget without what all have spent and what all hold |
//! | before | what was granted before a lease became smaller: the others count it until the filter has taken the smaller one |
//!
//! A gateway asks for more once it has spent half of its last slice. A slice is a share of what is left, so that gateways that
//! use the budget at the same time all get some, and the slices become small only where little is left.
//!
//! In a new window a gateway begins with what it was granted in the last. When nothing is left for another gateway, one that holds
//! more than two slices, because it was alone before or because nobody asks it, gives the rest back.

/// One gateway's part of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lease {
    pub granted_nanos: u64,
    /// In the window of now.
    pub spent_nanos: u64,
    /// Who has spent this much asks for more.
    pub low_nanos: u64,
    /// 0 but for a lease that has become smaller.
    pub before_nanos: u64,
}

/// A budget, but for the part of the gateway that asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    pub budget_nanos: u64,
    /// By all gateways, the one that asks among them, in the window of now.
    pub spent_nanos: u64,
    /// By the other gateways, with what they were granted before.
    pub held_nanos: u64,
    /// How many gateways live.
    pub gateways: u64,
}

/// No slice is smaller than this part of the budget, unless less is left, or the smallest slices of all gateways were more than
/// half of the budget.
const SMALLEST_PART: u64 = 100;

impl Lease {
    /// What is granted and not yet spent.
    pub fn held_nanos(&self) -> u64 {
        self.granted_nanos.saturating_sub(self.spent_nanos)
    }

    fn with(self, granted_nanos: u64, slice: u64) -> Self {
        Self { granted_nanos, low_nanos: granted_nanos.saturating_sub(slice / 2), ..self }
    }

    /// Whether the gateway is to ask for more.
    pub fn is_low(&self) -> bool {
        self.spent_nanos >= self.low_nanos
    }
}

impl Rest {
    fn left_nanos(&self, own: Lease) -> u64 {
        let taken = self.spent_nanos.saturating_add(self.held_nanos);
        self.budget_nanos.saturating_sub(taken.saturating_add(own.held_nanos()))
    }

    /// The lease with one more slice; `None` where nothing is left.
    pub fn extend(&self, own: Lease) -> Option<Lease> {
        let slice = self.slice(self.left_nanos(own));
        // What the last request has spent beyond the grant is gone, so that the new slice comes on top.
        let granted_nanos = own.granted_nanos.max(own.spent_nanos).saturating_add(slice);
        let before_nanos = if granted_nanos < own.before_nanos { own.before_nanos } else { 0 };
        (slice > 0).then_some(Lease { before_nanos, ..own.with(granted_nanos, slice) })
    }

    /// The lease with a slice alone, where the gateway holds more than two.
    pub fn lower(&self, own: Lease) -> Option<Lease> {
        let free = self.left_nanos(own).saturating_add(own.held_nanos());
        let slice = self.slice(free);
        let is_large = own.before_nanos == 0 && own.held_nanos() > slice.saturating_mul(2);
        let lower = own.with(own.spent_nanos.saturating_add(slice), slice);
        is_large.then_some(Lease { before_nanos: own.granted_nanos, ..lower })
    }

    fn slice(&self, free_nanos: u64) -> u64 {
        let parts = self.gateways.max(1).saturating_mul(2);
        let (share, smallest) = (free_nanos / parts, self.budget_nanos / parts.max(SMALLEST_PART));
        share.max(free_nanos.min(smallest)).max(free_nanos.min(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_shares_of_what_is_left_until_nothing_is() {
        let mut rest = Rest { budget_nanos: 1000, gateways: 2, ..Rest::default() };
        let first = rest.extend(Lease::default()).unwrap();
        assert_eq!(first, Lease { granted_nanos: 250, low_nanos: 125, ..Lease::default() });
        assert!(!first.is_low());
        rest.spent_nanos = 125;
        let low = Lease { spent_nanos: 125, ..first };
        assert!(low.is_low());
        let second = rest.extend(low).unwrap();
        assert_eq!((second.granted_nanos, second.low_nanos), (250 + 187, 437 - 93));
        let mut rest = Rest { held_nanos: 997, ..rest };
        rest.spent_nanos = 0;
        assert_eq!(rest.extend(Lease::default()).unwrap().granted_nanos, 3, "all that is left");
        rest.held_nanos = 1000;
        assert_eq!(rest.extend(Lease::default()), None);
    }

    #[test]
    fn a_thousand_gateways_all_get_some() {
        let mut rest = Rest { budget_nanos: 1_000_000, gateways: 1000, ..Rest::default() };
        for _ in 0..1000 {
            let lease = rest.extend(Lease::default()).unwrap();
            assert_eq!(lease.granted_nanos, 500);
            rest.held_nanos += lease.granted_nanos;
        }
        assert_eq!(rest.held_nanos, 500_000);
    }

    #[test]
    fn a_last_request_is_paid_from_what_is_left() {
        let own = Lease { granted_nanos: 250, spent_nanos: 400, low_nanos: 125, before_nanos: 0 };
        let rest = Rest { budget_nanos: 1000, spent_nanos: 400, held_nanos: 500, gateways: 2 };
        assert_eq!(own.held_nanos(), 0);
        assert_eq!(rest.extend(own).unwrap().granted_nanos, 400 + 25);
    }

    #[test]
    fn who_holds_more_than_two_shares_gives_the_rest_back() {
        let rest = Rest { budget_nanos: 1000, gateways: 2, ..Rest::default() };
        let own = Lease { granted_nanos: 900, low_nanos: 800, ..Lease::default() };
        let alone = Rest { gateways: 1, ..rest };
        assert_eq!(alone.lower(own), None);
        let lower = rest.lower(own).unwrap();
        assert_eq!((lower.granted_nanos, lower.low_nanos), (250, 125));
        assert_eq!(lower.before_nanos, 900, "until the filter has taken the smaller lease");
        assert_eq!(rest.lower(lower), None, "once at a time");
        assert_eq!(rest.lower(Lease { before_nanos: 0, ..lower }), None, "two slices and less");
        // The gateway may have again what it held before, and the others count that anyway.
        let low = Lease { spent_nanos: 125, ..lower };
        let again = Rest { spent_nanos: 125, ..rest }.extend(low).unwrap();
        assert_eq!((again.granted_nanos, again.before_nanos), (250 + 187, 900));
        let more = Lease { granted_nanos: 890, spent_nanos: 880, ..low };
        let more = Rest { spent_nanos: 880, ..rest }.extend(more).unwrap();
        assert_eq!((more.granted_nanos, more.before_nanos), (890 + 27, 0));
    }
}
