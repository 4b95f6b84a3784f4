//! The built command as a child process, ended for certain, and the processes that it starts.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Longer than anything here takes, on a machine that has other things to do.
const LIMIT: Duration = Duration::from_secs(60);

/// A running `gaud`, in a process group, as a shell would start it.
pub(crate) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
}

/// How a program ended, and what it said on standard error.
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

impl Program {
    /// Starts `gaud` in `folder`, which also takes its temporary files, with no other environment.
    pub(crate) fn start(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command(folder, arguments, environment)
            .stderr(Stdio::piped())
            .spawn()
            .expect("gaud starts");
        let stderr = child.stderr.take().expect("a pipe");
        Self::of(child, stderr)
    }

    /// The same, where standard error is a terminal.
    pub(crate) fn start_at_terminal(
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let (shown, terminal) = terminal();
        let child = command(folder, arguments, environment).stderr(terminal).spawn();
        Self::of(child.expect("gaud starts"), shown)
    }

    fn of(mut child: Child, stderr: impl Read + Send + 'static) -> Self {
        let stdout = lines(child.stdout.take().expect("a pipe"));
        Self { child, stdout, stderr: Some(thread::spawn(|| text(stderr))) }
    }

    /// The first address that it prints.
    pub(crate) fn address(&mut self) -> String {
        let address = |line: String| {
            let (_, rest) = line.split_once("http://")?;
            Some(rest.split(['/', ' ']).next()?.trim_end_matches('.').to_owned())
        };
        let deadline = Instant::now() + LIMIT;
        while let Ok(line) = self.stdout.recv_timeout(deadline - Instant::now()) {
            if let Some(address) = address(line) {
                return address;
            }
        }
        let _ = kill_process(self.pid(), Signal::TERM);
        panic!("gaud printed no address:\n{}", self.ended().stderr);
    }

    /// The rest of the next line of standard output that has `words`.
    pub(crate) fn said(&mut self, words: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        while let Ok(line) = self.stdout.recv_timeout(deadline - Instant::now()) {
            if let Some((_, rest)) = line.split_once(words) {
                return rest.to_owned();
            }
        }
        let _ = kill_process(self.pid(), Signal::TERM);
        panic!("gaud did not say {words:?}:\n{}", self.ended().stderr);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("gaud takes signals");
    }

    /// What a terminal does for Ctrl-C: it tells the whole process group.
    pub(crate) fn interrupt(&self) {
        kill_process_group(self.pid(), Signal::INT).expect("gaud takes signals");
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> End {
        let status = until("the end of gaud", || self.child.try_wait().expect("a child"));
        let stderr = self.stderr.take().expect("ended once").join().expect("text");
        End { status, stderr }
    }

    /// The one process that it has started, as soon as there is one.
    pub(crate) fn only_child(&self) -> Process {
        until("a child of gaud", || self.children().pop())
    }

    pub(crate) fn children(&self) -> Vec<Process> {
        Process::all().filter(|process| process.parent == self.child.id()).collect()
    }

    pub(crate) fn group(&self) -> u32 {
        self.child.id() // it leads its group
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Program {
    /// Asks first: a killed `gaud` could not end its Envoy.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            let deadline = Instant::now() + Duration::from_secs(15);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(10));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A process as the system lists it; the time of its start tells it from a later one of its number.
#[derive(Debug, PartialEq)]
pub(crate) struct Process {
    id: u32,
    parent: u32,
    pub(crate) group: u32,
    start: u64,
}

impl Process {
    fn all() -> impl Iterator<Item = Self> {
        let entries = fs::read_dir("/proc").expect("a list of processes");
        entries
            .flatten()
            .filter_map(|entry| Self::parse(&fs::read_to_string(entry.path().join("stat")).ok()?))
    }

    /// Reads `ID (NAME) STATE PARENT GROUP …`, where a name may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (id, rest) = stat.split_once(' ')?;
        let fields: Vec<&str> = rest.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self {
            id: id.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            start: fields.get(19)?.parse().ok()?,
        })
    }

    pub(crate) fn alive(&self) -> bool {
        Self::all().any(|other| other.id == self.id && other.start == self.start)
    }

    pub(crate) fn kill(&self) {
        let pid = i32::try_from(self.id).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, Signal::KILL).expect("it takes signals");
    }
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn command(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaud"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", folder)
        .env("XDG_CACHE_HOME", folder)
        .envs(environment.iter().copied())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// A terminal: where a person reads, and where a program writes.
fn terminal() -> (File, File) {
    let shown = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
    let shown = shown.expect("a terminal");
    grantpt(&shown).and_then(|()| unlockpt(&shown)).expect("a terminal of this user");
    let name = ptsname(&shown, Vec::new()).expect("a name");
    let path = name.to_str().expect("UTF-8");
    let terminal = File::options().read(true).write(true).open(path).expect("a terminal");
    (shown.into(), terminal)
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Reads on when no test listens: a full pipe would stop the program.
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

fn text(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
