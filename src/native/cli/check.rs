//! `gaud check`: whether a configuration is valid.

use std::process::ExitCode;

use crate::native::envoy::{EnvoyVersion, PINNED};
use crate::native::settings::{self, ConfigOption};

/// Check the configuration
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigOption,
    /// The Envoy that it is for, as 1.36 or 1.36.4
    #[arg(long, value_name = "VERSION", default_value = PINNED)]
    envoy_version: EnvoyVersion,
}

/// Prints that the configuration is valid. The error names the line, the problem and the remedy.
pub(crate) fn run(args: &Args) -> Result<ExitCode, settings::Error> {
    let loaded = args.config.load()?;
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
