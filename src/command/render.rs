//! `gaud render`: the Envoy configuration, as a person would keep it.
//!
//! The text is [`TEMPLATE`]; this module says what stands in its gaps.

mod cluster;
mod local_reply;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gaud::capabilities::{CAPABILITIES, HOP_CAPABILITIES};
use gaud::config::{File, Gateway, SecretSource, TIMEOUT_SECS};
use gaud::metrics;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::envoy;
use super::load::{self, Env, Loaded};

const TEMPLATE: &str = include_str!("render/envoy.yaml");

/// A stream on which nothing has moved for this long is dead.
const IDLE_SECS: u64 = 300;

/// Print the Envoy configuration, for those who run Envoy themselves
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The configuration; default: gaud.toml or llm-proxy.toml in the current folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The filter, where Envoy will find it
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

/// What starts an Envoy.
pub(crate) struct Rendered {
    pub(crate) yaml: String,
    /// Where Envoy will look for the filter.
    pub(crate) wasm: PathBuf,
    /// Secrets for Envoy's environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) workers: Option<u32>,
}

/// Why nothing was rendered.
#[derive(Debug)]
pub(crate) enum Error {
    Config(load::Error),
    /// The filter is in none of these places.
    NoWasm(Vec<PathBuf>),
    Template(minijinja::Error),
}

/// Prints the configuration.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let env = |name: &str| std::env::var_os(name);
    let rendered = rendered(args.config.as_deref(), args.wasm.as_deref(), &env)?;
    println!("{}", rendered.yaml);
    Ok(ExitCode::SUCCESS)
}

/// Renders the configuration.
pub(crate) fn rendered(
    config: Option<&Path>,
    wasm: Option<&Path>,
    env: Env<'_>,
) -> Result<Rendered, Error> {
    let loaded = load::load(config, env).map_err(Error::Config)?;
    let wasm = find_wasm(wasm, env)?;
    let yaml = yaml(&loaded, &wasm, env).map_err(Error::Template)?;
    Ok(Rendered {
        wasm,
        yaml,
        environment: loaded.environment,
        listen: loaded.listen,
        admin_listen: loaded.admin_listen,
        workers: loaded.workers,
    })
}

fn yaml(loaded: &Loaded, wasm: &Path, env: Env<'_>) -> Result<String, minijinja::Error> {
    let gateway = &loaded.gateway;
    let longest_secs = gateway.providers().iter().filter_map(|provider| provider.timeout_ms).max();
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.template_from_str(TEMPLATE)?.render(context! {
        envoy_version => envoy::PINNED,
        source => loaded.path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()),
        environment => Serde(variables(&loaded.file)),
        listen => socket_address(loaded.listen),
        admin_listen => socket_address(loaded.admin_listen),
        body_limit_bytes => gateway.body_limit_bytes,
        default_timeout_secs => TIMEOUT_SECS,
        idle_secs => longest_secs.map_or(0, |longest_ms| longest_ms.div_ceil(1000)).max(IDLE_SECS),
        local_replies => Serde(local_reply::all(gateway.body_limit_bytes)),
        wasm => wasm.to_string_lossy().into_owned(),
        capabilities => Serde(CAPABILITIES),
        stats_tags => Serde(metrics::labels()),
        filter_json => filter_json(&loaded.file),
        hop => Serde(gateway.has_hop().then(|| Hop::of(gateway))),
        clusters => Serde(cluster::all(gateway, env)),
    })
}

/// How requests are sent again.
#[derive(Serialize)]
struct Hop {
    backoff_secs: f64,
    backoff_max_secs: f64,
    retry_after_max_secs: u32,
    capabilities: &'static [&'static str],
}

impl Hop {
    fn of(gateway: &Gateway) -> Self {
        const LONGEST: f64 = 10.0;
        let backoff_secs = f64::from(gateway.retries.backoff_ms) / 1000.0;
        Self {
            backoff_secs,
            backoff_max_secs: backoff_secs * LONGEST,
            retry_after_max_secs: gateway.retries.retry_after_max_secs,
            capabilities: HOP_CAPABILITIES,
        }
    }
}

/// The file without what belongs to Envoy: the filter's own configuration.
fn filter_json(file: &File) -> String {
    let mut file = file.clone();
    (file.listen, file.admin_listen, file.workers) = (None, None, None);
    for (_, provider) in &mut file.providers.0 {
        (provider.ca_file, provider.http2) = (None, None);
    }
    // Fails on a literal secret only, and none is left.
    serde_json::to_string_pretty(&file).unwrap_or_default()
}

/// The environment variables that the filter reads.
fn variables(file: &File) -> Vec<String> {
    let mut names = Vec::new();
    for (_, provider) in file.providers.iter() {
        let headers = provider.headers.iter().map(|(_, value)| SecretSource::parse(value));
        for source in provider.api_key.iter().cloned().chain(headers) {
            if let SecretSource::Environment(name) = source
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
    }
    names
}

fn socket_address(address: SocketAddr) -> String {
    format!(
        "{{ socket_address: {{ address: \"{}\", port_value: {} }} }}",
        address.ip(),
        address.port()
    )
}

/// The filter: where it was named (Envoy may run on another machine), beside the command, or where
/// cargo builds it.
fn find_wasm(named: Option<&Path>, env: Env<'_>) -> Result<PathBuf, Error> {
    if let Some(named) = named.map(Path::to_owned).or_else(|| env("GAUD_WASM").map(PathBuf::from)) {
        return Ok(named);
    }
    let beside = |path: &str| Some(std::env::current_exe().ok()?.parent()?.join(path));
    let places: Vec<PathBuf> =
        ["gaud.wasm", "../wasm32-wasip1/release/gaud.wasm", "../lib/gaud/gaud.wasm"]
            .into_iter()
            .filter_map(beside)
            .collect();
    let found = places.iter().find_map(|path| path.canonicalize().ok());
    found.ok_or(Error::NoWasm(places))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NoWasm(places) => {
                let places: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
                write!(
                    f,
                    "the filter gaud.wasm is not there ({}); build it with `make build`, or name \
                     it with --wasm or GAUD_WASM",
                    places.join(", ")
                )
            }
            Self::Template(error) => {
                write!(f, "the Envoy configuration cannot be rendered: {error}")
            }
        }
    }
}

impl std::error::Error for Error {}
