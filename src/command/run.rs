//! `gaud run`: renders the configuration, starts Envoy with it, stays in front of it, ends it cleanly.
//!
//! Without a configuration file and without a provider in the environment, the stand-in upstream is
//! started in this process and takes the place of LiteLLM, so that the first request needs no key.

mod admin;
mod failure;
mod log;
mod process;
mod signals;

use std::convert::Infallible;
use std::ffi::OsString;
use std::future::pending;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::select;

use super::envoy::Search;
use super::load::CONFIG_FILES;
use super::render::{self, Rendered, rendered};
use super::upstream;

use failure::Failure;
use process::Process;
use signals::Stop;

/// The variable that creates a provider without a configuration file.
const PROVIDER: &str = "GAUD_LITELLM_URL";

/// Run the gateway: render the configuration, start Envoy, end it cleanly
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The configuration; default: gaud.toml or llm-proxy.toml in the current folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The filter, as `cargo filter` builds it
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

/// Serves until a signal asks to stop, which is a success, or until Envoy ends, which is not.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = Stop::listen()?;
        let mut envoy = None;
        let outcome = select! {
            served = serve(args, &mut envoy) => served.map(|never| match never {}),
            () = stop.asked() => Ok(ExitCode::SUCCESS),
        };
        if let Some(envoy) = envoy {
            envoy.end().await?;
        }
        outcome
    })
}

/// Starts Envoy in `slot`, where it is found by whoever is to end it.
async fn serve(args: &Args, slot: &mut Option<Process>) -> Result<Infallible, Failure> {
    let (rendered, stand_in) = rendered_or_stand_in(args).await?;
    vacant("listen", rendered.listen)?;
    vacant("admin_listen", rendered.admin_listen)?;
    let envoy = Search { env: &variable, log: &mut |line| note(&line) }.run().await?;
    let process = slot.insert(Process::start(&envoy, &rendered)?);
    select! {
        failure = watch(process, &rendered) => failure,
        failure = attend(stand_in) => failure,
    }
}

/// What Envoy is started with; and the stand-in's socket, where nothing says which provider there is.
async fn rendered_or_stand_in(args: &Args) -> Result<(Rendered, Option<TcpListener>), Failure> {
    let rendered = |env| rendered(args.config.as_deref(), args.wasm.as_deref(), env);
    match rendered(&variable) {
        Err(render::Error::Config(load::Error::Nothing)) => {}
        rendered => return Ok((rendered?, None)),
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    note(&format!("no configuration and no {PROVIDER}: the stand-in upstream on {url} it is"));
    let with_stand_in = |name: &str| match name {
        PROVIDER => Some(OsString::from(&url)),
        _ => variable(name),
    };
    Ok((rendered(&with_stand_in)?, Some(listener)))
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

async fn attend(stand_in: Option<TcpListener>) -> Result<Infallible, Failure> {
    match stand_in {
        Some(listener) => Ok(upstream::serve(listener).await?),
        None => pending().await,
    }
}

/// Says where to find the gateway once Envoy is ready, and returns when Envoy ends by itself.
async fn watch(envoy: &mut Process, rendered: &Rendered) -> Result<Infallible, Failure> {
    let admin = envoy.ready().await?;
    let address = match rendered.listen.port() {
        0 => admin::listener(admin).await?,
        _ => rendered.listen,
    };
    welcome(address);
    Err(Failure::Gone(envoy.exit().await?))
}

/// Envoy's `SO_REUSEPORT` would let it share an address with another program, silently.
fn vacant(name: &'static str, address: SocketAddr) -> Result<(), Failure> {
    std::net::TcpListener::bind(address).map(drop).map_err(|error| Failure::Listen {
        name,
        address,
        error,
    })
}

fn welcome(address: SocketAddr) {
    let mut local = address;
    if address.ip().is_unspecified() {
        local.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let _ = writeln!(
        io::stdout(),
        "Gaud is ready on http://{address}

Try it:

    curl http://{local}/v1/chat/completions -H 'content-type: application/json' \\
        -d '{{\"model\": \"litellm:gpt-4o\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'

Stop it with Ctrl-C."
    );
}

fn note(line: &str) {
    log::tell(&format!("gaud: {line}"));
}
