//! `gaud run` with its Envoy, for tests of a configuration that changes.

use super::Admin;
use super::envoy::{find_envoy, kept, memory, process};
use super::quiet::starting;
use super::render::filter;
use super::wait::{until, until_within};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{File, read_to_string};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a start may take on a machine that does other things too.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running `gaud run`. It ends with this value, and also with the test process.
pub(crate) struct Run {
    child: Child,
    lifeline: Option<ChildStdin>,
    /// The configuration, the log, and the folder of temporary files.
    folder: PathBuf,
    addr: SocketAddr,
}

impl Run {
    /// Runs `toml` in a folder of its own.
    pub(crate) fn start(toml: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        std::fs::write(folder.join("gaud.toml"), toml).expect("gaud.toml is written");
        Self::start_in(folder, &[])
    }

    /// The same with these variables.
    pub(crate) fn start_with(toml: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        std::fs::write(folder.join("gaud.toml"), toml).expect("gaud.toml is written");
        Self::start_as(folder, &[], environment)
    }

    /// Runs the `gaud.toml` of a folder, which goes with the value.
    pub(crate) fn start_in(folder: PathBuf, arguments: &[&str]) -> Self {
        Self::start_as(folder, arguments, &[])
    }

    /// The same with these variables, for a folder that may be another run's.
    pub(crate) fn start_again(folder: PathBuf, environment: &[(&str, &str)]) -> Self {
        Self::start_as(folder, &[], environment)
    }

    fn start_as(folder: PathBuf, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let _starting = starting();
        let mut child = spawn(&folder, arguments, environment);
        let lifeline = child.stdin.take();
        let addr = until_within(START_LIMIT, "the gateway's address", || {
            let ended = child.try_wait().expect("a child to ask");
            assert!(ended.is_none(), "gaud run has ended:\n{}", log(&folder));
            address(&log(&folder))
        });
        Self { child, lifeline, folder, addr }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the command and Envoy have said so far.
    pub(crate) fn log(&self) -> String {
        log(&self.folder)
    }

    /// The admin key of the first start.
    pub(crate) fn admin_key(&self) -> String {
        let key = read_to_string(self.folder.join("state/gaud/admin-key")).expect("a key");
        key.trim().to_owned()
    }

    /// Where the command keeps the files that Envoy watches.
    pub(crate) fn watched(&self) -> PathBuf {
        watched(&self.folder).expect("a folder of gaud run")
    }

    pub(crate) fn admin(&self) -> Admin {
        Admin::new(self.watched().join("admin.sock").to_str().expect("UTF-8"))
    }

    /// Replaces the configuration as editors do: as a whole.
    pub(crate) fn write(&self, toml: &str) {
        let next = self.folder.join("next.toml");
        std::fs::write(&next, toml).expect("a file");
        std::fs::rename(next, self.folder.join("gaud.toml")).expect("a place");
    }

    /// The version that the command has said is in effect; 1 before a change.
    pub(crate) fn version(&self) -> u64 {
        let log = self.log();
        let version = |line: &str| {
            let (_, rest) = line.split_once(": version ")?;
            rest.split_once(' ')?.0.parse().ok()
        };
        log.lines().filter_map(version).next_back().unwrap_or(1)
    }

    /// Replaces the configuration, waits until the command says that it is in effect, and returns how long that took.
    pub(crate) fn change(&self, toml: &str) -> Duration {
        let before = self.version();
        let start = Instant::now();
        self.write(toml);
        until("a new version", || (self.version() > before).then_some(()));
        start.elapsed()
    }

    /// Waits for a line of the log that has `words` in it.
    pub(crate) fn wait_for(&self, words: &str) {
        until(words, || self.log().contains(words).then_some(()));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("gaud takes signals");
    }

    /// Leaves the folder where it is, for another run.
    pub(crate) fn keep(&self) {
        std::fs::write(self.folder.join("keep"), "").expect("a file");
    }

    /// Runs the command in the folder of the gateway: what it prints, or what it says is wrong.
    pub(crate) fn command(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaud"));
        command.args(arguments).current_dir(&self.folder).env_clear();
        command.env("XDG_STATE_HOME", self.folder.join("state"));
        let output = command.output().expect("gaud runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Where the gateway has said last that it is: an Envoy that was started again has another port.
    pub(crate) fn last_addr(&self) -> SocketAddr {
        let log = self.log();
        let last = log.rfind("Gaud is ready on ").and_then(|place| address(&log[place..]));
        last.unwrap_or(self.addr)
    }

    /// Kills Envoy alone, and waits for the next Envoy of `--restart`.
    pub(crate) fn kill_envoy(&self) -> SocketAddr {
        let before = self.last_addr();
        let pid = Pid::from_raw(self.envoy().cast_signed()).expect("a process");
        kill_process(pid, Signal::KILL).expect("an Envoy");
        until_within(START_LIMIT, "the next Envoy", || {
            Some(self.last_addr()).filter(|now| *now != before)
        })
    }

    /// Envoy's process.
    pub(crate) fn envoy(&self) -> u32 {
        let config = self.watched().join("envoy.yaml");
        process(|word| word == config.as_os_str().as_encoded_bytes())
    }

    /// Envoy's resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        memory(self.envoy())
    }

    /// Waits for its end, and says whether that was a success.
    pub(crate) fn ended(&mut self) -> bool {
        until("the end of gaud run", || self.child.try_wait().expect("a child")).success()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        until("the end of gaud run", || self.child.try_wait().expect("a child"));
    }
}

fn spawn(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
    let log = File::create(folder.join("log")).expect("a log file");
    let mut command = kept(folder);
    command.arg(env!("CARGO_BIN_EXE_gaud")).arg("run").args(arguments);
    if !arguments.contains(&"--wasm") {
        command.arg("--wasm").arg(filter());
    }
    command.current_dir(folder).env("TMPDIR", folder).env("XDG_CACHE_HOME", folder);
    command.env("XDG_STATE_HOME", folder.join("state"));
    command.env("ENVOY_PATH", find_envoy()).envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(log.try_clone().expect("the log file")).stderr(log);
    command.spawn().expect("sh runs")
}

fn log(folder: &Path) -> String {
    read_to_string(folder.join("log")).unwrap_or_default()
}

fn address(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("Gaud is ready on ")?;
    rest.lines().next()?.split_once("://")?.1.parse().ok()
}

fn watched(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| path.join("admin.sock").exists())
}
