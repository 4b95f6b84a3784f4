//! A provider that is a process of its own, and can be killed.

use super::raw::Closed;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The command's stand-in provider. It ends with this value.
pub(crate) struct Process {
    port: Closed,
    child: Option<Child>,
}

impl Process {
    pub(crate) fn start() -> Self {
        let mut process = Self { port: Closed::bind(), child: None };
        process.restart();
        process
    }

    pub(crate) fn url(&self) -> String {
        self.port.url()
    }

    /// Ends it as the system does that has no memory left, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a process to kill");
            child.wait().expect("the process's end");
        }
    }

    /// Starts it on the same port, and waits until it listens.
    pub(crate) fn restart(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gaud"))
            .args(["upstream", "--listen", &self.port.addr().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the gaud command runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        self.child = Some(child);
        BufReader::new(output).read_line(&mut line).expect("its address");
        assert_eq!(line.trim(), self.url());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
