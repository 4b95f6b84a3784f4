//! `gaud render`: the Envoy configuration, as a person would keep it, in the form that they need.
//!
//! ```text
//! gaud.toml ──> load ──> Context ──┬──> FORM.yaml
//!                  parts/*.yaml ───┘
//! ```

mod cluster;
mod context;
mod envoy;
mod envoy_gateway;
mod error;
mod filter;
mod form;
mod istio;
mod local_reply;
mod module_file;
mod template;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::load::{self, Env, Loaded};
use context::Context;
pub(crate) use error::Error;
pub(crate) use form::Form;

/// Print the Envoy configuration, for those who run Envoy themselves
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The configuration; default: gaud.toml or llm-proxy.toml in the current folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The filter, where Envoy will find it
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// What is to be configured
    #[arg(long = "for", value_name = "FORM", default_value_t, value_enum)]
    form: Form,
    #[command(flatten)]
    istio: istio::Options,
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

/// Prints the configuration.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let env = |name: &str| std::env::var_os(name);
    let (config, wasm) = (args.config.as_deref(), args.wasm.as_deref());
    args.istio.check(args.form).map_err(Error::Options)?;
    let rendered = match args.form {
        Form::Istio => in_mesh(config, wasm, &args.istio, &env)?,
        form => rendered(form, config, wasm, &env)?.yaml,
    };
    match writeln!(io::stdout(), "{rendered}") {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => written.map(|()| ExitCode::SUCCESS).map_err(Error::Output),
    }
}

/// Renders the configuration.
pub(crate) fn rendered(
    form: Form,
    config: Option<&Path>,
    wasm: Option<&Path>,
    env: Env<'_>,
) -> Result<Rendered, Error> {
    if wasm.is_some_and(istio::is_url) {
        return Err(Error::Options(istio::Refused::UrlNotIstio));
    }
    let loaded = load::load_with(config, env, form.secrets()).map_err(Error::Config)?;
    form.check(&loaded.gateway).map_err(|error| Error::Config(loaded.refused(error)))?;
    let wasm = module_file::find(wasm, form, env)?;
    form.check_module(&wasm)?;
    let yaml = yaml(form, &loaded, &wasm, env)?;
    Ok(Rendered {
        wasm,
        yaml,
        environment: loaded.environment,
        listen: loaded.listen,
        admin_listen: loaded.admin_listen,
        workers: loaded.workers,
    })
}

/// Renders the resources of a mesh.
fn in_mesh(
    config: Option<&Path>,
    wasm: Option<&Path>,
    options: &istio::Options,
    env: Env<'_>,
) -> Result<String, Error> {
    let remote = istio::Remote::of(wasm, options).map_err(Error::Options)?;
    let form = Form::Istio;
    let loaded = load::load_with(config, env, form.secrets()).map_err(Error::Config)?;
    form.check(&loaded.gateway).map_err(|error| Error::Config(loaded.refused(error)))?;
    let target = istio::Target::of(options, loaded.gateway.providers()).map_err(Error::Options)?;
    let wasm = module_file::find(wasm, form, env)?;
    let context = Context::of(form, &loaded, &wasm, env).in_mesh(target, remote);
    template::render(form, &context).map_err(Error::Template)
}

fn yaml(form: Form, loaded: &Loaded, wasm: &Path, env: Env<'_>) -> Result<String, Error> {
    let context = Context::of(form, loaded, wasm, env);
    template::render(form, &context).map_err(Error::Template)
}
