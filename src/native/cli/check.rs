//! `gaud check`: whether a configuration holds.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::native::envoy::{EnvoyVersion, PINNED};
use crate::native::settings;

/// Check the configuration
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The configuration; default: gaud.toml or llm-proxy.toml in the current folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The Envoy that it is for, as 1.36 or 1.36.4
    #[arg(long, value_name = "VERSION", default_value = PINNED)]
    envoy_version: EnvoyVersion,
}

/// Says that it holds, or what is wrong, on which line, and what would be right.
pub(crate) fn run(args: &Args) -> Result<ExitCode, settings::Error> {
    let loaded = settings::load(args.config.as_deref(), &|name| std::env::var_os(name))?;
    args.envoy_version.warn();
    let source = match &loaded.path {
        Some(path) => path.display().to_string(),
        None => "the environment".to_owned(),
    };
    let providers = loaded.gateway.providers();
    let names: Vec<_> = providers.iter().map(|provider| provider.name.as_str()).collect();
    println!("{source}: good; providers: {}", names.join(", "));
    Ok(ExitCode::SUCCESS)
}
