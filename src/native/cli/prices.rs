//! `gaud prices`: what a model costs.

use std::error::Error;
use std::process::ExitCode;

use crate::config::File;
use crate::native::ledger::dollars;
use crate::native::prices::Prices;
use crate::native::settings::{self, ConfigOption};
use crate::request::model::ModelName;

/// Print what a model costs, and where the price is from
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The model: as a client asks for it, where there is a configuration, else as a provider is sent it
    model: String,
    #[command(flatten)]
    config: ConfigOption,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let loaded = match args.config.load() {
        Ok(loaded) => Some(loaded),
        Err(settings::Error::Nothing) => None,
        Err(error) => return Err(error.into()),
    };
    let prices = match &loaded {
        Some(loaded) => Prices::of(&loaded.file)?,
        None => Prices::of(&File::default())?,
    };
    let name = ModelName::try_from(args.model.clone()).map_err(|problem| problem.to_string())?;
    let gateway = loaded.as_ref().map(|loaded| &loaded.gateway);
    let target = gateway.and_then(|gateway| {
        let target = gateway.routes.decide(&name).ok()?.target;
        Some((gateway.provider(target.provider)?.name.as_str(), target.model))
    });
    let (provider, model) = target.unwrap_or(("", name.as_str()));
    let Some(found) = prices.find(provider, model) else {
        return Err(format!(
            "{model} has no price: write one into gaud.toml, as in [prices.\"{model}\"] with input = 2.5 and output = 10 (dollars for a million tokens)"
        )
        .into());
    };
    let source = if found.is_own { "[prices]" } else { "the table of prices" };
    println!("{} in {source}, dollars for a million (tokens, or what the name says):", found.key);
    for (name, femto) in found.price.rates() {
        // A million of them, in nano-dollars.
        let nanos = i64::try_from(femto).unwrap_or(i64::MAX);
        println!("  {name}  {}", dollars(nanos));
    }
    Ok(ExitCode::SUCCESS)
}
