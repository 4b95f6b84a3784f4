//! A PostgreSQL for tests: a new cluster on a Unix socket, which ends with the test process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The name of the superuser, who needs no password on the socket.
pub(crate) const USER: &str = "gaud";

const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Server {
    /// The folder of the socket.
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    /// The shell that has started the server ends the server when its standard input closes.
    _shell: Child,
}

/// The server of this test process.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// The URL of a new, empty database.
pub(crate) fn new_database() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    server().sql("postgres", &format!("CREATE DATABASE {name}"));
    server().url(&name)
}

impl Server {
    /// Starts a server of its own, for a test that ends or pauses the server.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let data = folder.join("data");
        give_to_server(&folder);
        let created = as_server("initdb")
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"])
            .args(["--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        secure(&folder, &data);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let shell = run(&folder, port);
        let server = Self { folder, port, _shell: shell };
        let start = Instant::now();
        while !server.is_ready() {
            assert!(start.elapsed() < START_LIMIT, "{}", server.log());
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements, and returns what `psql` prints.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let url = self.url(database);
        let arguments = ["--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname"];
        let done =
            as_server("psql").args(arguments).args([&url, "--command", sql]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    fn is_ready(&self) -> bool {
        let url = self.url("postgres");
        let asked = as_server("pg_isready").args(["--quiet", "--dbname", &url]).status();
        asked.unwrap().success()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

/// The server, as the child of a shell that waits for the end of its standard input.
fn run(folder: &Path, port: u16) -> Child {
    let script = "\"$@\" & read -r _; kill -INT $!; wait $!; rm -rf \"$FOLDER\"";
    let log = fs::File::create(folder.join("log")).unwrap();
    let server = as_server("postgres");
    Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(server.get_program())
        .args(server.get_args())
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={port}")])
        .args(["-c", &format!("unix_socket_directories={}", folder.display())])
        .args(["-c", "fsync=off", "-c", "max_connections=300", "-c", "ssl=on"])
        .env("FOLDER", folder)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// PostgreSQL's programs do not run as root. Debian has them outside of the PATH, in a folder for each version.
fn as_server(program: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut programs: Vec<_> =
        versions.map(|version| version.path().join("bin").join(program)).collect();
    programs.retain(|path| path.exists());
    programs.sort();
    let program = programs.pop().unwrap_or_else(|| {
        panic!("PostgreSQL's {program} is not installed: `make servers` installs it")
    });
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
    command.current_dir("/");
    command
}

/// A certificate for `localhost` of an authority whose certificate is `ca.pem`, and passwords for all but the superuser.
fn secure(folder: &Path, data: &Path) {
    let key = || rcgen::KeyPair::generate().unwrap();
    let mut own = rcgen::CertificateParams::new(Vec::new()).unwrap();
    own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let (authority_key, server_key) = (key(), key());
    let authority = own.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&own, &authority_key);
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&server_key, &issuer).unwrap();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let settings = "local all all trust\nhost all gaud all trust\nhost all all all scram-sha-256\n";
    for (name, text) in [
        ("server.crt", server.pem()),
        ("server.key", server_key.serialize_pem()),
        ("pg_hba.conf", settings.to_owned()),
    ] {
        let path = data.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        give_to_server(&path);
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn give_to_server(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").arg("postgres:postgres").arg(folder).status().unwrap();
        assert!(given.success());
    }
}
