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
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::envoy::{EnvoyVersion, PINNED};
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
    /// The Envoy that it is for, as 1.36 or 1.36.4
    #[arg(long, value_name = "VERSION", default_value = PINNED)]
    envoy_version: EnvoyVersion,
    #[command(flatten)]
    istio: istio::Options,
}

/// What is rendered, read and checked.
pub(crate) struct Source {
    form: Form,
    pub(crate) loaded: Loaded,
    /// Where Envoy will look for the filter.
    pub(crate) wasm: PathBuf,
}

/// Prints the configuration.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let env = |name: &str| std::env::var_os(name);
    args.istio.check(args.form).map_err(Error::Options)?;
    let yaml = match args.form {
        Form::Istio => in_mesh(args, &env)?,
        form => Source::read(form, args.config.as_deref(), args.wasm.as_deref(), &env)?
            .yaml(args.envoy_version, &env)?,
    };
    args.envoy_version.warn();
    match writeln!(io::stdout(), "{yaml}") {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => written.map(|()| ExitCode::SUCCESS).map_err(Error::Output),
    }
}

impl Source {
    pub(crate) fn read(
        form: Form,
        config: Option<&Path>,
        wasm: Option<&Path>,
        env: Env<'_>,
    ) -> Result<Self, Error> {
        if form != Form::Istio && wasm.is_some_and(istio::is_url) {
            return Err(Error::Options(istio::Refused::UrlNotIstio));
        }
        let loaded = load::load_with(config, env, form.secrets()).map_err(Error::Config)?;
        form.check(&loaded.gateway).map_err(|error| Error::Config(loaded.refused(error)))?;
        let wasm = module_file::find(wasm, form, env)?;
        form.check_module(&wasm)?;
        Ok(Self { form, loaded, wasm })
    }

    /// The configuration for an Envoy of this version.
    pub(crate) fn yaml(&self, version: EnvoyVersion, env: Env<'_>) -> Result<String, Error> {
        let context = Context::of(self.form, &self.loaded, version, &self.wasm, env);
        template::render(self.form, &context).map_err(Error::Template)
    }
}

/// Renders the resources of a mesh.
fn in_mesh(args: &Args, env: Env<'_>) -> Result<String, Error> {
    let wasm = args.wasm.as_deref();
    let remote = istio::Remote::of(wasm, &args.istio).map_err(Error::Options)?;
    let Source { form, loaded, wasm } =
        Source::read(Form::Istio, args.config.as_deref(), wasm, env)?;
    let target =
        istio::Target::of(&args.istio, loaded.gateway.providers()).map_err(Error::Options)?;
    let context =
        Context::of(form, &loaded, args.envoy_version, &wasm, env).in_mesh(target, remote);
    template::render(form, &context).map_err(Error::Template)
}
