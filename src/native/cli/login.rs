//! `gaud login`: lets the gateway in at a provider's issuer.

use std::error::Error;
use std::process::ExitCode;

use super::tell;
use crate::gateway::ProviderUrl;
use crate::native::control::{DataFolder, DataProblem};
use crate::native::refresh::login;
use crate::native::render::system_ca_file;
use crate::native::settings::{ConfigOption, Loaded, Refresh};

/// Let the gateway in at the issuer of a provider's tokens: shows a code to type in, and stores the refresh token
///
/// The provider has auth = { refresh_token = { device_url = "…", … } }. A gateway that runs takes the token over at once, any
/// other at its next start.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The provider, as the configuration names it
    provider: String,
    #[command(flatten)]
    config: ConfigOption,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let loaded = args.config.load()?;
    let (settings, device) = settings(&loaded, &args.provider)?;
    let env = |name: &str| std::env::var_os(name);
    let named = loaded.file.control.as_ref().and_then(|own| own.data.as_deref());
    let data = DataFolder::place(named, &env).ok_or(DataProblem::NoPlace);
    let data = data.map_err(|problem| problem.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ca_file = system_ca_file(true, &env);
    runtime.block_on(login(&args.provider, settings, device, &data, &ca_file, tell))?;
    println!("{}: the refresh token is stored", args.provider);
    Ok(ExitCode::SUCCESS)
}

/// The settings of a provider's refresh token, and where its issuer gives codes.
fn settings<'a>(
    loaded: &'a Loaded,
    provider: &str,
) -> Result<(&'a Refresh, &'a ProviderUrl), String> {
    let Some((_, own)) = loaded.refreshes().find(|(name, _)| *name == provider) else {
        let names: Vec<_> = loaded.refreshes().map(|(name, _)| name).collect();
        let known = match names.as_slice() {
            [] => "neither has any other provider".to_owned(),
            names => format!("these providers have: {}", names.join(", ")),
        };
        return Err(format!("{provider} has no auth.refresh_token; {known}"));
    };
    let device = own.device.as_ref().ok_or_else(|| {
        format!("{provider} has no address for codes; set providers.{provider}.auth.refresh_token.device_url")
    })?;
    Ok((own, device))
}
