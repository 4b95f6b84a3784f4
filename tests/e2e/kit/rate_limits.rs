//! The real envoyproxy/ratelimit with a real Redis: what gateways count together with.

use super::harness::{kept, wait};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// A server that ends with this value, and also with the test process.
pub(crate) struct Server {
    child: Child,
    lifeline: Option<ChildStdin>,
    port: u16,
}

impl Server {
    fn start(port: u16, settings: impl Fn(&mut Command, &Path)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let mut command = kept(&folder);
        settings(&mut command, &folder);
        let log = File::create(folder.join("log")).expect("a log file");
        command.current_dir(folder).stdin(Stdio::piped());
        command.stdout(log.try_clone().expect("the log file")).stderr(log);
        let mut child = command.spawn().expect("sh runs");
        let lifeline = child.stdin.take();
        let server = Self { child, lifeline, port };
        wait::until_true("a server's port", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        server
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the server takes signals");
    }

    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("its end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.child.wait();
    }
}

/// The service and its Redis.
pub(crate) struct RateLimits {
    pub(crate) redis: Server,
    pub(crate) service: Server,
    ports: [u16; 3],
}

impl RateLimits {
    pub(crate) fn start() -> Self {
        let [redis_port, ports @ ..] = free_ports();
        let redis = redis(redis_port);
        let service = service(redis_port, ports);
        Self { redis, service, ports }
    }

    /// Where gateways find the service.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// Starts the service again, where it was.
    pub(crate) fn restart_service(&mut self) {
        self.service = service(self.redis.port, self.ports);
    }

    /// Starts an empty Redis, where it was.
    pub(crate) fn restart_redis(&mut self) {
        self.redis = redis(self.redis.port);
    }

    /// How much is counted under a name, in all minutes that Redis still has.
    pub(crate) fn counted(&self, descriptor: &str, name: &str) -> u64 {
        let keys = self.ask(&format!("KEYS gaud_{descriptor}_{name}_*"));
        let keys: Vec<_> = keys.lines().filter(|line| line.starts_with("gaud_")).collect();
        let number =
            |key: &&str| self.ask(&format!("GET {key}")).lines().nth(1)?.parse::<u64>().ok();
        keys.iter().filter_map(number).sum()
    }

    /// How often anything was asked.
    pub(crate) fn questions(&self) -> u64 {
        let stats = self.ask("INFO commandstats");
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_incrby:calls="));
        line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or_default()
    }

    /// Redis's answer to a command, which has no spaces in its words.
    fn ask(&self, command: &str) -> String {
        let mut redis = TcpStream::connect(("127.0.0.1", self.redis.port)).expect("Redis");
        write!(redis, "{command}\r\nQUIT\r\n").expect("a command");
        let mut answer = String::new();
        redis.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

fn redis(port: u16) -> Server {
    Server::start(port, |command, _| {
        command.args(["redis-server", "--bind", "127.0.0.1", "--save", "", "--port"]);
        command.arg(port.to_string());
    })
}

/// The ports are those of gRPC, HTTP and debugging.
fn service(redis_port: u16, [grpc, http, debug]: [u16; 3]) -> Server {
    Server::start(grpc, |command, folder| {
        let config = folder.join("gaud/config");
        std::fs::create_dir_all(&config).expect("a folder");
        std::fs::write(config.join("gaud.yaml"), rendered()).expect("a file");
        command.arg(program()).env("RUNTIME_ROOT", folder).env("RUNTIME_SUBDIRECTORY", "gaud");
        for (prefix, port) in [("GRPC_", grpc), ("", http), ("DEBUG_", debug)] {
            command.env(format!("{prefix}HOST"), "127.0.0.1");
            command.env(format!("{prefix}PORT"), port.to_string());
        }
        command.env("REDIS_SOCKET_TYPE", "tcp").env("REDIS_URL", format!("127.0.0.1:{redis_port}"));
        command.env("STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT", "true");
        command.env("USE_STATSD", "false");
    })
}

/// The configuration of the service.
fn rendered() -> Vec<u8> {
    let mut gaud = Command::new(env!("CARGO_BIN_EXE_gaud"));
    gaud.args(["render", "--for", "ratelimit"]).output().expect("gaud runs").stdout
}

fn program() -> PathBuf {
    let program = std::env::var_os("GAUD_RATELIMIT").map(PathBuf::from);
    program.expect(
        "GAUD_RATELIMIT names the program of envoyproxy/ratelimit: `make test-ratelimit` sets it",
    )
}

fn free_ports() -> [u16; 4] {
    let listeners = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// Waits until the service's minute has more than `secs` seconds left: within a minute no units come back.
pub(crate) fn wait_for_a_minute_with(secs: u64) {
    let left = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        60 - now.as_secs() % 60
    };
    wait::until_within(std::time::Duration::from_secs(61), "the next minute", || {
        (left() > secs).then_some(())
    });
}
