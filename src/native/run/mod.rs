//! `gaud run`: renders the configuration, starts Envoy with it, stays in front of it, ends it cleanly.
//!
//! Without a configuration file and without a provider in the environment, the stand-in upstream is
//! started in this process and takes the place of LiteLLM, so that the first request needs no key.

mod admin;
mod control;
mod disk;
mod failure;
mod folder;
mod journal;
mod log;
mod process;
mod reload;
pub(crate) mod signals;
mod validate;
pub(crate) mod with_parent;

use std::convert::Infallible;
use std::ffi::OsString;
use std::future::pending;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::select;
use tokio::time::sleep;

use crate::config::File;

use super::envoy::{Envoy, EnvoyVersion, NotFound, Search};
use super::live::Live;
use super::render::{self, Source};
use super::settings::{self, ConfigOption, Env, Loaded, Tls, reachable};
use super::standin;

pub(crate) use control::{ADMIN_KEY, first_key};
pub use failure::Failure;
pub(crate) use folder::{PrivateFolder, unwritable};
use process::Process;
use reload::{Reload, Renderer};
use signals::Reread;
pub use validate::validate;

/// The variable that creates a provider without a configuration file.
const PROVIDER: &str = "GAUD_LITELLM_URL";

/// Run the gateway: render the configuration, start Envoy, end it cleanly
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigOption,
    /// The filter, as `cargo filter` builds it
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// The Envoy to run, as 1.36 or 1.36.4; default: the one that is found first
    #[arg(long, value_name = "VERSION")]
    envoy_version: Option<EnvoyVersion>,
    /// Start Envoy again when Envoy ends without being asked
    #[arg(long)]
    restart: bool,
    /// Serve without the control server, which serves /admin
    #[arg(long)]
    no_control: bool,
}

/// The threads that answer requests to the control server.
const WORKER_THREADS: usize = 4;

/// How long an Envoy that has ended is left alone before the next start.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Serves until a signal asks to stop, which is a success, or until Envoy ends, which is not.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let (mut stop, mut reread) = signals::listen()?;
        let mut envoy = None;
        let outcome = select! {
            failure = serve_on(args, &mut reread, &mut envoy) => Err(failure),
            () = stop.asked() => Ok(ExitCode::SUCCESS),
        };
        if let Some(envoy) = envoy {
            if outcome.is_ok() {
                select! {
                    () = envoy.drain() => {}
                    () = stop.asked() => {} // A second time: at once.
                }
            }
            envoy.end().await?;
        }
        outcome
    })
}

/// A PostgreSQL that does not answer keeps a worker thread, and not the thread that watches Envoy.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build()
}

/// Serves, and starts again where that is wanted.
async fn serve_on(args: &Args, reread: &mut Reread, slot: &mut Option<Process>) -> Failure {
    loop {
        let Err(failure) = serve(args, reread, slot).await;
        match failure {
            Failure::Gone(_) if args.restart => note(&format!("{failure}; it is started again")),
            failure => return failure,
        }
        *slot = None;
        sleep(RESTART_PAUSE).await;
    }
}

/// Starts Envoy in `slot`, where the code that ends Envoy finds the process.
async fn serve(
    args: &Args,
    reread: &mut Reread,
    slot: &mut Option<Process>,
) -> Result<Infallible, Failure> {
    let stand_in = stand_in(args).await?;
    let url = stand_in.as_ref().map(url).transpose()?;
    let env = |name: &str| match &url {
        Some(url) if name == PROVIDER => Some(url.into()),
        _ => variable(name),
    };
    let source = source(args, &env)?;
    let envoy = search(args.envoy_version).await?;
    for warning in &source.loaded.warnings {
        note(&format!("warning: {warning}"));
    }
    if let Some(url) = &url {
        note(&format!("no configuration, no {PROVIDER}: a stand-in upstream on {url}"));
    }
    let folder = PrivateFolder::create()?;
    let control = control::start(args, &source, &envoy, folder.path())?;
    let link = control.as_ref().map(|control| &control.link);
    let tokens = control.as_ref().map(|own| own.serving.tokens()).unwrap_or_default();
    let renderer = Renderer::of(&source, &envoy, &folder, link, tokens, &env)?;
    let documents = renderer.documents(&source)?;
    let live = Live::begin(folder.path(), &renderer.admin, documents.resources, documents.secrets)
        .map_err(unwritable)?;
    let journal = control.as_ref().map(|control| &control.journal);
    let process = Process::start(&envoy, &source.loaded, folder, &documents.bootstrap, journal)?;
    let process = slot.insert(process);
    let (serving, changes) =
        control.map_or((None, None), |own| (Some(own.serving), Some(own.changes)));
    let rejections = process.rejections();
    let reload = Reload::of(args, renderer, live, rejections, source.loaded, changes);
    let keys = serving.as_ref().map(control::Serving::keys);
    select! {
        failure = watch(process, reload, keys, reread) => failure,
        failure = attend(stand_in) => failure,
        failure = control::attend(serving) => failure,
    }
}

/// A configuration that could be served now.
fn source(args: &Args, env: Env<'_>) -> Result<Source, Failure> {
    let source = read(args, env)?;
    source.module.check()?;
    vacant("listen", source.loaded.listen, &source.loaded)?;
    vacant("admin_listen", source.loaded.admin_listen, &source.loaded)?;
    Ok(source)
}

fn read(args: &Args, env: Env<'_>) -> Result<Source, render::Error> {
    Source::read(render::Form::Envoy, args.config.path(), args.wasm.as_deref(), env)
}

async fn search(wanted: Option<EnvoyVersion>) -> Result<Envoy, NotFound> {
    Search { env: &variable, log: &mut |line| note(&line), wanted }.run().await
}

/// The stand-in's socket, where nothing says which provider there is.
async fn stand_in(args: &Args) -> io::Result<Option<TcpListener>> {
    let Err(settings::Error::Nothing) = args.config.load() else {
        return Ok(None);
    };
    Ok(Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?))
}

fn url(listener: &TcpListener) -> io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// A model to try: the first provider's first, or one that many providers have.
fn model(file: &File) -> String {
    let Some((name, provider)) = file.providers.first() else { return String::new() };
    let namespace = provider.namespaces.as_ref().and_then(|all| all.first().cloned());
    let namespace = namespace.unwrap_or_else(|| format!("{name}:"));
    let model = provider.models.first().map_or("gpt-4o", String::as_str);
    format!("{namespace}{}", model.strip_prefix(&namespace).unwrap_or(model))
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

async fn attend(stand_in: Option<TcpListener>) -> Result<Infallible, Failure> {
    match stand_in {
        Some(listener) => Ok(standin::serve(listener).await?),
        None => pending().await,
    }
}

/// Says where to find the gateway once Envoy is ready, follows the configuration, and returns when Envoy has ended without
/// being asked.
async fn watch(
    envoy: &mut Process,
    mut reload: Reload<'_>,
    keys: Option<control::Keys>,
    reread: &mut Reread,
) -> Result<Infallible, Failure> {
    envoy.ready(&reload.live).await?;
    let has_control = keys.is_some();
    if let Some(keys) = keys.filter(|_| reload.serving.has_keys()) {
        keys.known().await;
    }
    let listen = reload.serving.listen;
    let address = match listen.port() {
        0 => admin::listener(&reload.renderer.admin).await?,
        _ => listen,
    };
    reload.serves_on(address);
    let pages = reload.serving.pages().filter(|_| has_control);
    welcome(address, reload.serving.tls.as_ref(), &model(&reload.serving.file), pages);
    loop {
        select! {
            status = envoy.exit() => return Err(Failure::Gone(status?)),
            () = reload.next(reread) => {}
        }
        envoy.set_drain(reload.serving.drain);
    }
}

/// Envoy's `SO_REUSEPORT` would let it share an address with another program, silently.
fn vacant(name: &'static str, address: SocketAddr, loaded: &Loaded) -> Result<(), Failure> {
    let source = || loaded.source();
    std::net::TcpListener::bind(address).map(drop).map_err(|error| Failure::Listen {
        name,
        address,
        source: source(),
        error,
    })
}

fn welcome(address: SocketAddr, tls: Option<&Tls>, model: &str, pages: Option<&str>) {
    let local = reachable(address);
    let (scheme, options) = match tls {
        None => ("http", ""),
        // The certificate is for a name, and this is an address.
        Some(Tls { client_ca: None, .. }) => ("https", "--insecure "),
        Some(_) => ("https", "--insecure --cert YOURS.pem --key YOURS.key "),
    };
    let model = json!(model);
    let hello =
        format!(r#"{{"model": {model}, "messages": [{{"role": "user", "content": "Hello"}}]}}"#);
    let mut lines = vec![
        format!("Gaud is ready on {scheme}://{address}"),
        "Try it:".to_owned(),
        format!("    curl {options}{scheme}://{local}/v1/chat/completions \\"),
        format!("        -H 'content-type: application/json' -d '{hello}'"),
    ];
    if let Some(path) = pages {
        lines.push(format!("Its pages, for an admin key: {scheme}://{local}{path}"));
    }
    lines.push("Stop it with Ctrl-C.".to_owned());
    // The gateway serves also without a reader of its output.
    let _ = writeln!(io::stdout(), "{}", lines.join("\n"));
}

pub(crate) fn note(line: &str) {
    log::tell(&format!("gaud: {line}"));
}
