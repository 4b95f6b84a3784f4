//! `gaud render`: prints the Envoy configuration.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::native::envoy::{EnvoyVersion, PINNED};
use crate::native::render::{Error, Form, Source, istio, service_yaml};
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
    wanted: Wanted,
    /// The Envoy that it is for, as 1.36 or 1.36.4
    #[arg(long, value_name = "VERSION", default_value = PINNED)]
    envoy_version: EnvoyVersion,
    /// Envoy's admin interface as a socket; `admin_listen` has its metrics alone then
    #[arg(long, value_name = "FILE")]
    admin_socket: Option<PathBuf>,
    #[command(flatten)]
    istio: istio::Options,
}

/// What is to be configured.
#[derive(clap::ValueEnum, Debug, Clone, Copy, Default)]
enum Wanted {
    /// Envoy alone: a whole configuration
    #[default]
    Envoy,
    /// An Envoy configuration of your own: the sections to put into it
    Filter,
    /// Istio: EnvoyFilter resources
    Istio,
    /// Envoy Gateway: its resources
    EnvoyGateway,
    /// envoyproxy/ratelimit: its configuration, for limits.store = "redis"
    Ratelimit,
}

impl Wanted {
    /// Which configuration of Envoy this is; `None` for none.
    fn form(self) -> Option<Form> {
        match self {
            Self::Envoy => Some(Form::Envoy),
            Self::Filter => Some(Form::Filter),
            Self::Istio => Some(Form::Istio),
            Self::EnvoyGateway => Some(Form::EnvoyGateway),
            Self::Ratelimit => None,
        }
    }
}

/// Prints the configuration.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    match args.wanted.form() {
        Some(form) => print(&envoy_yaml(args, form)?),
        None => print(service_yaml().trim_end()),
    }
}

fn envoy_yaml(args: &Args, form: Form) -> Result<String, Error> {
    let env = |name: &str| std::env::var_os(name);
    form.check_options(&args.istio).map_err(Error::Options)?;
    if args.admin_socket.is_some() && form != Form::Envoy {
        return Err(Error::AdminSocket);
    }
    let yaml = match form {
        Form::Istio => mesh(args, &env)?,
        form => {
            let (config, wasm) = (args.config.path(), args.wasm.as_deref());
            let source = Source::read_for_elsewhere(form, config, wasm, &env)?;
            let wasm = source.module.lasting_file()?;
            source.yaml(args.envoy_version, &wasm, args.admin_socket.as_deref(), &env)?
        }
    };
    args.envoy_version.warn();
    Ok(yaml)
}

fn print(yaml: &str) -> Result<ExitCode, Error> {
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
