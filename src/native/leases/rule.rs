//! How much of a budget a gateway may use: the pure rule.
//!
//! | | |
//! |---|---|
//! | granted | what a gateway may spend in a window, all in all; it is in the database before the gateway hears of it |
//! | held | what is granted and not yet spent, as far as the ledger knows: nobody else may spend it |
//! | left | the budget without what all have spent and what all hold |
//!
//! A gateway asks for more once it has spent half of its last slice. A slice is a share of what is left, so that gateways that
//! use the budget at the same time all get some, and the slices become small only where little is left. What is granted is
//! never taken back from a gateway that lives: in the next window the gateway begins with what it had.

/// One gateway's part of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lease {
    pub granted_nanos: u64,
    /// In the window of now.
    pub spent_nanos: u64,
    /// Who has spent this much asks for more.
    pub low_nanos: u64,
}

/// A budget, but for the part of the gateway that asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    pub budget_nanos: u64,
    /// By all gateways, the one that asks among them, in the window of now.
    pub spent_nanos: u64,
    /// By the other gateways.
    pub held_nanos: u64,
    /// How many gateways live.
    pub gateways: u64,
}

/// No slice is smaller than this part of the budget, unless less is left.
const SMALLEST_PART: u64 = 100;

impl Lease {
    /// What is granted and not yet spent.
    pub fn held_nanos(&self) -> u64 {
        self.granted_nanos.saturating_sub(self.spent_nanos)
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
        let left = self.left_nanos(own);
        let share = left / self.gateways.max(1).saturating_mul(2);
        let slice = share.max(left.min(self.budget_nanos / SMALLEST_PART)).max(left.min(1));
        // What the last request has spent beyond the grant is gone, so that the new slice comes on top.
        let granted_nanos = own.granted_nanos.max(own.spent_nanos).saturating_add(slice);
        let low_nanos = granted_nanos.saturating_sub(slice / 2);
        (slice > 0).then_some(Lease { granted_nanos, low_nanos, ..own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_shares_of_what_is_left_until_nothing_is() {
        let mut rest = Rest { budget_nanos: 1000, gateways: 2, ..Rest::default() };
        let first = rest.extend(Lease::default()).unwrap();
        assert_eq!(first, Lease { granted_nanos: 250, spent_nanos: 0, low_nanos: 125 });
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
    fn a_last_request_is_paid_from_what_is_left() {
        let own = Lease { granted_nanos: 250, spent_nanos: 400, low_nanos: 125 };
        let rest = Rest { budget_nanos: 1000, spent_nanos: 400, held_nanos: 500, gateways: 2 };
        assert_eq!(own.held_nanos(), 0);
        assert_eq!(rest.extend(own).unwrap().granted_nanos, 400 + 25);
    }
}
