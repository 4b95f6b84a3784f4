//! Envoy's log as a file beside the ledger, where records of usage are safe whatever is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::failure::Failure;
use super::log::tell;
use crate::native::database::{DatabaseError, Databases};
use crate::native::gateway_id::GatewayId;
use crate::native::leases::Leaseholder;
use crate::native::ledger::{Folder, Follower};
use crate::native::prices::{Prices, SharedPrices};
use crate::native::settings::Loaded;

/// How long a start waits for the usage of other runs.
const RECOVERY_LIMIT: Duration = Duration::from_secs(10);

/// Of a log that another run has left, only what the follower says of it is news.
fn tell_own(line: String) {
    if line.starts_with("gaud: ") {
        tell(&line);
    }
}

/// Gives the rest of a gateway's leases back.
pub(super) struct GivesBack {
    leases: Arc<Leaseholder>,
    folder: Folder,
}

impl GivesBack {
    /// Envoy has ended. What it has used counts once it is in the ledger, and until then nothing is given back.
    pub(super) fn end(&self) {
        if !self.folder.left().is_empty() {
            return;
        }
        if let Err(error) = self.leases.end() {
            tell(&format!("gaud: this gateway keeps its part of budgets: {error}"));
        }
    }
}

/// Where Envoy's log goes, and how its records are taken in.
pub(super) struct Journal {
    folder: Folder,
    /// The follower has these too: what changes while the gateway runs counts for what comes then.
    pub(super) prices: SharedPrices,
    keep_days: u64,
    /// What the gateway holds of budgets that several gateways share.
    pub(super) leases: Option<Arc<Leaseholder>>,
}

impl Journal {
    /// In the data folder of the control server.
    pub(super) fn open(
        data: &Path,
        databases: Databases,
        gateway: Option<GatewayId>,
        loaded: &Loaded,
    ) -> Result<Self, Failure> {
        let wrong = |problem: &dyn std::fmt::Display| Failure::Control(problem.to_string());
        let folder = Folder::open(data, databases, gateway).map_err(|error| wrong(&error))?;
        let prices = Prices::of(&loaded.file).map_err(|problem| wrong(&problem))?;
        let keep_days = loaded.keep_days();
        Ok(Self { folder, prices: SharedPrices::new(prices), keep_days, leases: None })
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

    /// Set by each batch that the ledger has taken from this journal.
    pub(super) fn has_news(&self) -> Arc<AtomicBool> {
        self.folder.has_news()
    }

    /// What gives back what the gateway holds, once Envoy has ended.
    pub(super) fn end(&self) -> Option<GivesBack> {
        Some(GivesBack { leases: self.leases.clone()?, folder: self.folder.clone() })
    }

    fn follow(&self, path: &Path) -> Result<Follower, DatabaseError> {
        self.folder.follow(path, self.prices.clone(), self.keep_days)
    }
}
