//! The command `gaud`: checks and renders the configuration, and runs Envoy with it.

mod command;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An LLM gateway inside Envoy
#[derive(Parser)]
#[command(version)]
struct Gaud {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(command::check::Args),
    Route(command::route::Args),
    Models(command::models::Args),
    Render(command::render::Args),
    Run(command::run::Args),
    Status(command::status::Args),
    Upstream(command::upstream::Args),
}

fn main() -> ExitCode {
    run(&Gaud::parse().command).unwrap_or_else(|error| {
        eprintln!("gaud: {error}");
        ExitCode::FAILURE
    })
}

fn run(command: &Command) -> Result<ExitCode, Box<dyn Error>> {
    Ok(match command {
        Command::Check(args) => command::check::run(args)?,
        Command::Route(args) => command::route::run(args)?,
        Command::Models(args) => command::models::run(args)?,
        Command::Render(args) => command::render::run(args)?,
        Command::Run(args) => command::run::run(args)?,
        Command::Status(args) => command::status::run(args)?,
        Command::Upstream(args) => command::upstream::run(args)?,
    })
}
