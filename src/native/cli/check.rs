//! `gaud check`: whether a configuration is valid.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::native::envoy::{EnvoyVersion, PINNED, Search};
use crate::native::render::{Form, Source};
use crate::native::run;
use crate::native::settings::{ConfigOption, Env, Secrets, load_with};

/// Check the configuration
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigOption,
    /// The Envoy that it is for, as 1.36 or 1.36.4
    #[arg(long, value_name = "VERSION")]
    envoy_version: Option<EnvoyVersion>,
    /// Have the Envoy that is installed here read what would be rendered
    #[arg(long)]
    with_envoy: bool,
    /// Refuse secrets that are not here, as `gaud run` does: variables that are not set, and files that cannot be read
    #[arg(long)]
    with_secrets: bool,
    /// With --with-envoy: the filter, as `cargo filter` builds it
    #[arg(long, value_name = "FILE", requires = "with_envoy")]
    wasm: Option<PathBuf>,
}

/// Says that it holds, or what is wrong, on which line, and what would be right.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let env: Env<'_> = &|name| std::env::var_os(name);
    let loaded = match args.with_secrets {
        true => load_with(args.config.path(), env, Secrets::Here)?,
        false => args.config.load()?,
    };
    args.envoy_version.unwrap_or(PINNED.parse()?).warn();
    let source = loaded.source();
    if args.with_envoy {
        let version = in_envoy(args, env)?;
        println!("{source}: Envoy {version} takes what is rendered");
    }
    let providers = loaded.gateway.providers();
    let names: Vec<_> = providers.iter().map(|provider| provider.name.as_str()).collect();
    super::warn(&loaded.warnings);
    println!("{source}: good; providers: {}", names.join(", "));
    if !loaded.missing.is_empty() {
        println!("not set here, and needed where gaud starts: {}", loaded.missing.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// The version of the Envoy that has read what is rendered.
fn in_envoy(args: &Args, env: Env<'_>) -> Result<EnvoyVersion, Box<dyn Error>> {
    let source = Source::read(Form::Envoy, args.config.path(), args.wasm.as_deref(), env)?;
    let search = Search { env, log: &mut |_| {}, wanted: args.envoy_version };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let envoy = search.here().await?;
        let folder = run::PrivateFolder::create()?;
        let wasm = source.module.file_in(folder.path()).map_err(run::unwritable)?;
        let yaml = source.yaml(envoy.version, &wasm, None, env)?;
        run::validate(&envoy, &source.loaded, &yaml).await?;
        Ok(envoy.version)
    })
}
