//! A gateway as the holder of its leases.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::rule::Lease;
use super::table::{Leases, Owner};
use crate::limits::Budget;
use crate::native::control::Store;
use crate::native::database::{DatabaseError, Databases};
use crate::native::gateway_id::GatewayId;
use crate::native::ledger::Ledger;

/// How often a gateway says that it lives, in seconds.
const RENEW_SECS: i64 = 10;

pub(crate) struct Leaseholder {
    leases: Mutex<Leases>,
    /// When the gateway has said last that it lives.
    renewed_secs: Mutex<i64>,
    /// Tells of the leases that have changed.
    store: Store,
}

impl Leaseholder {
    /// The gateway begins; its journals are read, or are being read.
    pub(crate) fn begin(
        databases: &Databases,
        gateway: GatewayId,
        now_secs: i64,
    ) -> Result<Self, DatabaseError> {
        let leases = Leases::of(Ledger::open(databases)?, gateway);
        leases.begin(now_secs)?;
        let store = Store::open(databases)?;
        Ok(Self { leases: Mutex::new(leases), renewed_secs: Mutex::new(now_secs), store })
    }

    /// The lease of a budget, extended where it is low.
    pub(crate) fn lease(
        &self,
        owner: Owner<'_>,
        budget: Budget,
        now_secs: u64,
    ) -> Result<Lease, DatabaseError> {
        self.leases().lease(owner, budget, now_secs)
    }

    /// Says that the gateway lives, and sees to it that the filter asks for the leases that are low.
    pub(crate) fn tend(&self, now_secs: i64) -> Result<(), DatabaseError> {
        let mut renewed_secs = self.renewed_secs.lock().unwrap_or_else(PoisonError::into_inner);
        if now_secs.saturating_sub(*renewed_secs) >= RENEW_SECS {
            self.leases().renew(now_secs)?;
            *renewed_secs = now_secs;
        }
        let low = self.leases().low(u64::try_from(now_secs).unwrap_or_default())?;
        self.store.tell_again(&low)
    }

    /// The gateway has ended, and all of its journals are read.
    pub(crate) fn end(&self) -> Result<(), DatabaseError> {
        let given_back = self.leases().end()?;
        self.store.tell_again(&given_back)
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
