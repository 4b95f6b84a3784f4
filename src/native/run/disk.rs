//! Whether the disk of the journal has room: what could not be recorded is not served.

use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// The space that must be there, unless the configuration says otherwise: the journal of a hundred thousand requests.
const MIN_FREE_BYTES: u64 = 32 * 1024 * 1024;

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The disk with the data folder of the control server.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    is_full: bool,
}

impl Disk {
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder, is_full: false }
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns when the disk has become full, or has room again.
    pub(super) async fn changed(&mut self, min_free_bytes: Option<u64>) {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let was_full = self.is_full;
            self.look(min_free_bytes.unwrap_or(MIN_FREE_BYTES));
            if self.is_full != was_full {
                return;
            }
        }
    }

    /// A disk that does not tell has room.
    fn look(&mut self, min_free_bytes: u64) {
        let Ok(stat) = rustix::fs::statvfs(&self.folder) else { return };
        let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
        // A quarter more before it counts as room again: else it would be both in turn.
        let slack_bytes = if self.is_full { min_free_bytes / 4 } else { 0 };
        self.is_full = free_bytes < min_free_bytes.saturating_add(slack_bytes);
    }

    /// What the log says of a change.
    pub(super) fn news(&self) -> String {
        let folder = self.folder.display();
        match self.is_full {
            true => format!(
                "warning: the disk of {folder} is full: requests that are metered are refused until usage can be recorded; free space there"
            ),
            false => format!("the disk of {folder} has room again: all requests are served"),
        }
    }
}

/// Returns when the room on the disk of a metered gateway has changed.
pub(super) async fn room_changed(
    disk: Option<&mut Disk>,
    is_metered: bool,
    min_free_bytes: Option<u64>,
) {
    match disk.filter(|_| is_metered) {
        Some(disk) => disk.changed(min_free_bytes).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_by_its_free_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::of(folder.path().to_owned());
        disk.look(1);
        assert!(!disk.is_full());
        disk.look(u64::MAX);
        assert!(disk.is_full());
        let news = disk.news();
        assert!(news.ends_with("until usage can be recorded; free space there"), "{news}");
        disk.look(1);
        assert!(!disk.is_full());
        assert!(disk.news().ends_with("has room again: all requests are served"));
    }
}
