//! The feed's records as a worker reads them: its copies, as good as the counter of the feed's answers says.

use crate::host::Host;
use crate::host::metrics::Metric;

/// What the feed has told, as of one moment.
pub(super) struct Records<'a> {
    host: &'a dyn Host,
    changes: Option<u64>,
}

impl<'a> Records<'a> {
    pub(super) fn now(host: &'a dyn Host) -> Self {
        // An Envoy that keeps no such counter says 0 for ever, and no copy would ever be old.
        let changes = host.counted(Metric::FeedTaken).filter(|taken| *taken > 0);
        Self { host, changes }
    }

    /// Reads the record at a place of shared data; `None` where no record is there.
    pub(super) fn read<T>(&self, place: &str, read: impl FnOnce(Option<&[u8]>) -> T) -> T {
        let load = || self.host.load(place).map(|(bytes, _)| bytes);
        self.host.copies().read_named(place, self.changes, load, read)
    }
}
