//! Starts the gateway for a test and lets the test look inside it.

mod admin;
mod envoy;
mod quiet;
mod render;
mod run;
pub(crate) mod runtime;
pub(crate) mod version;
pub(crate) mod wait;

pub(crate) use admin::Admin;
use envoy::Envoy;
pub(crate) use envoy::kept;
pub(crate) use quiet::{Quiet, quiet};
pub(crate) use render::filter;
pub(crate) use run::Run;
use std::net::SocketAddr;

/// A running gateway: the real Envoy, with the filter unless the test brings another configuration.
///
/// Envoy ends with this value, and also with the test process, however that ends.
pub(crate) struct Gateway {
    envoy: Envoy,
    addr: SocketAddr,
}

impl Gateway {
    /// Renders `toml` with the command under test and starts Envoy with the result.
    ///
    /// `environment` holds the secrets: the command and Envoy see these variables and no others.
    pub(crate) fn start(toml: &str, environment: &[(&str, &str)]) -> Self {
        let yaml = Self::render(toml, environment).unwrap_or_else(|error| panic!("{error}"));
        Self::from_yaml(&yaml, environment, &[])
    }

    /// The same without secrets, and with this number of worker threads.
    pub(crate) fn with_workers(workers: usize, toml: &str) -> Self {
        let yaml = Self::render(toml, &[]).unwrap_or_else(|error| panic!("{error}"));
        Self::from_yaml(&yaml, &[], &["--concurrency", &workers.to_string()])
    }

    /// The configuration that the command under test makes of `toml`, or its complaint.
    pub(crate) fn render(toml: &str, environment: &[(&str, &str)]) -> Result<String, String> {
        render::render("envoy", toml, environment)
    }

    /// The same in another form.
    pub(crate) fn render_for(
        form: &str,
        toml: &str,
        environment: &[(&str, &str)],
    ) -> Result<String, String> {
        render::render(form, toml, environment)
    }

    /// Starts Envoy with a configuration.
    pub(crate) fn from_yaml(yaml: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let envoy = Envoy::start(yaml, environment, arguments);
        let addr = wait::until("Envoy's listener", || envoy.admin().listener());
        Self { envoy, addr }
    }

    /// Where clients connect.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Envoy's admin interface.
    pub(crate) fn admin(&self) -> &Admin {
        self.envoy.admin()
    }

    /// All that Envoy has written to its log so far.
    pub(crate) fn logs(&self) -> String {
        self.envoy.logs()
    }

    /// Envoy's resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.envoy.memory()
    }

    /// Lets Envoy open no file descriptor whose number is this or more; what is open stays open.
    pub(crate) fn limit_files(&self, limit: u64) {
        self.envoy.limit_files(limit);
    }

    /// The linear memory of all VMs in bytes; 0 where none is found.
    pub(crate) fn vm_memory(&self) -> u64 {
        self.envoy.vm_memory()
    }

    /// Fails when the filter has trapped: its VM was reloaded, or the log tells of a crash.
    pub(crate) fn assert_no_trap(&self) {
        for (name, value) in self.admin().stats() {
            let reload = name.starts_with("wasm.") && name.contains("vm_reload");
            assert!(!reload || value == 0, "{name} is {value}\n{}", self.envoy.last_lines());
        }
        let crash = |line: &&str| {
            line.contains("panicked") || (line.contains("Proxy-Wasm") && line.contains("failed"))
        };
        let logs = self.logs();
        let crashes: Vec<&str> = logs.lines().filter(crash).collect();
        assert!(crashes.is_empty(), "the filter crashed:\n{}", crashes.join("\n"));
    }
}
