//! Envoy's log as a file beside the ledger, where records of usage are safe whatever is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::failure::Failure;
use super::log::tell;
use crate::native::ledger::{Folder, Follower};
use crate::native::prices::{Prices, SharedPrices};
use crate::native::settings::Loaded;

/// For how many days the ledger keeps each attempt, unless the configuration says otherwise.
const KEEP_DAYS: u32 = 30;

/// How long a start waits for the usage of other runs.
const RECOVERY_LIMIT: Duration = Duration::from_secs(10);

/// Of a log that another run has left, only what the follower says of it is news.
fn tell_own(line: String) {
    if line.starts_with("gaud: ") {
        tell(&line);
    }
}

/// Where Envoy's log goes, and how its records are taken in.
#[derive(Debug)]
pub(super) struct Journal {
    folder: Folder,
    /// The follower has these too: what changes while the gateway runs counts for what comes then.
    pub(super) prices: SharedPrices,
    keep_days: u64,
}

impl Journal {
    /// In the data folder of the control server.
    pub(super) fn open(data: &Path, loaded: &Loaded) -> Result<Self, Failure> {
        let wrong = |problem: &dyn std::fmt::Display| Failure::Control(problem.to_string());
        let folder = Folder::open(data).map_err(|error| wrong(&error))?;
        let prices = Prices::of(&loaded.file).map_err(|problem| wrong(&problem))?;
        let keep_days = loaded.file.usage.as_ref().and_then(|usage| usage.keep_days);
        let keep_days = keep_days.unwrap_or(KEEP_DAYS).into();
        Ok(Self { folder, prices: SharedPrices::new(prices), keep_days })
    }

    /// Takes in what other runs have left, and returns when that is done, or after a while: budgets need to know what was
    /// spent.
    pub(super) fn recover(&self) {
        let (sender, done) = channel::<()>();
        for path in self.folder.left() {
            match self.follow(&path) {
                // An Envoy that outlives its run may still write.
                Ok(follower) => {
                    let follower = follower.telling(sender.clone());
                    thread::spawn(move || follower.run(&AtomicBool::new(false), tell_own));
                }
                Err(problem) => tell(&format!("gaud: {}: {problem}", path.display())),
            }
        }
        drop(sender);
        if done.recv_timeout(RECOVERY_LIMIT) == Err(RecvTimeoutError::Timeout) {
            tell(
                "gaud: the usage of the last run is still being taken in: budgets may know less than was spent",
            );
        }
    }

    /// The file for an Envoy that begins, and the file's follower.
    pub(super) fn begin(&self) -> Result<(File, Follower), Failure> {
        let (file, path): (File, PathBuf) =
            self.folder.begin().map_err(|error| Failure::Control(error.to_string()))?;
        let follower = self.follow(&path).map_err(|error| Failure::Control(error.to_string()))?;
        Ok((file, follower))
    }

    fn follow(&self, path: &Path) -> Result<Follower, crate::native::ledger::LedgerError> {
        self.folder.follow(path, self.prices.clone(), self.keep_days)
    }
}
