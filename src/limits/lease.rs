//! Places and money of requests under way, by the minute in which the requests have said last that they live.

/// A request under way says so once in this time. What has said nothing for one to two of these is lost.
pub const LEASE_MS: u64 = 60_000;

/// The requests of one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Lease {
    /// Minutes since 1970; 0 for none.
    pub(super) minute: u64,
    pub(super) places: u32,
    /// Reserved, in nano-dollars.
    pub(super) nanos: u64,
}

/// The leases that hold: of this minute, and of the minute before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Leases {
    pub(super) newest: Lease,
    pub(super) older: Lease,
}

pub(super) fn minute(now_ms: u64) -> u64 {
    now_ms / LEASE_MS
}

/// Whether a lease of a minute holds. A lease of a later minute than the next was taken before the clock was set back.
pub(super) fn holds(minute: u64, now: u64) -> bool {
    minute > 0 && minute.abs_diff(now) <= 1
}

impl Leases {
    /// The leases in this minute, and the money of those that are lost.
    pub(super) fn at(mut self, now: u64) -> (Self, u64) {
        let mut lost = 0_u64;
        for lease in [&mut self.newest, &mut self.older] {
            if !holds(lease.minute, now) {
                lost = lost.saturating_add(lease.nanos);
                *lease = Lease::default();
            }
        }
        if self.newest.minute == 0 {
            self.newest = std::mem::take(&mut self.older);
        }
        if self.newest.minute < now {
            self.older = self.newest;
            self.newest = Lease { minute: now, ..Lease::default() };
        }
        (self, lost)
    }

    pub(super) fn places(self) -> u32 {
        self.newest.places.saturating_add(self.older.places)
    }

    pub(super) fn nanos(self) -> u64 {
        self.newest.nanos.saturating_add(self.older.nanos)
    }

    /// Adds a request to the newest lease. Returns the lease's minute.
    pub(super) fn join(&mut self, nanos: u64) -> u64 {
        self.newest.places = self.newest.places.saturating_add(1);
        self.newest.nanos = self.newest.nanos.saturating_add(nanos);
        self.newest.minute
    }

    /// Takes a request out of the lease of its minute; false where that lease is lost.
    pub(super) fn leave(&mut self, minute: u64, nanos: u64) -> bool {
        let leases = [&mut self.newest, &mut self.older];
        let Some(own) = leases.into_iter().find(|lease| lease.minute == minute && lease.places > 0)
        else {
            return false;
        };
        own.places = own.places.saturating_sub(1);
        own.nanos = own.nanos.saturating_sub(nanos);
        true
    }

    /// Forgets the money, not the places.
    pub(super) fn forget_money(&mut self) {
        (self.newest.nanos, self.older.nanos) = (0, 0);
    }
}
