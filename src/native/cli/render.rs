//! `gaud render`: prints the Envoy configuration.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::native::envoy::{EnvoyVersion, PINNED};
use crate::native::render::{Error, Form, Source, istio};
use crate::native::settings::{ConfigOption, Env};

/// Print the Envoy configuration, for those who run Envoy themselves
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigOption,
    /// The filter, where Envoy will find it
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// What is to be configured
    #[arg(long = "for", value_name = "FORM", default_value_t, value_enum)]
    form: Form,
    /// The Envoy that it is for, as 1.36 or 1.36.4
    #[arg(long, value_name = "VERSION", default_value = PINNED)]
    envoy_version: EnvoyVersion,
    /// Envoy's admin interface as a socket; `admin_listen` has its metrics alone then
    #[arg(long, value_name = "FILE")]
    admin_socket: Option<PathBuf>,
    #[command(flatten)]
    istio: istio::Options,
}

/// Prints the configuration.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let env = |name: &str| std::env::var_os(name);
    args.form.check_options(&args.istio).map_err(Error::Options)?;
    if args.admin_socket.is_some() && args.form != Form::Envoy {
        return Err(Error::AdminSocket);
    }
    let yaml = match args.form {
        Form::Istio => mesh(args, &env)?,
        form => {
            let (config, wasm) = (args.config.path(), args.wasm.as_deref());
            let source = Source::read_for_elsewhere(form, config, wasm, &env)?;
            let wasm = source.module.lasting_file()?;
            source.yaml(args.envoy_version, &wasm, args.admin_socket.as_deref(), &env)?
        }
    };
    args.envoy_version.warn();
    match writeln!(io::stdout(), "{yaml}") {
        // The reader, such as `head`, has closed the pipe on purpose.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => written.map(|()| ExitCode::SUCCESS).map_err(Error::Output),
    }
}

fn mesh(args: &Args, env: Env<'_>) -> Result<String, Error> {
    let wasm = args.wasm.as_deref();
    let remote = istio::Remote::of(wasm, &args.istio).map_err(Error::Options)?;
    let source = Source::read_for_elsewhere(Form::Istio, args.config.path(), wasm, env)?;
    source.mesh_yaml(&args.istio, remote, args.envoy_version, env)
}
