//! The Envoy that is ours: started, watched until it is ready, and ended.

use std::io::{self, pipe};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::select;
use tokio::time::{interval, timeout};

use super::admin;
use super::failure::Failure;
use super::folder::{PrivateFolder, unwritable};
use super::journal::{GivesBack, Journal};
use super::log::{Log, Rejections};
use crate::native::envoy::Envoy;
use crate::native::live::Live;
use crate::native::settings::Loaded;

/// How long Envoy may take to be ready.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// How often it is asked.
const READY_INTERVAL: Duration = Duration::from_millis(25);
/// The longest path of a socket, without its end (macOS: unix(4)).
const SOCKET_PATH_MAX: usize = 103;
/// How often Envoy is asked for its requests while it drains.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);
/// How long it may take to end once it was asked to.
const END_LIMIT: Duration = Duration::from_secs(5);
/// Short lines: when, how bad, which part of Envoy, what.
const LOG_FORMAT: &str = "[%Y-%m-%d %T.%e][%l][%n] %v";

/// A running Envoy, with the private folder that its configuration is in.
pub(super) struct Process {
    child: Child,
    /// `None` once Envoy has ended and all was read.
    log: Option<Log>,
    folder: PrivateFolder,
    /// How long a stop waits for streams.
    drain: Duration,
    leases: Option<GivesBack>,
}

impl Process {
    /// Starts Envoy with its files in `folder`.
    pub(super) fn start(
        envoy: &Envoy,
        loaded: &Loaded,
        folder: PrivateFolder,
        bootstrap: &str,
        journal: Option<&Journal>,
    ) -> Result<Self, Failure> {
        let config = folder.path().join("envoy.yaml");
        fs::write(&config, bootstrap).map_err(unwritable)?;
        let (log, writer) = log(journal)?;
        let mut command = command(&envoy.path, loaded, &config);
        let child = command
            .stderr(writer)
            .spawn()
            .map_err(|error| Failure::NotStarted(envoy.path.clone(), error))?;
        let leases = journal.and_then(Journal::end);
        Ok(Self { child, log: Some(log), folder, drain: loaded.drain, leases })
    }

    /// Why Envoy refuses documents.
    pub(super) fn rejections(&self) -> Rejections {
        self.log.as_ref().map(|log| log.rejections.clone()).unwrap_or_default()
    }

    /// Returns when Envoy serves what it was started with.
    pub(super) async fn ready(&mut self, live: &Live) -> Result<(), Failure> {
        let admin = admin_socket(&self.folder)?;
        let serves = async {
            served(&admin).await;
            live.begun().await
        };
        let refusal = select! {
            begun = timeout(READY_LIMIT, serves) => match begun {
                Ok(Ok(())) => None,
                Ok(Err(refusal)) => Some(refusal),
                Err(_) => {
                    self.child.kill().await?;
                    return Err(Failure::NotReady(READY_LIMIT, self.reason()));
                }
            },
            status = self.child.wait() => return Err(Failure::Refused(status?, self.reason())),
        };
        if let Some(refusal) = refusal {
            self.child.kill().await?;
            return Err(Failure::NotTaken(refusal, self.reason()));
        }
        self.log.iter().for_each(Log::show);
        Ok(())
    }

    /// How long the next stop waits for streams.
    pub(super) fn set_drain(&mut self, drain: Duration) {
        self.drain = drain;
    }

    /// Returns when Envoy has ended without being asked, and its output is read to the end.
    pub(super) async fn exit(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.reason();
        Ok(status)
    }

    /// Takes no new connections, and waits for the requests under way.
    pub(super) async fn drain(&self) {
        let Ok(admin) = admin_socket(&self.folder) else { return };
        if self.drain.is_zero() || !admin::drain(&admin).await {
            return; // Envoy does not serve yet, or no more.
        }
        let mut ticks = interval(DRAIN_INTERVAL);
        let idle = async {
            while admin::requests(&admin).await.is_some_and(|count| count > 0) {
                ticks.tick().await;
            }
        };
        // What is left then is cut.
        let _ = timeout(self.drain, idle).await;
    }

    /// Asks Envoy to end, and kills it where it does not.
    pub(super) async fn end(mut self) -> io::Result<()> {
        // Else it has ended.
        if let Some(pid) = self.child.id().and_then(pid) {
            self.log.iter().for_each(Log::hide);
            let asked = kill_process(pid, Signal::TERM);
            if asked.is_err() || timeout(END_LIMIT, self.child.wait()).await.is_err() {
                self.child.kill().await?;
            }
        }
        // The last records are taken in.
        self.reason();
        self.leases.iter().for_each(GivesBack::end);
        Ok(())
    }

    fn reason(&mut self) -> Vec<String> {
        self.log.take().map(Log::finish).unwrap_or_default()
    }
}

/// Envoy's log, and what Envoy writes it to.
fn log(journal: Option<&Journal>) -> Result<(Log, Stdio), Failure> {
    match journal {
        Some(journal) => {
            let (file, follower) = journal.begin()?;
            Ok((Log::following(follower), file.into()))
        }
        None => {
            let (reader, writer) = pipe()?;
            Ok((Log::of(reader), writer.into()))
        }
    }
}

/// In a process group of its own, so that Ctrl-C in a terminal reaches us and not Envoy.
fn command(envoy: &Path, loaded: &Loaded, config: &Path) -> Command {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get).to_string();
    let workers = loaded.workers.map_or_else(cores, |workers| workers.to_string());
    let mut command = with_us(envoy);
    command
        .arg("-c")
        .arg(config)
        .args(["--concurrency", &workers, "--disable-hot-restart"])
        .args(["--log-level", "warn", "--log-format", LOG_FORMAT])
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Envoy, which ends with this process however that ends.
#[cfg(target_os = "linux")]
fn with_us(envoy: &Path) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args([super::with_parent::NAME, &std::process::id().to_string(), "--"]).arg(envoy);
    command
}

#[cfg(not(target_os = "linux"))]
fn with_us(envoy: &Path) -> Command {
    Command::new(envoy)
}

/// Where Envoy has its admin interface.
pub(super) fn admin_socket(folder: &PrivateFolder) -> Result<PathBuf, Failure> {
    let socket = folder.path().join("admin.sock");
    match socket.as_os_str().len() {
        0..=SOCKET_PATH_MAX => Ok(socket),
        _ => Err(Failure::LongPath(socket)),
    }
}

/// Asks until Envoy says that it is ready.
async fn served(admin: &Path) {
    let mut ticks = interval(READY_INTERVAL);
    loop {
        ticks.tick().await;
        if admin::ready(admin).await {
            return;
        }
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}
