//! `gaud route MODEL`: where a model would go, and why.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use gaud::model::ModelName;
use gaud::route::{Decision, NoRoute, Rule};
use serde::Serialize;

use super::load;

/// Print where a model would go, and the rule that decides
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The model, as a client asks for it
    model: String,
    /// The configuration; default: gaud.toml or llm-proxy.toml in the current folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// For machines: a JSON object
    #[arg(long)]
    json: bool,
}

/// Why there is nothing to print.
#[derive(Debug)]
pub(crate) enum Error {
    Config(load::Error),
    NoRoute(String),
}

#[derive(Serialize)]
struct Answer<'a> {
    model: &'a str,
    provider: &'a str,
    /// The name that the provider gets.
    target_model: &'a str,
    rule: &'static str,
    /// The namespace or pattern that decided.
    by: Option<&'a str>,
    alias: Option<&'a str>,
}

/// Prints the target and the rule.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let loaded = load::load(args.config.as_deref(), &|name| std::env::var_os(name))
        .map_err(Error::Config)?;
    let model = ModelName::try_from(args.model.clone())
        .map_err(|problem| Error::NoRoute(format!("the model {problem}")))?;
    let decision =
        loaded.gateway.routes.decide(&model).map_err(|why| Error::no_route(&model, why))?;
    let provider = loaded.gateway.provider(decision.target.provider);
    let provider = provider.map_or("", |provider| provider.name.as_str());
    match args.json {
        true => println!("{}", json(model.as_str(), provider, &decision)),
        false => println!("{model} -> {provider}: {} ({decision})", decision.target.model),
    }
    Ok(ExitCode::SUCCESS)
}

fn json(model: &str, provider: &str, decision: &Decision<'_>) -> String {
    let (rule, by) = match decision.rule {
        Rule::Namespace(namespace) => ("namespace", Some(namespace)),
        Rule::Match(pattern) => ("match", Some(pattern)),
        Rule::Default => ("default_provider", None),
    };
    let target_model = decision.target.model;
    let answer = Answer { model, provider, target_model, rule, by, alias: decision.alias };
    serde_json::to_string(&answer).unwrap_or_default()
}

impl Error {
    fn no_route(model: &ModelName, why: NoRoute<'_>) -> Self {
        Self::NoRoute(match why {
            NoRoute::MissingModel(namespace) => {
                format!("{namespace} is a namespace with nothing behind it")
            }
            NoRoute::NotFound => {
                format!("no provider takes {model}; begin it with a provider's namespace")
            }
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NoRoute(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for Error {}
