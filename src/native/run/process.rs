//! The Envoy that is ours: started, watched until it is ready, and ended.

use std::fs::Permissions;
use std::io::{self, pipe};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::select;
use tokio::time::{interval, timeout};

use super::admin;
use super::failure::Failure;
use super::log::Log;
use crate::native::envoy::Envoy;
use crate::native::settings::Loaded;

/// How long Envoy may take to be ready.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// How often it is asked.
const READY_INTERVAL: Duration = Duration::from_millis(25);
/// How long it may take to end once it was asked to.
const END_LIMIT: Duration = Duration::from_secs(5);
/// Short lines: when, how bad, which part of Envoy, what.
const LOG_FORMAT: &str = "[%Y-%m-%d %T.%e][%l][%n] %v";

/// A running Envoy, with the private folder that its configuration is in.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// `None` once Envoy has ended and all was read.
    log: Option<Log>,
    folder: TempDir,
}

impl Process {
    pub(super) fn start(envoy: &Envoy, loaded: &Loaded, yaml: &str) -> Result<Self, Failure> {
        let owner_only = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("gaud-").permissions(owner_only).tempdir()?;
        let config = folder.path().join("envoy.yaml");
        fs::write(&config, yaml)?;
        let (log, writer) = pipe()?;
        let mut command = command(&envoy.path, loaded, &config, &admin_file(&folder));
        let child = command
            .stderr(writer)
            .spawn()
            .map_err(|error| Failure::NotStarted(envoy.path.clone(), error))?;
        Ok(Self { child, log: Some(Log::of(log)), folder })
    }

    /// The address of the admin, once Envoy serves.
    pub(super) async fn ready(&mut self) -> Result<SocketAddr, Failure> {
        let file = admin_file(&self.folder);
        let admin = select! {
            admin = timeout(READY_LIMIT, served(&file)) => admin,
            status = self.child.wait() => return Err(Failure::Refused(status?, self.reason())),
        };
        let Ok(admin) = admin else {
            self.child.kill().await?;
            return Err(Failure::NotReady(READY_LIMIT, self.reason()));
        };
        self.log.iter().for_each(Log::show);
        Ok(admin)
    }

    /// Returns when Envoy ends by itself, and has said its last word.
    pub(super) async fn exit(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.reason();
        Ok(status)
    }

    /// Asks Envoy to end, and kills it where it does not.
    pub(super) async fn end(mut self) -> io::Result<()> {
        let Some(pid) = self.child.id().and_then(pid) else {
            return Ok(()); // It has ended.
        };
        self.log.iter().for_each(Log::hide);
        let asked = kill_process(pid, Signal::TERM);
        if asked.is_err() || timeout(END_LIMIT, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    fn reason(&mut self) -> Vec<String> {
        self.log.take().map(Log::finish).unwrap_or_default()
    }
}

/// In a process group of its own, so that Ctrl-C in a terminal reaches us and not Envoy.
fn command(envoy: &Path, loaded: &Loaded, config: &Path, admin: &Path) -> Command {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get).to_string();
    let workers = loaded.workers.map_or_else(cores, |workers| workers.to_string());
    let mut command = Command::new(envoy);
    command
        .arg("-c")
        .arg(config)
        .args(["--concurrency", &workers, "--disable-hot-restart"])
        .args(["--log-level", "warn", "--log-format", LOG_FORMAT])
        .arg("--admin-address-path")
        .arg(admin)
        .envs(loaded.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Where Envoy writes the address of its admin, which may have been left to the system.
fn admin_file(folder: &TempDir) -> PathBuf {
    folder.path().join("admin-address.txt")
}

/// Asks until Envoy says that it is ready.
async fn served(admin_file: &Path) -> SocketAddr {
    let mut ticks = interval(READY_INTERVAL);
    loop {
        ticks.tick().await;
        let address = fs::read_to_string(admin_file).ok().and_then(|text| text.trim().parse().ok());
        match address {
            Some(address) if admin::ready(address).await => return address,
            _ => {}
        }
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}
